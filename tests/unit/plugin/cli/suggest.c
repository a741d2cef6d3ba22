/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/cli/suggest.h"

static void
test_distance(void)
{
	g_assert_cmpuint(cam_edit_distance("scan", "scan"), ==, 0);
	g_assert_cmpuint(cam_edit_distance("scna", "scan"), ==, 1);
	g_assert_cmpuint(cam_edit_distance("scn", "scan"), ==, 1);
	g_assert_cmpuint(cam_edit_distance("scaan", "scan"), ==, 1);
	g_assert_cmpuint(cam_edit_distance("skan", "scan"), ==, 1);
	g_assert_cmpuint(cam_edit_distance("", "scan"), ==, 4);
	g_assert_cmpuint(cam_edit_distance("kitten", "sitting"), ==, 3);
}

static void
test_long_words(void)
{
	g_autofree char *longest = g_strnfill(64, 'a');
	g_autofree char *longer = g_strnfill(65, 'a');

	g_assert_cmpuint(cam_edit_distance(longest, ""), ==, 64);
	g_assert_cmpuint(cam_edit_distance(longer, longer), ==, 0);
	g_assert_cmpuint(cam_edit_distance(longer, "a"), ==, G_MAXUINT);
}

static void
test_suggest(void)
{
	static const char *const words[] = { "import", "images", "inspect", "scan", "gc", NULL };
	static const char *const none[] = { NULL };

	g_assert_cmpstr(cam_suggest("scna", words), ==, "scan");
	g_assert_cmpstr(cam_suggest("improt", words), ==, "import");
	g_assert_cmpstr(cam_suggest("imag", words), ==, "images");
	g_assert_cmpstr(cam_suggest("cg", words), ==, "gc");
	g_assert_null(cam_suggest("frobnicate", words));
	g_assert_null(cam_suggest("", words));
	g_assert_null(cam_suggest("scan", none));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/suggest/distance", test_distance);
	g_test_add_func("/suggest/long-words", test_long_words);
	g_test_add_func("/suggest/suggest", test_suggest);
	return g_test_run();
}
