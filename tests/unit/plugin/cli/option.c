/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/option.h"

#include <string.h>

#include "snapshotter/snapshotter.h"

static const char *const colours[] = { "red", "green", NULL };

typedef struct {
	gboolean quiet, verbose;
	const char *store;
	GPtrArray *only;
	int colour;
} Options;

static const CamOption table[] = {
	{ "quiet", 'q', CAM_OPTION_FLAG, G_STRUCT_OFFSET(Options, quiet), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "" },
	{ "verbose", 'v', CAM_OPTION_FLAG, G_STRUCT_OFFSET(Options, verbose), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "" },
	{ "store", 's', CAM_OPTION_TEXT, G_STRUCT_OFFSET(Options, store), "DIR", NULL,
	  CAM_COMPLETE_DIRECTORY, "" },
	{ "only", 0, CAM_OPTION_LIST, G_STRUCT_OFFSET(Options, only), "ID", NULL,
	  CAM_COMPLETE_NOTHING, "" },
	{ "colour", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(Options, colour), "COLOUR", colours,
	  CAM_COMPLETE_CHOICES, "" },
	{ NULL },
};

/* Parses a line of words parted by blanks. */
static int
parse(const char *line, Options *options, GPtrArray *arguments, gboolean only_before,
      GError **error)
{
	CamOptionSet set = { table, options };
	/* What the options point to stays until the test program ends. */
	char **argv = g_strsplit(line, " ", -1);
	static GPtrArray *kept;

	if (kept == NULL)
		kept = g_ptr_array_new();
	g_ptr_array_add(kept, argv);
	return cam_options_parse(&set, 1, argv, only_before, arguments, error);
}

static void
test_forms(void)
{
	static const char *const lines[] = {
		"-q --store here --only a --only=b --colour green one two",
		"one -qs here --only=a two --only b --colour=GREEN",
		"--quiet one -shere two --colour green --only a --only b",
	};

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		Options options = { 0 };
		CamOptionSet set = { table, &options };
		g_autoptr(GPtrArray) arguments = g_ptr_array_new();
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(parse(lines[i], &options, arguments, FALSE, &error), >, 0);
		g_assert_no_error(error);
		g_assert_true(options.quiet);
		g_assert_false(options.verbose);
		g_assert_cmpstr(options.store, ==, "here");
		g_assert_cmpuint(options.only->len, ==, 2);
		g_assert_cmpstr(options.only->pdata[0], ==, "a");
		g_assert_cmpstr(options.only->pdata[1], ==, "b");
		g_assert_null(options.only->pdata[2]);
		g_assert_cmpint(options.colour, ==, 2);
		g_assert_cmpuint(arguments->len, ==, 2);
		g_assert_cmpstr(arguments->pdata[1], ==, "two");
		cam_options_clear(&set);
		g_assert_null(options.only);
	}
}

static void
test_ends(void)
{
	Options options = { 0 };
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(parse("-q scan -v", &options, NULL, TRUE, &error), ==, 1);
	g_assert_false(options.verbose);
	g_assert_cmpint(parse("-- -v --store", &options, arguments, FALSE, &error), ==, 3);
	g_assert_false(options.verbose);
	g_assert_cmpuint(arguments->len, ==, 2);
	g_assert_cmpint(parse("-", &options, arguments, FALSE, &error), ==, 1);
	g_assert_cmpstr(arguments->pdata[2], ==, "-");
}

static void
test_mistakes(void)
{
	static const char *const cases[][2] = {
		{ "--stroe x", "unknown option '--stroe'; did you mean '--store'?" },
		{ "--stroe=x", "unknown option '--stroe'; did you mean '--store'?" },
		{ "--zzz", "unknown option '--zzz'" },
		{ "-z", "unknown option '-z'" },
		{ "-qz", "unknown option '-z'" },
		{ "--store", "option '--store' needs a value: --store DIR" },
		{ "-s", "option '--store' needs a value: --store DIR" },
		{ "--quiet=yes", "option '--quiet' takes no value" },
		{ "--colour blue", "--colour: 'blue' is not one of red, green" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Options options = { 0 };
		g_autoptr(GPtrArray) arguments = g_ptr_array_new();
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(parse(cases[i][0], &options, arguments, FALSE, &error), ==, -1);
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		g_assert_cmpstr(error->message, ==, cases[i][1]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/option/forms", test_forms);
	g_test_add_func("/option/ends", test_ends);
	g_test_add_func("/option/mistakes", test_mistakes);
	return g_test_run();
}
