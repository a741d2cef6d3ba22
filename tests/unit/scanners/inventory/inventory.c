/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

/* The inventory as a value: joining, sorting, storing. */

static CamPackage *
add_package(CamInventory *inventory, const char *name, const char *version)
{
	CamPackage *package = cam_package_new(CAM_PACKAGE_DEB, name, version);

	g_ptr_array_add(inventory->packages, package);
	return package;
}

static void
test_bytes(void)
{
	g_autoptr(CamInventory) inventory = cam_inventory_new(), copy = NULL;
	g_autoptr(GBytes) bytes = NULL;
	CamPackage *package = add_package(inventory, "b", "1");

	package->architecture = g_strdup("amd64");
	package->multi_arch = g_strdup("same");
	package->origin = g_strdup("Example Corp");
	package->path = g_strdup("status.d/\xff");
	package->held = TRUE;
	package->layer = 2;
	add_package(inventory, "a", "2");
	inventory->os = cam_os_release_parse("ID=debian\nVERSION_ID=12", 23);
	g_ptr_array_add(inventory->paths, g_strdup("status.d/\xff"));

	cam_inventory_add_problem(inventory, "%s:%d: odd", "status.d/\xff", 3);
	bytes = cam_inventory_to_bytes(inventory);
	copy = cam_inventory_from_bytes(bytes);
	g_assert_nonnull(copy);
	g_assert_cmpuint(copy->packages->len, ==, 2);
	g_assert_cmpint(cam_package_compare(copy->packages->pdata[0], package), ==, 0);
	package = copy->packages->pdata[0];
	g_assert_cmpstr(package->path, ==, "status.d/\xff");
	g_assert_cmpstr(package->multi_arch, ==, "same");
	g_assert_cmpstr(package->origin, ==, "Example Corp");
	g_assert_true(package->held);
	g_assert_false(package->essential);
	g_assert_cmpint(package->layer, ==, 2);
	package = copy->packages->pdata[1];
	g_assert_null(package->architecture);
	g_assert_null(package->origin);
	g_assert_cmpint(package->layer, ==, -1);
	g_assert_cmpstr(copy->os->ecosystem, ==, "Debian:12");
	g_assert_null(copy->os->pretty_name);
	g_assert_cmpstr(copy->paths->pdata[0], ==, "status.d/\xff");
	g_assert_cmpuint(copy->problems->len, ==, 1);
	g_assert_cmpstr(copy->problems->pdata[0], ==, "status.d/\357\277\275:3: odd");
}

static void
test_damaged_bytes(void)
{
	g_autoptr(CamInventory) inventory = cam_inventory_new();
	g_autoptr(GBytes) bytes = NULL;

	for (guint i = 0; i < 20; i++)
		add_package(inventory, "name", "version");
	bytes = cam_inventory_to_bytes(inventory);
	for (gsize size = 0; size < g_bytes_get_size(bytes); size++) {
		g_autoptr(GBytes) cut = g_bytes_new_from_bytes(bytes, 0, size);
		g_autoptr(CamInventory) damaged = cam_inventory_from_bytes(cut);

		g_assert_true(damaged == NULL || damaged->packages->len < 20);
	}
}

static void
test_absorb_and_sort(void)
{
	g_autoptr(CamInventory) a = cam_inventory_new(), b = cam_inventory_new();

	add_package(a, "z", "1");
	add_package(b, "a", "1");
	g_ptr_array_add(b->paths, g_strdup("p"));
	cam_inventory_add_problem(b, "bad");
	b->os = cam_os_release_parse("", 0);
	cam_inventory_absorb(a, b);
	cam_inventory_sort(a);
	g_assert_cmpuint(b->packages->len, ==, 0);
	g_assert_null(b->os);
	g_assert_cmpuint(a->packages->len, ==, 2);
	g_assert_cmpstr(((CamPackage *) a->packages->pdata[0])->name, ==, "a");
	g_assert_cmpuint(a->paths->len, ==, 1);
	g_assert_cmpuint(a->problems->len, ==, 1);
	g_assert_cmpuint(b->problems->len, ==, 0);
	g_assert_cmpstr(a->os->id, ==, "linux");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/inventory/bytes", test_bytes);
	g_test_add_func("/inventory/damaged-bytes", test_damaged_bytes);
	g_test_add_func("/inventory/absorb-and-sort", test_absorb_and_sort);
	return g_test_run();
}
