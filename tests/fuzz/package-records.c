/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File lists, checksums, conffiles and diversions that an image made up: the comparison takes them,
 * and whatever they say, a file whose content they do not know stays unexplained.
 */
#include "fuzz.h"

#include <string.h>

#include "rebuild/diff/attribution.h"

#define EVIL "usr/bin/evil"

static void
add(CamMemoryRootfs *fs, const char *path, const guint8 *data, gsize size)
{
	cam_memory_rootfs_add_file(fs, path, (const char *) data, size, 0644);
}

/* A file that was there before and is of a content that no input can name by its checksum. */
static CamMemoryRootfs *
make_tree(const guint8 *data, gsize size, const char *content)
{
	CamMemoryRootfs *fs = cam_memory_rootfs_new();
	gsize part = size / 4;

	add(fs, "var/lib/dpkg/info/p.list", data, part);
	add(fs, "var/lib/dpkg/info/p.md5sums", data + part, part);
	add(fs, "var/lib/dpkg/status", data + 2 * part, part);
	add(fs, "var/lib/dpkg/diversions", data + 3 * part, size - 3 * part);
	add(fs, EVIL, (const guint8 *) content, strlen(content));
	return fs;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamMemoryRootfs) before = make_tree(data, 0, "before");
	g_autoptr(CamMemoryRootfs) after = make_tree(data, size, "a sentence of its own, 0x5eed");
	g_autoptr(GPtrArray) packages =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_change_free);
	g_autoptr(GPtrArray) paths = NULL;
	CamPackageChange *change = g_new0(CamPackageChange, 1);
	guint unexplained;

	change->name = g_strdup("p");
	change->before = g_strdup("1");
	change->after = g_strdup("2");
	change->before_path = g_strdup("var/lib/dpkg/status");
	change->after_path = g_strdup("var/lib/dpkg/status");
	g_ptr_array_add(packages, change);
	paths = cam_diff_trees(CAM_ROOTFS(before), CAM_ROOTFS(after), NULL, NULL, &error);
	g_assert_no_error(error);
	cam_attribute_paths(paths, packages, CAM_ROOTFS(before), CAM_ROOTFS(after), &unexplained,
			    NULL, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < paths->len; i++) {
		const CamPathChange *path = paths->pdata[i];

		g_assert_true(strcmp(path->path, EVIL) != 0 || path->reason == NULL);
	}
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	/* Four parts of the same length: list, md5sums, status, diversions. */
	static const char seed[] =
		"/.\n/usr\n/usr/bin/evil\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
		"0123456789abcdef0123456789abcdef  usr/bin/evil\n"
		"Package: p\nVersion: 2\nConffiles:\n /usr/bin/e 0\n"
		"/usr/bin/evil\n/usr/bin/x\nother\n\n\n\n\n\n\n\n\n\n\n\n";
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, g_bytes_new_static(seed, sizeof(seed) - 1));
	return seeds;
}
