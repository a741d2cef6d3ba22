/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fills a CamTreeHistory from the layers of a store. Apart from tree-history.c, which knows no
 * store.
 */
#include "snapshotter/snapshots/tree-history.h"

static gboolean
add_entry(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	cam_tree_history_add(user_data, entry);
	return TRUE;
}

CamTreeHistory *
cam_tree_history_load(CamStore *store, const char *const *diff_ids, GError **error)
{
	g_autoptr(CamTreeHistory) self = cam_tree_history_new();

	for (; *diff_ids; diff_ids++) {
		cam_tree_history_next_layer(self);
		if (!cam_store_foreach_layer_entry(store, *diff_ids, add_entry, self, error))
			return NULL;
	}
	return g_steal_pointer(&self);
}
