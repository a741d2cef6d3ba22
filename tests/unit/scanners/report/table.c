/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

#include <string.h>

/* Tables fit a width, and nothing in a cell gets out of it. */

static const char *const headings[] = { "NAME", "SIZE", "NOTE", NULL };

static void
assert_table(CamTable *table, guint width, gboolean colour, const char *expected)
{
	const CamTableStyle style = { .width = width, .colour = colour };
	g_autofree char *text = cam_table_format(table, &style);

	g_assert_cmpstr(text, ==, expected);
}

static void
add(CamTable *table, const char *name, const char *size, const char *note)
{
	const char *values[] = { name, size, note };

	cam_table_add_row(table, values);
}

static void
test_columns(void)
{
	g_autoptr(CamTable) table = cam_table_new(headings);

	add(table, "a", "1", "first");
	add(table, "漢字", "1000", NULL);
	add(table, NULL, "20", "third");
	cam_table_align_right(table, 1);
	assert_table(table, 0, FALSE,
		     "NAME  SIZE  NOTE\n"
		     "a        1  first\n"
		     "漢字  1000\n"
		     "        20  third\n");
	assert_table(table, 0, TRUE,
		     "\033[1mNAME  SIZE  NOTE\033[0m\n"
		     "a        1  first\n"
		     "漢字  1000\n"
		     "        20  third\n");
}

static void
test_narrow(void)
{
	g_autoptr(CamTable) table = cam_table_new(headings);

	add(table, "a name that is long", "1", "and a note that is longer still");
	assert_table(table, 30, FALSE,
		     "NAME         SIZE  NOTE\n"
		     "a name tha…  1     and a note…\n");
	/* Narrower than anything can be: columns keep what says something. */
	assert_table(table, 5, FALSE,
		     "NAME    SIZE  NOTE\n"
		     "a nam…  1     and a…\n");
}

static void
test_hostile_cells(void)
{
	g_autoptr(CamTable) table = cam_table_new(headings);

	add(table, "\033[2J", "1\n2", "\xff");
	assert_table(table, 0, FALSE,
		     "NAME     SIZE    NOTE\n"
		     "\\x1b[2J  1\\x0a2  \\xff\n");
}

static void
test_empty(void)
{
	g_autoptr(CamTable) table = cam_table_new(headings);

	assert_table(table, 80, FALSE, "NAME  SIZE  NOTE\n");
}

static void
test_every_width(void)
{
	g_autoptr(CamTable) table = cam_table_new(headings);

	add(table, "some words", "123456", "漢字漢字漢字漢字漢字");
	for (guint width = 22; width < 60; width++) {
		const CamTableStyle style = { .width = width };
		g_autofree char *text = cam_table_format(table, &style);
		g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

		for (char **line = lines; *line != NULL; line++)
			g_assert_cmpuint(cam_text_width(*line), <=, width);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/table/columns", test_columns);
	g_test_add_func("/table/narrow", test_narrow);
	g_test_add_func("/table/hostile-cells", test_hostile_cells);
	g_test_add_func("/table/empty", test_empty);
	g_test_add_func("/table/every-width", test_every_width);
	return g_test_run();
}
