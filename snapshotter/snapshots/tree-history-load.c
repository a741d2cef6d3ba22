/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fills a CamTreeHistory from the layers of a store. Apart from tree-history.c, which knows no
 * store.
 */
#include "snapshotter/snapshots/tree-history.h"

static gboolean
add_entry(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	return cam_layer_tree_add(user_data, entry, error);
}

CamTreeHistory *
cam_tree_history_load(CamStore *store, const char *const *diff_ids, GError **error)
{
	g_autoptr(CamTreeHistory) self = cam_tree_history_new();

	for (guint i = 0; diff_ids[i]; i++) {
		g_autoptr(CamLayerTree) layer = cam_layer_tree_new(i == 0);

		if (!cam_store_foreach_layer_entry(store, diff_ids[i], add_entry, layer, error) ||
		    !cam_layer_tree_finish(layer, error))
			return NULL;
		cam_tree_history_add_layer(self, layer);
	}
	return g_steal_pointer(&self);
}
