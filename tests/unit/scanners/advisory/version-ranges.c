/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/version-ranges.h"

/* Events as "i0 f1.2", ranges parted by ";", single versions as "=1". */
static char *
build(const char *text, CamVersionCompare compare)
{
	CamVersionRanges *ranges = cam_version_ranges_new(compare);
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	cam_version_ranges_begin(ranges);
	for (gsize i = 0; words[i] != NULL; i++) {
		if (g_str_equal(words[i], ";"))
			cam_version_ranges_begin(ranges);
		else if (words[i][0] == '=')
			cam_version_ranges_add_version(ranges, words[i] + 1);
		else if (words[i][0] != '\0')
			cam_version_ranges_add_event(ranges, words[i][0], words[i] + 1);
	}
	return cam_version_ranges_finish(ranges);
}

static void
test_match(void)
{
	static const struct {
		const char *ranges, *version;
		gboolean affected;
		const char *fixed;
	} cases[] = {
		{ "i0 f1.2-3", "1.2-2", TRUE, "1.2-3" },
		{ "i0 f1.2-3", "1.2-3", FALSE, NULL },
		{ "i0 f1.2-3", "1.2-4", FALSE, NULL },
		{ "i0 f1.2-3", "0~rc1", TRUE, "1.2-3" },
		{ "i0", "99", TRUE, NULL },
		{ "i2 f3", "1", FALSE, NULL },
		{ "i2 f3", "2", TRUE, "3" },
		{ "f3 i2", "2.5", TRUE, "3" },
		{ "i0 f1 i2 f3", "1.5", FALSE, NULL },
		{ "i0 f1 i2 f3", "0.5", TRUE, "1" },
		{ "i0 f1 i2 f3", "2.5", TRUE, "3" },
		{ "i0 f1 i2", "2.5", TRUE, NULL },
		{ "i0 l1.5", "1.5", TRUE, NULL },
		{ "i0 l1.5", "1.5-1", FALSE, NULL },
		{ "i0 t2", "1", TRUE, NULL },
		{ "i0 t2", "2", FALSE, NULL },
		{ "i0 f5 ; i0 f3", "1", TRUE, "3" },
		{ "i0 f5 ; i0 f3", "4", TRUE, "5" },
		{ "i0 f1 =3", "3", TRUE, NULL },
		{ "i0 f1 =3", "2", FALSE, NULL },
		{ "=1.0", "1.0-0", TRUE, NULL },
		{ "", "1", FALSE, NULL },
		{ "f3", "1", FALSE, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *ranges = build(cases[i].ranges, cam_version_compare_deb);
		g_autofree char *fixed = NULL;
		gboolean affected = cam_version_ranges_match(ranges, cam_version_compare_deb,
							     cases[i].version, &fixed);

		if (affected != cases[i].affected || g_strcmp0(fixed, cases[i].fixed) != 0)
			g_test_message("%s: %s", cases[i].ranges, cases[i].version);
		g_assert_cmpint(affected, ==, cases[i].affected);
		g_assert_cmpstr(fixed, ==, cases[i].fixed);
	}
}

/* Lists that only repeat what the range says are not kept. */
static void
test_covered_versions(void)
{
	g_autofree char *ranges = build("i0 f3 =1 =2 =3 =4", cam_version_compare_deb);

	g_assert_cmpstr(ranges, ==, "r\ni 0\nf 3\n= 3\n= 4\n");
}

static void
test_without_order(void)
{
	g_autofree char *ranges = build("i0 f3 =1 =2", NULL);

	g_assert_cmpstr(ranges, ==, "= 1\n= 2\n");
	g_assert_true(cam_version_ranges_match(ranges, NULL, "2", NULL));
	g_assert_false(cam_version_ranges_match(ranges, NULL, "2.0", NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/version-ranges/match", test_match);
	g_test_add_func("/version-ranges/covered-versions", test_covered_versions);
	g_test_add_func("/version-ranges/without-order", test_without_order);
	return g_test_run();
}
