/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which layer brought a package. A package database is rewritten whole whenever one package moves,
 * so the layer that last wrote the file tells nothing: its copies in all layers are compared.
 */
#include "scanners/engine/layer-origin.h"

static char *
package_key(const CamPackage *package)
{
	return g_strjoin("\n", package->path != NULL ? package->path : "", package->name,
			 package->architecture != NULL ? package->architecture : "",
			 package->version, NULL);
}

static GHashTable *
package_keys(const CamInventory *inventory)
{
	GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < inventory->packages->len; i++)
		g_hash_table_add(keys, package_key(inventory->packages->pdata[i]));
	return keys;
}

static gboolean
has_path(const CamInventory *inventory, const char *path)
{
	return path != NULL &&
	       g_ptr_array_find_with_equal_func(inventory->paths, path, g_str_equal, NULL);
}

static int
find_layer(const CamPackage *package, const GPtrArray *layers, const GPtrArray *keys)
{
	g_autofree char *key = package_key(package);
	int found = -1;

	for (int i = (int) layers->len - 1; i >= 0; i--) {
		if (g_hash_table_contains(keys->pdata[i], key))
			found = i;
		else if (has_path(layers->pdata[i], package->path))
			break;
	}
	return found;
}

void
cam_inventory_name_layers(CamInventory *self, const GPtrArray *layers)
{
	g_autoptr(GPtrArray) keys =
		g_ptr_array_new_with_free_func((GDestroyNotify) g_hash_table_unref);

	for (guint i = 0; i < layers->len; i++)
		g_ptr_array_add(keys, package_keys(layers->pdata[i]));
	for (guint i = 0; i < self->packages->len; i++) {
		CamPackage *package = self->packages->pdata[i];

		package->layer = find_layer(package, layers, keys);
	}
}
