/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rebuild/rebuild.h"

#include <string.h>

/* What differs between two trees, and that what is equal is not looked at. */

static void
assert_diff(CamMemoryRootfs *before, CamMemoryRootfs *after, const char *expected,
	    CamTreeDiffCounts *counts)
{
	static const char kinds[] = "+-~";
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) changes =
		cam_diff_trees(CAM_ROOTFS(before), CAM_ROOTFS(after), counts, NULL, &error);
	g_autoptr(GString) text = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < changes->len; i++) {
		const CamPathChange *change = changes->pdata[i];

		g_string_append_printf(text, "%c%s%s", kinds[change->kind], change->path,
				       change->is_directory ? "/" : "");
		if (change->aspects != 0)
			g_string_append_printf(text, "=%u", change->aspects);
		g_string_append_c(text, ' ');
	}
	g_assert_cmpstr(g_strchomp(text->str), ==, expected);
}

static CamMemoryRootfs *
make_tree(void)
{
	CamMemoryRootfs *fs = cam_memory_rootfs_new();

	cam_memory_rootfs_add_file(fs, "etc/same", "same", -1, 0644);
	cam_memory_rootfs_add_file(fs, "usr/bin/a", "a", -1, 0755);
	cam_memory_rootfs_add_file(fs, "usr/share/doc/x", "x", -1, 0644);
	return fs;
}

static void
test_equal(void)
{
	g_autoptr(CamMemoryRootfs) before = make_tree(), after = make_tree();
	CamTreeDiffCounts counts;

	assert_diff(before, after, "", &counts);
	g_assert_cmpuint(counts.compared, ==, 0);
	g_assert_cmpuint(counts.skipped, ==, 1);
}

static void
test_one_file(void)
{
	g_autoptr(CamMemoryRootfs) before = make_tree(), after = make_tree();
	CamTreeDiffCounts counts;

	cam_memory_rootfs_add_file(after, "usr/bin/a", "b", -1, 0755);
	assert_diff(before, after, "~usr/bin/a=2", &counts);
	g_assert_cmpuint(counts.compared, ==, 3); /* root, usr, usr/bin */
	g_assert_cmpuint(counts.skipped, ==, 2);  /* etc, usr/share */
}

static void
test_aspects(void)
{
	g_autoptr(CamMemoryRootfs) before = make_tree(), after = make_tree();
	g_autoptr(GBytes) content = g_bytes_new_static("x", 1);
	const CamStat all = { .type = CAM_NODE_REGULAR,
			      .mode = 0600,
			      .uid = 7,
			      .xattrs = g_variant_new_parsed("[(b'user.a', [byte 1])]") };
	const CamStat directory = { .type = CAM_NODE_DIRECTORY, .mode = 01777 };
	CamTreeDiffCounts counts;

	cam_memory_rootfs_add_file(after, "usr/bin/a", "a", -1, 04755);
	cam_memory_rootfs_add(after, "usr/share/doc/x", &all, content);
	cam_memory_rootfs_add(after, "etc", &directory, NULL);
	cam_memory_rootfs_add_symlink(before, "link", "a");
	cam_memory_rootfs_add_symlink(after, "link", "b");
	assert_diff(before, after, "~etc/=4 ~link=2 ~usr/bin/a=4 ~usr/share/doc/x=28", &counts);
}

static void
test_added_and_removed(void)
{
	g_autoptr(CamMemoryRootfs) before = make_tree(), after = make_tree();
	CamTreeDiffCounts counts;

	cam_memory_rootfs_add_file(after, "opt/app/bin", "x", -1, 0755);
	cam_memory_rootfs_remove(after, "usr/share");
	assert_diff(before, after,
		    "+opt/ +opt/app/ +opt/app/bin -usr/share/ -usr/share/doc/ -usr/share/doc/x",
		    &counts);
}

static void
test_type(void)
{
	g_autoptr(CamMemoryRootfs) before = make_tree(), after = make_tree();
	CamTreeDiffCounts counts;

	cam_memory_rootfs_remove(after, "usr/share");
	cam_memory_rootfs_add_symlink(after, "usr/share", "/elsewhere");
	cam_memory_rootfs_remove(after, "usr/bin/a");
	cam_memory_rootfs_add_file(after, "usr/bin/a/b", "x", -1, 0644);
	assert_diff(before, after,
		    "~usr/bin/a/=1 +usr/bin/a/b ~usr/share=1 -usr/share/doc/ -usr/share/doc/x",
		    &counts);
}

static void
test_cancelled(void)
{
	g_autoptr(CamMemoryRootfs) before = make_tree(), after = make_tree();
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	cam_memory_rootfs_remove(after, "etc");
	g_cancellable_cancel(cancellable);
	g_assert_null(
		cam_diff_trees(CAM_ROOTFS(before), CAM_ROOTFS(after), NULL, cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tree-diff/equal", test_equal);
	g_test_add_func("/tree-diff/one-file", test_one_file);
	g_test_add_func("/tree-diff/aspects", test_aspects);
	g_test_add_func("/tree-diff/added-and-removed", test_added_and_removed);
	g_test_add_func("/tree-diff/type", test_type);
	g_test_add_func("/tree-diff/cancelled", test_cancelled);
	return g_test_run();
}
