/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/snapshotter.h"

/* CamTree: order, search and the tables keyed by identities. */

static void
test_order(void)
{
	const CamEntry entries[] = {
		{ .name = "b", .is_directory = TRUE },
		{ .name = "\xff\xfe" },
		{ .name = "a.d" },
		{ .name = "a" },
		{ .name = "B" },
	};
	const char *const expected[] = { "B", "a", "a.d", "b", "\xff\xfe" };
	g_autoptr(CamTree) tree = cam_tree_new(entries, G_N_ELEMENTS(entries));

	g_assert_cmpuint(cam_tree_size(tree), ==, G_N_ELEMENTS(expected));
	for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
		g_assert_cmpstr(cam_tree_get(tree, i)->name, ==, expected[i]);
	g_assert_true(cam_tree_find(tree, "b")->is_directory);
	g_assert_nonnull(cam_tree_find(tree, "\xff\xfe"));
	g_assert_null(cam_tree_find(tree, "a."));
}

static void
test_empty(void)
{
	g_autoptr(CamTree) tree = cam_tree_new(NULL, 0);
	g_autoptr(CamTree) other = cam_tree_ref(tree);

	g_assert_cmpuint(cam_tree_size(other), ==, 0);
	g_assert_null(cam_tree_find(tree, "a"));
}

static void
test_names_are_copied(void)
{
	char name[] = "name";
	const CamEntry entry = { .name = name };
	g_autoptr(CamTree) tree = cam_tree_new(&entry, 1);

	name[0] = 'X';
	g_assert_nonnull(cam_tree_find(tree, "name"));
}

static void
test_sha256_keys(void)
{
	const CamSha256 a = { { 1, 2, 3 } }, b = { { 1, 2, 3 } }, c = { { 1, 2, 3, [31] = 1 } };

	g_assert_cmpuint(cam_sha256_hash(&a), ==, cam_sha256_hash(&b));
	g_assert_true(cam_sha256_equal(&a, &b));
	g_assert_false(cam_sha256_equal(&a, &c));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tree/order", test_order);
	g_test_add_func("/tree/empty", test_empty);
	g_test_add_func("/tree/names-are-copied", test_names_are_copied);
	g_test_add_func("/tree/sha256-keys", test_sha256_keys);
	return g_test_run();
}
