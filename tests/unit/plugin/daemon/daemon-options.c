/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/daemon-options.h"

#include <string.h>

#include "plugin/config.h"

static void
test_parse(void)
{
	char *argv[] = { (char *) "--root=/r",	 (char *) "--socket", (char *) "/s",
			 (char *) "--log-level", (char *) "debug",    NULL };
	CamDaemonOptions options = { 0 };
	CamOptionSet set = { cam_daemon_options, &options };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(cam_options_parse(&set, 1, argv, TRUE, NULL, &error), ==, 5);
	g_assert_no_error(error);
	g_assert_cmpstr(options.root, ==, "/r");
	g_assert_cmpstr(options.socket, ==, "/s");
	g_assert_cmpint(options.log_level, ==, CAM_LOG_DEBUG);
}

static void
test_help(void)
{
	g_autofree char *help = cam_daemon_help();

	for (const CamOption *o = cam_daemon_options; o->name != NULL; o++)
		g_assert_nonnull(strstr(help, o->name));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon-options/parse", test_parse);
	g_test_add_func("/daemon-options/help", test_help);
	return g_test_run();
}
