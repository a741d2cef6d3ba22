/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/snapshotter.h"

/* The in-memory tree keeps the rules of identity that every CamRootfs keeps. */

static CamEntry
find(CamMemoryRootfs *fs, const char *path)
{
	g_autoptr(GError) error = NULL;
	CamEntry entry = { 0 };

	cam_rootfs_lookup(CAM_ROOTFS(fs), path, FALSE, NULL, &entry, &error);
	g_assert_no_error(error);
	return entry;
}

static void
assert_same(const CamSha256 *a, const CamSha256 *b, gboolean same)
{
	g_assert_cmpint(cam_sha256_equal(a, b), ==, same);
}

static void
assert_same_file(CamMemoryRootfs *fs, const CamEntry *file, const char *path, gboolean same)
{
	CamEntry other = find(fs, path);

	assert_same(&file->id, &other.id, same);
}

static void
test_file_identity(void)
{
	g_autoptr(CamMemoryRootfs) fs = cam_memory_rootfs_new();
	const CamStat owned = { .type = CAM_NODE_REGULAR, .mode = 0644, .uid = 1 };
	g_autoptr(GBytes) content = g_bytes_new_static("same", 4);
	CamEntry a;

	cam_memory_rootfs_add_file(fs, "a", "same", -1, 0644);
	cam_memory_rootfs_add_file(fs, "d/other-name", "same", -1, 0644);
	cam_memory_rootfs_add_file(fs, "mode", "same", -1, 0755);
	cam_memory_rootfs_add_file(fs, "content", "some", -1, 0644);
	cam_memory_rootfs_add_symlink(fs, "link", "same");
	cam_memory_rootfs_add(fs, "owner", &owned, content);
	a = find(fs, "a");
	assert_same(&a.id, &(CamSha256){ 0 }, FALSE);
	assert_same(&a.meta, &(CamSha256){ 0 }, TRUE);
	assert_same_file(fs, &a, "d/other-name", TRUE);
	assert_same_file(fs, &a, "mode", FALSE);
	assert_same_file(fs, &a, "content", FALSE);
	assert_same_file(fs, &a, "link", FALSE);
	assert_same_file(fs, &a, "owner", FALSE);
}

static void
test_tree_identity(void)
{
	g_autoptr(CamMemoryRootfs) fs = cam_memory_rootfs_new();
	const CamStat closed = { .type = CAM_NODE_DIRECTORY, .mode = 0700 };
	CamEntry one, two, before;

	cam_memory_rootfs_add_file(fs, "one/x", "x", -1, 0644);
	cam_memory_rootfs_add_file(fs, "two/x", "x", -1, 0644);
	cam_memory_rootfs_add(fs, "two", &closed, NULL);
	one = find(fs, "one");
	two = find(fs, "two");
	assert_same(&one.id, &two.id, TRUE);
	assert_same(&one.meta, &two.meta, FALSE);

	cam_rootfs_get_root(CAM_ROOTFS(fs), &before);
	cam_memory_rootfs_add_file(fs, "two/x", "y", -1, 0644);
	two = find(fs, "two");
	assert_same(&one.id, &two.id, FALSE);
	cam_memory_rootfs_add_file(fs, "two/x", "x", -1, 0644);
	two = find(fs, "");
	assert_same(&before.id, &two.id, TRUE);
	cam_memory_rootfs_remove(fs, "two/x");
	two = find(fs, "");
	assert_same(&before.id, &two.id, FALSE);
}

static void
test_old_entries_keep_their_meaning(void)
{
	g_autoptr(CamMemoryRootfs) fs = cam_memory_rootfs_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = NULL;
	CamEntry old;

	cam_memory_rootfs_add_file(fs, "x", "old", -1, 0644);
	old = find(fs, "x");
	cam_memory_rootfs_add_file(fs, "x", "new", -1, 0644);
	find(fs, "x");
	bytes = cam_rootfs_read_entry(CAM_ROOTFS(fs), &old, 100, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "old", 3);
}

static void
test_stat(void)
{
	g_autoptr(CamMemoryRootfs) fs = cam_memory_rootfs_new();
	GVariant *xattrs = g_variant_new_parsed("[(b'user.a', [byte 1, 2])]");
	const CamStat device = { .type = CAM_NODE_CHARACTER,
				 .mode = 0666,
				 .rdev_major = 1,
				 .rdev_minor = 3,
				 .xattrs = xattrs };
	g_autoptr(GError) error = NULL;
	g_auto(CamStat) st = { 0 }, file = { 0 };
	CamSha256 digest;
	char hex[65];
	CamEntry entry;

	cam_memory_rootfs_add(fs, "dev/null", &device, NULL);
	cam_memory_rootfs_add_file(fs, "file", "abc", -1, 04755);
	entry = find(fs, "dev/null");
	g_assert_true(cam_rootfs_stat(CAM_ROOTFS(fs), &entry, &st, &error));
	g_assert_cmpint(st.type, ==, CAM_NODE_CHARACTER);
	g_assert_cmpuint(st.rdev_minor, ==, 3);
	g_assert_cmpuint(g_variant_n_children(st.xattrs), ==, 1);
	g_assert_null(cam_rootfs_open(CAM_ROOTFS(fs), &entry, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);

	entry = find(fs, "file");
	g_assert_true(cam_rootfs_stat(CAM_ROOTFS(fs), &entry, &file, NULL));
	g_assert_cmpuint(file.size, ==, 3);
	g_assert_cmpuint(file.mode, ==, 04755);
	g_assert_true(cam_rootfs_content_sha256(CAM_ROOTFS(fs), &entry, &digest, NULL));
	cam_sha256_to_hex(&digest, hex);
	g_assert_cmpstr(hex, ==,
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memory-rootfs/file-identity", test_file_identity);
	g_test_add_func("/memory-rootfs/tree-identity", test_tree_identity);
	g_test_add_func("/memory-rootfs/old-entries", test_old_entries_keep_their_meaning);
	g_test_add_func("/memory-rootfs/stat", test_stat);
	return g_test_run();
}
