/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests that names of any bytes survive OSTree. */
#include "snapshotter/store/name-escape.h"

static void
test_round_trip(void)
{
	static const char *const names[] = {
		"plain",
		"ä",
		"with space%20",
		"\xff",
		"caf\xe9.txt",
		"\xed\xa0\x80",
		"a\nb\xfe",
		CAM_ESCAPE_PREFIX,
		CAM_ESCAPE_PREFIX "%41",
		".cambium",
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *escaped = cam_name_escape(names[i]);
		g_autofree char *again = cam_name_unescape(escaped);

		g_assert_true(g_utf8_validate(escaped, -1, NULL));
		g_assert_cmpstr(again, ==, names[i]);
	}
}

static void
test_plain_names_stay(void)
{
	g_autofree char *plain = cam_name_escape("libç.so.1");
	g_autofree char *bytes = cam_name_escape("a\xff");

	g_assert_cmpstr(plain, ==, "libç.so.1");
	g_assert_cmpstr(bytes, ==, CAM_ESCAPE_PREFIX "a%FF");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/name-escape/round-trip", test_round_trip);
	g_test_add_func("/store/name-escape/plain-names-stay", test_plain_names_stay);
	return g_test_run();
}
