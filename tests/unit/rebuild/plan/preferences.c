/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of apt's preferences are understood, and that the others are told.
 */
#include "rebuild/plan/preferences.h"

#include <string.h>

static void
test_parse(void)
{
	static const struct {
		const char *text, *excluded;
		gboolean understood;
	} cases[] = {
		{ "Package: snapd\nPin: release *\nPin-Priority: -1\n", "snapd", TRUE },
		{ "# no\n\nPackage: a b\nPin: version *\nPin-Priority: -10\n", "b", TRUE },
		{ "Package: a\nPin: release a=unstable\nPin-Priority: -1\n", NULL, FALSE },
		{ "Package: *\nPin: release *\nPin-Priority: -1\n", NULL, FALSE },
		{ "Package: a\nPin: version 1.2*\nPin-Priority: 1001\n", NULL, FALSE },
		{ "Package: a\nPin: release *\nPin-Priority: often\n", NULL, FALSE },
		{ "# nothing but words\n", NULL, TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GHashTable) excluded =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

		g_assert_cmpint(
			cam_preferences_parse(cases[i].text, strlen(cases[i].text), excluded), ==,
			cases[i].understood);
		g_assert_cmpint(g_hash_table_size(excluded) > 0, ==, cases[i].excluded != NULL);
		if (cases[i].excluded)
			g_assert_true(g_hash_table_contains(excluded, cases[i].excluded));
	}
}

static void
test_read(void)
{
	static const char pin[] = "Package: a\nPin: release a=x\nPin-Priority: 900\n";
	static const char never[] = "Package: b\nPin: release *\nPin-Priority: -1\n";
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(GHashTable) excluded =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) told = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;

	cam_memory_rootfs_add_file(rootfs, "etc/apt/preferences.d/10-pin", pin, -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/apt/preferences.d/b.pref", never, -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "etc/apt/preferences.d/c.bak", pin, -1, 0644);
	cam_preferences_read(CAM_ROOTFS(rootfs), excluded, told, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(told->len, ==, 1);
	g_assert_nonnull(strstr(told->pdata[0], "10-pin"));
	g_assert_cmpuint(g_hash_table_size(excluded), ==, 1);
	g_assert_true(g_hash_table_contains(excluded, "b"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/preferences/parse", test_parse);
	g_test_add_func("/plan/preferences/read", test_read);
	return g_test_run();
}
