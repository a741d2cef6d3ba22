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

struct _CamLayerOrigin {
	GPtrArray *open; /* (element-type CamPackage): a lower layer may have brought them */
};

CamLayerOrigin *
cam_layer_origin_new(CamInventory *inventory)
{
	CamLayerOrigin *self = g_new0(CamLayerOrigin, 1);

	self->open = g_ptr_array_new();
	for (guint i = 0; i < inventory->packages->len; i++)
		g_ptr_array_add(self->open, inventory->packages->pdata[i]);
	return self;
}

gboolean
cam_layer_origin_add(CamLayerOrigin *self, int index, const CamInventory *layer)
{
	g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
	guint kept = 0;

	if (layer->paths->len == 0)
		return self->open->len > 0;
	for (guint i = 0; i < layer->packages->len; i++)
		g_hash_table_add(keys, package_key(layer->packages->pdata[i]));
	for (guint i = 0; i < layer->paths->len; i++)
		g_hash_table_add(paths, layer->paths->pdata[i]);
	for (guint i = 0; i < self->open->len; i++) {
		CamPackage *package = self->open->pdata[i];
		g_autofree char *key = package_key(package);

		if (g_hash_table_contains(keys, key))
			package->layer = index;
		else if (package->path != NULL && g_hash_table_contains(paths, package->path))
			continue; /* this copy lacks it: a layer above brought it */
		self->open->pdata[kept++] = package;
	}
	g_ptr_array_set_size(self->open, (gint) kept);
	return kept > 0;
}

void
cam_layer_origin_free(CamLayerOrigin *self)
{
	g_ptr_array_unref(self->open);
	g_free(self);
}
