/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/command.h"

#include <string.h>

#include "snapshotter/snapshotter.h"

static void
check_options(const CamCommand *command, GHashTable *names)
{
	for (const CamOption *o = command->options; o != NULL && o->name != NULL; o++) {
		g_assert_nonnull(o->help);
		g_assert_cmpuint(strlen(o->help), >, 3);
		g_assert_true(g_ascii_islower(o->help[0]));
		g_assert_false(g_str_has_suffix(o->help, "."));
		g_assert_cmpuint(o->offset, <, command->options_size);
		g_assert_true((o->kind == CAM_OPTION_FLAG) == (o->value == NULL));
		g_assert_true((o->kind == CAM_OPTION_CHOICE) == (o->choices != NULL));
		/* Also that no command hides a global option. */
		g_assert_true(g_hash_table_add(names, g_strdup(o->name)));
		if (o->letter != 0)
			g_assert_true(g_hash_table_add(names, g_strdup_printf("-%c", o->letter)));
	}
}

/* Whatever people can run is explained. */
static void
test_table(void)
{
	for (guint i = 0; cam_commands[i] != NULL; i++) {
		const CamCommand *command = cam_commands[i];
		g_autoptr(GHashTable) names =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

		for (const CamOption *o = cam_global_options; o->name != NULL; o++) {
			g_hash_table_add(names, g_strdup(o->name));
			if (o->letter != 0)
				g_hash_table_add(names, g_strdup_printf("-%c", o->letter));
		}
		check_options(command, names);
		g_assert_nonnull(command->run);
		g_assert_true(cam_command_find(command->name) == command);
		g_assert_cmpuint(strlen(command->summary), >, 3);
		if (command->hidden)
			continue;
		g_assert_cmpuint(strlen(command->description), >, 40);
		g_assert_nonnull(command->examples);
		for (const CamExample *e = command->examples; e->command != NULL; e++) {
			g_assert_nonnull(strstr(e->command, command->name));
			g_assert_true(g_str_has_suffix(e->help, ".") ||
				      g_str_has_suffix(e->help, "?"));
		}
		for (const CamArgument *a = command->arguments; a != NULL && a->name != NULL; a++)
			g_assert_cmpuint(strlen(a->help), >, 3);
	}
}

static void
test_find(void)
{
	char *update[] = { "db", "update", "debian", NULL };
	char *scan[] = { "scan", "x", NULL };
	g_autoptr(GError) error = NULL;
	guint used;

	g_assert_cmpstr(cam_command_find_words(update, &used, &error)->name, ==, "db update");
	g_assert_cmpuint(used, ==, 2);
	g_assert_cmpstr(cam_command_find_words(scan, &used, &error)->name, ==, "scan");
	g_assert_cmpuint(used, ==, 1);
	g_assert_no_error(error);
}

static void
test_unknown(void)
{
	static const char *const cases[][3] = {
		{ "scna", NULL, "unknown command 'scna'; did you mean 'scan'?" },
		{ "db", "updat", "unknown command 'db updat'; did you mean 'db update'?" },
		{ "db", NULL, "'db' needs one more word: update, import, status, remove" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *words[] = { (char *) cases[i][0], (char *) cases[i][1], NULL };
		g_autoptr(GError) error = NULL;
		guint used;

		g_assert_null(cam_command_find_words(words, &used, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		g_assert_cmpstr(error->message, ==, cases[i][2]);
	}
}

static void
test_arguments(void)
{
	static const struct {
		const char *command;
		guint n;
		gboolean good;
	} cases[] = {
		{ "scan", 0, FALSE },	{ "scan", 1, TRUE },   { "scan", 2, FALSE },
		{ "rm", 0, FALSE },	{ "rm", 1, TRUE },     { "rm", 3, TRUE },
		{ "help", 0, TRUE },	{ "help", 3, TRUE },   { "images", 0, TRUE },
		{ "images", 1, FALSE }, { "export", 0, TRUE }, { "export", 3, FALSE },
		{ "diff", 1, FALSE },	{ "diff", 2, TRUE },   { "completion", 1, FALSE },
	};
	static const char *const words[] = { "a", "b", "c", NULL };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gboolean good = cam_command_check_arguments(cam_command_find(cases[i].command),
							    cases[i].n, words, &error);

		g_assert_true(good == cases[i].good);
		g_assert_true(good == (error == NULL));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/command/table", test_table);
	g_test_add_func("/command/find", test_find);
	g_test_add_func("/command/unknown", test_unknown);
	g_test_add_func("/command/arguments", test_arguments);
	return g_test_run();
}
