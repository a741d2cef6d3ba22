/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * path-exclude and path-include: the last that matches decides.
 */
#include "rebuild/pkgmgr/path-filter.h"

static void
test_rules(void)
{
	g_autoptr(CamPathFilter) filter = cam_path_filter_new();

	g_assert_false(cam_path_filter_excludes(filter, "usr/share/doc/x/README"));
	cam_path_filter_add(filter, "/usr/share/doc/*", TRUE);
	cam_path_filter_add(filter, "/usr/share/doc/*/copyright", FALSE);
	g_assert_true(cam_path_filter_excludes(filter, "usr/share/doc/x/README"));
	g_assert_false(cam_path_filter_excludes(filter, "usr/share/doc/x/copyright"));
	g_assert_false(cam_path_filter_excludes(filter, "usr/bin/x"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pkgmgr/path-filter/rules", test_rules);
	return g_test_run();
}
