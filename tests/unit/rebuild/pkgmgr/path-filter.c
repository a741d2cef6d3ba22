/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * path-exclude and path-include, as dpkg reads them.
 */
#include "rebuild/pkgmgr/path-filter.h"

#include <string.h>

static void
test_rules(void)
{
	static const char config[] = "# small\n"
				     "path-exclude=/usr/share/doc/*\n"
				     "path-include=/usr/share/doc/*/copyright\n"
				     "  path-exclude \"/usr/share/man/*\"  \n"
				     "path-excluded=/usr/*\n"
				     "no-debsig\n";
	g_autoptr(CamPathFilter) filter = cam_path_filter_new();

	g_assert_false(cam_path_filter_excludes(filter, "usr/share/doc/x/README"));
	cam_path_filter_parse(filter, config, strlen(config));
	g_assert_true(cam_path_filter_excludes(filter, "usr/share/doc/x/README"));
	g_assert_false(cam_path_filter_excludes(filter, "usr/share/doc/x/copyright"));
	g_assert_true(cam_path_filter_excludes(filter, "usr/share/man/man1/x.1.gz"));
	g_assert_false(cam_path_filter_excludes(filter, "usr/bin/x"));
}

static void
test_read(void)
{
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(CamPathFilter) filter = NULL;

	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg.d/docker",
				   "path-exclude=/a/*\npath-exclude=/b/*\n", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg.d/x.dpkg-old", "path-exclude=/c/*\n",
				   -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/dpkg/dpkg.cfg", "path-include=/b/*\n", -1, 0644);
	filter = cam_path_filter_read(CAM_ROOTFS(rootfs), &error);
	g_assert_no_error(error);
	g_assert_true(cam_path_filter_excludes(filter, "a/x"));
	g_assert_false(cam_path_filter_excludes(filter, "b/x"));
	g_assert_false(cam_path_filter_excludes(filter, "c/x"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pkgmgr/path-filter/rules", test_rules);
	g_test_add_func("/pkgmgr/path-filter/read", test_read);
	return g_test_run();
}
