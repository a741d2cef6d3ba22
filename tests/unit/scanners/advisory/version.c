/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/version.h"

#include <string.h>

static int
sign(int order)
{
	return order < 0 ? -1 : order > 0;
}

static void
test_deb(void)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{ "1.0", "1.0-0", 0 },
		{ "1.0", "0:1.0", 0 },
		{ "1:0.1", "9", 1 },
		{ "1.0~rc1", "1.0", -1 },
		{ "1.0~~", "1.0~", -1 },
		{ "1.0-1~bpo1", "1.0-1", -1 },
		{ "1.0+b1", "1.0", 1 },
		{ "1.00010", "1.9", 1 },
		{ "1.a", "1.+", -1 },
		{ "1.0-1-2", "1.0-1-1", 1 },
		{ "99999999999999999999999", "99999999999999999999998", 1 },
		{ "00000000000000000000001:1", "1:1", 0 },
		{ "", "", 0 },
		{ "", "~", 1 },
		{ ":", "a:1", 1 },
		{ "-", "0", 0 },
		{ "1\303\251", "1z", 1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpint(sign(cam_version_compare_deb(cases[i].a, cases[i].b)), ==,
				cases[i].order);
		g_assert_cmpint(sign(cam_version_compare_deb(cases[i].b, cases[i].a)), ==,
				-cases[i].order);
	}
}

static void
check_table(const char *file)
{
	const char *shared = g_getenv("CAM_SHARED");
	g_autofree char *path = g_build_filename(shared != NULL ? shared : "/nonexistent", "data",
						 "version-order", file, NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	guint checked = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL)) {
		g_test_skip("the shared version table is not here");
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	for (gsize i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
		int expected;

		if (g_strv_length(words) != 3)
			continue;
		expected = words[1][0] == '<' ? -1 : words[1][0] == '>' ? 1 : 0;
		if (sign(cam_version_compare_deb(words[0], words[2])) != expected)
			g_test_message("%s:%" G_GSIZE_FORMAT ": %s", file, i + 1, lines[i]);
		g_assert_cmpint(sign(cam_version_compare_deb(words[0], words[2])), ==, expected);
		g_assert_cmpint(sign(cam_version_compare_deb(words[2], words[0])), ==, -expected);
		checked++;
	}
	g_assert_cmpuint(checked, >, 5);
}

static void
test_table(void)
{
	check_table("debian-versions.txt");
}

static void
test_generated_table(void)
{
	check_table("debian-versions-generated.txt");
}

static void
test_ecosystems(void)
{
	g_assert_true(cam_version_compare_for_ecosystem("Debian:12") == cam_version_compare_deb);
	g_assert_true(cam_version_compare_for_ecosystem("Debian") == cam_version_compare_deb);
	g_assert_true(cam_version_compare_for_ecosystem("Ubuntu:22.04:LTS") ==
		      cam_version_compare_deb);
	g_assert_null(cam_version_compare_for_ecosystem("Debianish:12"));
	g_assert_null(cam_version_compare_for_ecosystem("npm"));
	g_assert_null(cam_version_compare_for_ecosystem(""));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/version/deb", test_deb);
	g_test_add_func("/version/table", test_table);
	g_test_add_func("/version/generated-table", test_generated_table);
	g_test_add_func("/version/ecosystems", test_ecosystems);
	return g_test_run();
}
