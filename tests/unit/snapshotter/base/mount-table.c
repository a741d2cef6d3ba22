/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories that are mounted are found in the table, however they are written there. */
#include "snapshotter/base/mount-table.h"

#include "../snapshots/fixture.h"

static void
test_mentions(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *top = NULL, *volume = NULL, *seven = NULL, *fs = NULL, *work = NULL;
	g_autofree char *other = NULL, *target = NULL, *options = NULL;

	if (!fixture_enter_mount_namespace())
		return;
	top = g_dir_make_tmp("cam-XXXXXX", &error);
	g_assert_no_error(error);
	/* A file system of its own, and a blank in its path. */
	volume = fixture_make_dir(top, "a volume");
	target = fixture_make_dir(top, "target");
	g_assert_no_errno(mount("tmpfs", volume, "tmpfs", 0, NULL));
	seven = fixture_make_dir(volume, "7");
	fs = fixture_make_dir(seven, "fs");
	work = fixture_make_dir(seven, "work");
	other = fixture_make_dir(seven, "other");
	g_assert_false(cam_mount_table_mentions(fs));

	g_assert_no_errno(mount(fs, target, NULL, MS_BIND, NULL));
	g_assert_true(cam_mount_table_mentions(fs));
	g_assert_false(cam_mount_table_mentions(other));
	g_assert_no_errno(umount2(target, 0));
	g_assert_false(cam_mount_table_mentions(fs));

	options = g_strdup_printf("lowerdir=%s,upperdir=%s,workdir=%s", other, fs, work);
	g_assert_no_errno(mount("overlay", target, "overlay", 0, options));
	g_assert_true(cam_mount_table_has_option("upperdir", fs));
	g_assert_false(cam_mount_table_has_option("upperdir", other));
	g_assert_true(cam_mount_table_mentions(fs));
	g_assert_true(cam_mount_table_mentions(other));
	g_assert_no_errno(umount2(target, 0));
	g_assert_false(cam_mount_table_has_option("upperdir", fs));
	g_assert_no_errno(umount2(volume, 0));
	fixture_remove_tree(top);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mount-table/mentions", test_mentions);
	return g_test_run();
}
