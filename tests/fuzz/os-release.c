/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever stands in os-release and its fallbacks: the result is valid UTF-8, and a release has
 * an ecosystem only together with what makes it known.
 */
#include "fuzz.h"

#include <string.h>

#include "scanners/scanners.h"

static void
check_text(const char *text)
{
	g_assert_true(text == NULL || (text[0] != '\0' && g_utf8_validate(text, -1, NULL)));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	const char *text = (const char *) data;
	/* What follows a NUL stands for debian_version. */
	const char *end = memchr(text, '\0', size);
	gsize first = end != NULL ? (gsize) (end - text) : size;
	g_autoptr(CamOsRelease) os = cam_os_release_parse(text, first);

	cam_os_release_add_lsb_release(os, text, first);
	cam_os_release_add_vendor(os, text, first);
	if (end != NULL)
		cam_os_release_add_debian_version(os, end + 1, size - first - 1);
	g_assert_nonnull(os->id);
	check_text(os->id);
	check_text(os->version_id);
	check_text(os->codename);
	check_text(os->pretty_name);
	if (os->ecosystem == NULL)
		g_assert_true(os->end_of_life == NULL && os->based_on == NULL);
	cam_os_release_get_support(os, "2025-01-01");
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char debian[] = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='a b'\n";
	static const char lsb[] = "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nVendor: Ubuntu\n";
	static const char mint[] =
		"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nUBUNTU_CODENAME=jammy\n";
	static const char fallback[] = "PRETTY_NAME=\"\\\"x\n\0trixie/sid\n";
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, g_bytes_new_static(lsb, sizeof(lsb) - 1));
	g_ptr_array_add(seeds, g_bytes_new_static(debian, sizeof(debian) - 1));
	g_ptr_array_add(seeds, g_bytes_new_static(mint, sizeof(mint) - 1));
	g_ptr_array_add(seeds, g_bytes_new_static(fallback, sizeof(fallback) - 1));
	return seeds;
}
