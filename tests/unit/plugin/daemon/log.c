/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/log.h"

static void
test_format(void)
{
	g_autofree char *line =
		cam_log_format(1767225600 * G_TIME_SPAN_SECOND + 7 * G_TIME_SPAN_MILLISECOND + 999,
			       CAM_LOG_WARNING, "key 'a\nb\x1b[31m' is odd");

	g_assert_cmpstr(line, ==,
			"2026-01-01T00:00:00.007Z warning: key 'a\\x0ab\\x1b[31m' is odd\n");
}

static void
tell(void)
{
	g_debug("a detail");
	g_log("GLib-GIO", G_LOG_LEVEL_DEBUG, "a library's detail");
	g_info("so it goes");
	g_message("started");
	g_log(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "odd");
	g_log(G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "broken");
}

static void
test_levels_child(void)
{
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
	cam_log_start(CAM_LOG_ERROR);
	tell();
	cam_log_set_level(CAM_LOG_DEBUG);
	tell();
}

static void
test_levels(void)
{
	g_test_trap_subprocess("/log/levels/child", 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("*Z error: broken\n"
				  "*Z debug: a detail\n"
				  "*Z info: so it goes\n"
				  "*Z info: started\n"
				  "*Z warning: odd\n"
				  "*Z error: broken\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/format", test_format);
	g_test_add_func("/log/levels", test_levels);
	g_test_add_func("/log/levels/child", test_levels_child);
	return g_test_run();
}
