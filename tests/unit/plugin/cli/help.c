/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/help.h"

#include <string.h>

static void
test_fill(void)
{
	g_autofree char *filled = cam_text_fill("one two\nthree four\n\nnew paragraph", 2, 14);
	g_autofree char *wide = cam_text_fill("größer als größer", 0, 10);

	g_assert_cmpstr(filled, ==, "  one two\n  three four\n\n  new\n  paragraph\n");
	g_assert_cmpstr(wide, ==, "größer als\ngrößer\n");
}

static void
check_width(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i] != NULL; i++)
		g_assert_cmpint(g_utf8_strlen(lines[i], -1), <=, 100);
}

static void
test_overview(void)
{
	g_autofree char *text = cam_help_overview();

	for (guint i = 0; cam_commands[i] != NULL; i++) {
		g_autofree char *line = g_strdup_printf("\n  %s ", cam_commands[i]->name);

		g_assert_true((strstr(text, line) != NULL) == !cam_commands[i]->hidden);
	}
	check_width(text);
}

/* Every option, argument and example of every command is in its help. */
static void
test_commands(void)
{
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		const CamCommand *command = cam_commands[i];
		g_autofree char *text = cam_help_for_command(command);

		for (const CamOption *o = command->options; o != NULL && o->name != NULL; o++) {
			g_autofree char *form = cam_option_to_string(o);

			g_assert_nonnull(strstr(text, form));
		}
		for (const CamExample *e = command->examples; e != NULL && e->command != NULL; e++)
			g_assert_nonnull(strstr(text, e->command));
		check_width(text);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/help/fill", test_fill);
	g_test_add_func("/help/overview", test_overview);
	g_test_add_func("/help/commands", test_commands);
	return g_test_run();
}
