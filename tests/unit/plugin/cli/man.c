/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/man.h"

#include <string.h>

#include "plugin/config.h"

/* Nothing that the text has may look like a request of roff. */
static void
check_roff(const char *text)
{
	static const char *const requests[] = { ".TH ", ".SH ", ".PP", ".TP", ".B ", ".BR " };
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	g_assert_true(g_str_has_prefix(text, ".TH "));
	for (guint i = 0; lines[i] != NULL; i++) {
		gboolean known = lines[i][0] != '.' && lines[i][0] != '\'';

		for (guint r = 0; r < G_N_ELEMENTS(requests); r++)
			known |= g_str_has_prefix(lines[i], requests[r]);
		if (!known)
			g_error("not a request that we use: %s", lines[i]);
	}
}

static void
test_pages(void)
{
	g_autofree char *overview = cam_man_overview();
	g_autofree char *config = cam_man_config();
	g_autofree char *daemon = cam_man_daemon();

	check_roff(daemon);
	check_roff(overview);
	check_roff(config);
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		g_autofree char *page = cam_man_for_command(cam_commands[i]);
		g_autofree char *name = cam_man_name(cam_commands[i]);

		g_assert_null(strchr(name, ' '));
		check_roff(page);
	}
}

static void
test_config(void)
{
	g_autofree char *page = cam_man_config();

	for (const CamConfigKey *k = cam_config_keys; k->group != NULL; k++) {
		g_autofree char *term = g_strdup_printf("\n.B %s\n", k->key);

		g_assert_nonnull(strstr(page, term));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/man/pages", test_pages);
	g_test_add_func("/man/config", test_config);
	return g_test_run();
}
