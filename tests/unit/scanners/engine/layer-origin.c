/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/layer-origin.h"

/* Which layer brought a package. */

#define STATUS "var/lib/dpkg/status"

/* @packages: "name version" pairs; an inventory without any has no database. */
static CamInventory *
make_layer(const char *path, const char *const *packages)
{
	CamInventory *inventory = cam_inventory_new();

	if (path != NULL)
		g_ptr_array_add(inventory->paths, g_strdup(path));
	for (; packages != NULL && *packages != NULL; packages += 2) {
		CamPackage *package = cam_package_new(CAM_PACKAGE_DEB, packages[0], packages[1]);

		package->path = g_strdup(path);
		g_ptr_array_add(inventory->packages, package);
	}
	return inventory;
}

static void
name_layers(CamInventory *inventory, const GPtrArray *layers)
{
	g_autoptr(CamLayerOrigin) origin = cam_layer_origin_new(inventory);

	for (int i = (int) layers->len - 1; i >= 0; i--)
		if (!cam_layer_origin_add(origin, i, layers->pdata[i]))
			break;
}

static void
assert_layer(const CamInventory *inventory, const char *name, int layer)
{
	for (guint i = 0; i < inventory->packages->len; i++) {
		const CamPackage *package = inventory->packages->pdata[i];

		if (g_str_equal(package->name, name)) {
			g_assert_cmpint(package->layer, ==, layer);
			return;
		}
	}
	g_assert_not_reached();
}

static void
test_status(void)
{
	static const char *const base[] = { "kept", "1", "upgraded", "1", "back", "1", NULL };
	static const char *const second[] = { "kept", "1", "upgraded", "2", "added", "1", NULL };
	static const char *const third[] = { "kept", "1",    "upgraded", "2", "added",
					     "1",    "back", "1",	 NULL };
	g_autoptr(GPtrArray) layers =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_inventory_free);
	g_autoptr(CamInventory) inventory = make_layer(STATUS, third);

	g_ptr_array_add(layers, make_layer(STATUS, base));
	g_ptr_array_add(layers, make_layer(NULL, NULL));
	g_ptr_array_add(layers, make_layer(STATUS, second));
	g_ptr_array_add(layers, make_layer(STATUS, third));
	g_ptr_array_add(layers, make_layer(NULL, NULL));
	name_layers(inventory, layers);
	assert_layer(inventory, "kept", 0);
	assert_layer(inventory, "upgraded", 2);
	assert_layer(inventory, "added", 2);
	assert_layer(inventory, "back", 3); /* it was gone in between */
}

static void
test_one_file_a_package(void)
{
	static const char *const old[] = { "libc6", "1", NULL };
	static const char *const new[] = { "libc6", "2", NULL };
	g_autoptr(GPtrArray) layers =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_inventory_free);
	g_autoptr(CamInventory) inventory = make_layer("status.d/libc6", new);
	g_autoptr(CamInventory) other = make_layer("status.d/tzdata", old);

	cam_inventory_absorb(inventory, other);
	g_ptr_array_add(layers, make_layer("status.d/libc6", old));
	g_ptr_array_add(layers, make_layer("status.d/libc6", new));
	name_layers(inventory, layers);
	g_assert_cmpint(((CamPackage *) inventory->packages->pdata[0])->layer, ==, 1);
	g_assert_cmpint(((CamPackage *) inventory->packages->pdata[1])->layer, ==, -1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layer-origin/status", test_status);
	g_test_add_func("/layer-origin/one-file-a-package", test_one_file_a_package);
	return g_test_run();
}
