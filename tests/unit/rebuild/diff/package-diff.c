/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rebuild/rebuild.h"

/* What differs between two inventories. */

/* @packages: name, version, architecture; …; NULL */
static GPtrArray *
make_packages(const char *const *packages)
{
	GPtrArray *array = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);

	for (; *packages != NULL; packages += 3) {
		CamPackage *package = cam_package_new(CAM_PACKAGE_DEB, packages[0], packages[1]);

		package->architecture = g_strdup(packages[2]);
		g_ptr_array_add(array, package);
	}
	return array;
}

static void
assert_changes(const char *const *before, const char *const *after, const char *expected)
{
	g_autoptr(GPtrArray) old = make_packages(before), new = make_packages(after);
	g_autoptr(GPtrArray) changes = cam_diff_packages(old, new);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < changes->len; i++) {
		g_autofree char *change = cam_package_change_to_string(changes->pdata[i]);

		g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", change);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void
test_changes(void)
{
	static const char *const before[] = { "a", "1",	  "amd64", "b",	    "1",     "amd64", "c",
					      "1", "all", "d",	   "1:1-1", "amd64", NULL };
	static const char *const after[] = { "a",     "1",     "amd64", "c", "2",     "amd64", "d",
					     "1:1-2", "amd64", "e",	"1", "amd64", NULL };

	assert_changes(before, after,
		       "removed b:amd64 1; c:amd64 1 → 2; d:amd64 1:1-1 → 1:1-2; new e:amd64 1");
	assert_changes(before, before, "");
}

static void
test_architectures(void)
{
	static const char *const before[] = { "l", "1", "amd64", "l", "1", "i386", NULL };
	static const char *const after[] = { "l", "2", "amd64", "l", "1", "i386", NULL };
	static const char *const one[] = { "l", "2", "i386", NULL };

	assert_changes(before, after, "l:amd64 1 → 2");
	assert_changes(before, one, "removed l:amd64 1; l:i386 1 → 2");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/package-diff/changes", test_changes);
	g_test_add_func("/package-diff/architectures", test_architectures);
	return g_test_run();
}
