/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/apt/deb822.h"

#include <string.h>

static void
assert_field(CamDeb822 *reader, const char *field, const char *expected)
{
	g_autofree char *value = cam_deb822_dup(reader, field);

	g_assert_cmpstr(value, ==, expected);
}

static void
test_paragraphs(void)
{
	static const char text[] = "\n# a comment\nPackage: a\nVersion:1\nDescription: first\n"
				   " second line\n .\n\n \t\nPackage:   b  \r\nEmpty:\r\n"
				   "no field here\nPaCkAgE: later\n\n\nPackage: c";
	g_auto(CamDeb822) reader = { 0 };
	const char *raw;
	gsize size;

	cam_deb822_init(&reader, text, sizeof(text) - 1);
	g_assert_true(cam_deb822_next(&reader));
	g_assert_cmpuint(reader.line, ==, 3);
	assert_field(&reader, "package", "a");
	assert_field(&reader, "Version", "1");
	assert_field(&reader, "Description", "first\nsecond line\n.");
	assert_field(&reader, "Missing", NULL);
	raw = cam_deb822_raw(&reader, &size);
	g_assert_true(g_str_has_prefix(raw, "Package: a\n"));
	g_assert_true(strncmp(raw + size - 3, "\n .", 3) == 0);
	g_assert_true(cam_deb822_next(&reader));
	g_assert_cmpuint(reader.line, ==, 10);
	assert_field(&reader, "Package", "b");
	assert_field(&reader, "Empty", "");
	g_assert_true(cam_deb822_next(&reader));
	assert_field(&reader, "Package", "c");
	g_assert_false(cam_deb822_next(&reader));
	g_assert_false(cam_deb822_next(&reader));
}

static void
test_comment_inside(void)
{
	static const char text[] = "List:\n a\n# not this\n b\n#nor this\nNext: 1\n";
	g_auto(CamDeb822) reader = { 0 };

	cam_deb822_init(&reader, text, sizeof(text) - 1);
	g_assert_true(cam_deb822_next(&reader));
	assert_field(&reader, "List", "\na\nb");
	assert_field(&reader, "Next", "1");
}

static void
test_hostile(void)
{
	static const char *const texts[] = {
		"",	      "\n\n\n", ":", " continued", ":\n:\n",
		"\r\n\r\r\n", "a",	"#", "a:\n",	   " \n a: b"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *copy = g_strdup(texts[i]);
		g_auto(CamDeb822) reader = { 0 };

		cam_deb822_init(&reader, copy, strlen(copy));
		while (cam_deb822_next(&reader))
			assert_field(&reader, "absent", NULL);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deb822/paragraphs", test_paragraphs);
	g_test_add_func("/deb822/comment-inside", test_comment_inside);
	g_test_add_func("/deb822/hostile", test_hostile);
	return g_test_run();
}
