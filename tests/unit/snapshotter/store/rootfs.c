/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/snapshotter.h"

/* Lookups and whole-file reads, over the in-memory tree. */

static CamRootfs *
make_rootfs(void)
{
	CamMemoryRootfs *fs = cam_memory_rootfs_new();

	cam_memory_rootfs_add_file(fs, "usr/lib/os-release", "ID=debian\n", -1, 0644);
	cam_memory_rootfs_add_symlink(fs, "etc/os-release", "../usr/lib/os-release");
	cam_memory_rootfs_add_symlink(fs, "lib", "usr/lib");
	cam_memory_rootfs_add_symlink(fs, "abs", "/usr/lib");
	cam_memory_rootfs_add_symlink(fs, "usr/escape", "../../../../usr/lib/os-release");
	cam_memory_rootfs_add_symlink(fs, "loop-a", "loop-b");
	cam_memory_rootfs_add_symlink(fs, "loop-b", "loop-a");
	cam_memory_rootfs_add_symlink(fs, "dangling", "nowhere");
	cam_memory_rootfs_add_symlink(fs, "self/link", ".");
	return CAM_ROOTFS(fs);
}

static void
assert_real_path(CamRootfs *fs, const char *path, gboolean follow, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *real_path = NULL;
	CamEntry entry;

	cam_rootfs_lookup(fs, path, follow, &real_path, &entry, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(real_path, ==, expected);
}

static void
assert_no_entry(CamRootfs *fs, const char *path)
{
	g_autoptr(GError) error = NULL;
	CamEntry entry;

	g_assert_false(cam_rootfs_lookup(fs, path, TRUE, NULL, &entry, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_lookup(void)
{
	g_autoptr(CamRootfs) fs = make_rootfs();

	assert_real_path(fs, "", TRUE, "");
	assert_real_path(fs, "/", TRUE, "");
	assert_real_path(fs, "/usr//lib/./os-release", TRUE, "usr/lib/os-release");
	assert_real_path(fs, "etc/os-release", TRUE, "usr/lib/os-release");
	assert_real_path(fs, "etc/os-release", FALSE, "etc/os-release");
	assert_real_path(fs, "lib/os-release", FALSE, "usr/lib/os-release");
	assert_real_path(fs, "abs/os-release", FALSE, "usr/lib/os-release");
	assert_real_path(fs, "abs/", TRUE, "usr/lib");
	assert_real_path(fs, "lib/../..", TRUE, "");
	assert_real_path(fs, "self/link/link/link", TRUE, "self");
}

static void
test_links_stay_inside(void)
{
	g_autoptr(CamRootfs) fs = make_rootfs();

	assert_real_path(fs, "usr/escape", TRUE, "usr/lib/os-release");
	assert_real_path(fs, "../../usr", TRUE, "usr");
}

static void
test_nothing_there(void)
{
	g_autoptr(CamRootfs) fs = make_rootfs();

	assert_no_entry(fs, "usr/nothing");
	assert_no_entry(fs, "usr/lib/os-release/below-a-file");
	assert_no_entry(fs, "usr/lib/os-release/..");
	assert_no_entry(fs, "dangling");
	assert_no_entry(fs, "loop-a");
	assert_real_path(fs, "loop-a", FALSE, "loop-a");
}

static void
test_name_outlives_trees(void)
{
	g_autoptr(CamRootfs) fs = make_rootfs();
	CamEntry entry;

	g_assert_true(cam_rootfs_lookup(fs, "etc/os-release", TRUE, NULL, &entry, NULL));
	for (guint i = 0; i < 600; i++) {
		g_autofree char *path = g_strdup_printf("many/%u/file", i);

		cam_memory_rootfs_add_file(CAM_MEMORY_ROOTFS(fs), path, path, -1, 0644);
	}
	for (guint i = 0; i < 600; i++) {
		g_autofree char *path = g_strdup_printf("many/%u/file", i);

		assert_real_path(fs, path, TRUE, path);
	}
	g_assert_cmpstr(entry.name, ==, "os-release");
}

static void
test_read(void)
{
	g_autoptr(CamRootfs) fs = make_rootfs();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = cam_rootfs_read(fs, "etc/os-release", 10, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "ID=debian\n", 10);
	g_assert_null(cam_rootfs_read(fs, "etc/os-release", 9, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);
	g_assert_null(cam_rootfs_read(fs, "usr/lib", 9, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_clear_error(&error);
	g_assert_null(cam_rootfs_read(fs, "dangling", 9, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_read_large(void)
{
	g_autoptr(CamRootfs) fs = make_rootfs();
	g_autofree char *content = g_strnfill(100000, 'x');
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = NULL;

	cam_memory_rootfs_add_file(CAM_MEMORY_ROOTFS(fs), "large", content, -1, 0644);
	bytes = cam_rootfs_read(fs, "large", G_MAXSIZE, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), content, 100000);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rootfs/lookup", test_lookup);
	g_test_add_func("/rootfs/links-stay-inside", test_links_stay_inside);
	g_test_add_func("/rootfs/nothing-there", test_nothing_there);
	g_test_add_func("/rootfs/name-outlives-trees", test_name_outlives_trees);
	g_test_add_func("/rootfs/read", test_read);
	g_test_add_func("/rootfs/read-large", test_read_large);
	return g_test_run();
}
