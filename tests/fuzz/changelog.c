/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a debian/changelog. */
#include <string.h>

#include "fuzz.h"
#include "scanners/advisory/changelog-feed.h"

static void
check(const char *cve, const char *version, const char *text, gpointer user_data)
{
	g_assert_true(g_str_has_prefix(cve, "CVE-"));
	g_assert_cmpuint(strlen(version), >, 0);
	g_assert_true(text == NULL || g_utf8_validate(text, -1, NULL));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	cam_changelog_foreach_cve((const char *) data, size, check, NULL);
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char text[] =
		"curl (7.1-2~deb12u1) bookworm-security; urgency=high\n\n  [ Some One ]\n"
		"  * Fix CVE-2024-1111: overflow\n    over two lines\n    - and CVE-2024-2222\n\n"
		" -- A B <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n\n"
		"curl (7.1-2) unstable; urgency=low\n\n  * cve-2023-33333 \303\251.\n\n"
		" -- A B <a@example.org>  Mon, 01 Jan 2023 00:00:00 +0000\n";
	/* What is no fix, in lists, paragraphs and sentences. */
	static const char mentions[] =
		"a (2) stable; urgency=low\n\n  * Fix regression of CVE-2020-1111.\n"
		"  * CVE-2020-1112: b\n\n    Following the fix for CVE-2019-1113, c. Long ago\n"
		"    CVE-2012-1114 fixed it.\n  * Drop patches:\n    - d/p/CVE-2020-1115.patch\n"
		"  * Revert the fix for CVE-2020-1116\n\n"
		" -- A B <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n\n"
		"a (1) stable; urgency=low\n\n  * CVE-2020-1116 + CVE-2020-1117 and CVE-2020-1118\n"
		"    d \342\200\231 e (not affected)\n\n"
		" -- A B <a@example.org>  Mon, 01 Jan 2023 00:00:00 +0000\n\n"
		"# Older entries have been removed from this changelog.\n";
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, g_bytes_new_static(text, strlen(text)));
	g_ptr_array_add(seeds, g_bytes_new_static(mentions, strlen(mentions)));
	return seeds;
}
