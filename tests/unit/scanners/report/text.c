/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

/* Text for terminals: harmless, measured in columns. */

static void
assert_escaped(const char *text, const char *expected)
{
	g_autofree char *escaped = cam_text_escape(text);

	g_assert_cmpstr(escaped, ==, expected);
	g_assert_true(g_utf8_validate(escaped, -1, NULL));
}

static void
test_escape(void)
{
	assert_escaped("plain – ünïcode → 漢字", "plain – ünïcode → 漢字");
	assert_escaped("\033[2J\033]0;title\a", "\\x1b[2J\\x1b]0;title\\x07");
	assert_escaped("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
	assert_escaped("\xc2\x9b"
		       "31m",
		       "\\u{009b}31m");
	assert_escaped("\xff\xc3(", "\\xff\\xc3(");
	assert_escaped("cut \xe6\xbc", "cut \\xe6\\xbc");
	assert_escaped("evil\u202egpj.exe", "evil\\u{202e}gpj.exe");
	assert_escaped("\u2066x\u2069\u200f\u061c", "\\u{2066}x\\u{2069}\\u{200f}\\u{061c}");
	assert_escaped("line\u2028sep\ufeff", "line\\u{2028}sep\\u{feff}");
	assert_escaped("", "");
}

/* It stays the same document, and nothing in it steers a terminal. */
static void
test_escape_json(void)
{
	static const char text[] = "{ \"a\": \"\\u001b[2J \xc2\x9b"
				   "31m \x7f \u202e ünï → 漢字 😀\" }\n";
	g_autofree char *escaped = cam_text_escape_json(text);

	g_assert_cmpstr(escaped, ==,
			"{ \"a\": \"\\u001b[2J \\u009b31m \\u007f \\u202e ünï → 漢字 😀\" }\n");
}

static void
test_width(void)
{
	g_assert_cmpuint(cam_text_width("abc"), ==, 3);
	g_assert_cmpuint(cam_text_width("→ü"), ==, 2);
	g_assert_cmpuint(cam_text_width("漢字"), ==, 4);
	g_assert_cmpuint(cam_text_width("e\u0301"), ==, 1);
	g_assert_cmpuint(cam_text_width(""), ==, 0);
}

static void
assert_ellipsized(const char *text, guint width, const char *expected)
{
	g_autofree char *cut = cam_text_ellipsize(text, width);

	g_assert_cmpstr(cut, ==, expected);
	g_assert_cmpuint(cam_text_width(cut), <=, width);
}

static void
test_ellipsize(void)
{
	assert_ellipsized("abcdef", 6, "abcdef");
	assert_ellipsized("abcdef", 5, "abcd…");
	assert_ellipsized("abcdef", 1, "…");
	assert_ellipsized("abcdef", 0, "");
	assert_ellipsized("漢字漢字", 6, "漢字…");
	assert_ellipsized("漢字漢字", 4, "漢…");
}

static void
assert_wrapped(const char *text, guint start, guint indent, guint width, const char *expected)
{
	g_autoptr(GString) out = g_string_new(NULL);

	cam_text_append_wrapped(out, text, start, indent, width);
	g_assert_cmpstr(out->str, ==, expected);
}

static void
test_wrap(void)
{
	assert_wrapped("one two three", 0, 2, 8, "one two\n  three");
	assert_wrapped("one two three", 5, 2, 8, "one\n  two\n  three");
	assert_wrapped("one two three", 0, 2, 0, "one two three");
	assert_wrapped("  spaced   out ", 0, 0, 80, "spaced out");
	assert_wrapped("unbreakably-long word", 0, 1, 4, "unbreakably-long\n word");
	assert_wrapped("", 0, 0, 10, "");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/text/escape", test_escape);
	g_test_add_func("/text/escape-json", test_escape_json);
	g_test_add_func("/text/width", test_width);
	g_test_add_func("/text/ellipsize", test_ellipsize);
	g_test_add_func("/text/wrap", test_wrap);
	return g_test_run();
}
