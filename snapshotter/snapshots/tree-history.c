/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lays the layers of a chain over each other, with the times and hard links of their entries. What
 * a layer's entries make is the store's (CamLayerTree), and so is what the merged tree holds: what
 * is left here of paths that are gone is merely never asked for. Whiteouts are followed all the
 * same, so that a directory that was removed and came back does not inherit times.
 */
#include "snapshotter/snapshots/tree-history.h"

struct _CamTreeHistory {
	CamLayerNode *root;
};

CamTreeHistory *
cam_tree_history_new(void)
{
	CamTreeHistory *self = g_new0(CamTreeHistory, 1);

	self->root = g_new0(CamLayerNode, 1);
	self->root->is_directory = TRUE;
	return self;
}

void
cam_tree_history_free(CamTreeHistory *self)
{
	if (!self)
		return;
	cam_layer_node_free(self->root);
	g_free(self);
}

const CamTreePlace *
cam_tree_history_get_root(CamTreeHistory *self)
{
	return self->root;
}

const CamTreePlace *
cam_tree_place_get_child(const CamTreePlace *place, const char *name)
{
	return place ? cam_layer_node_get_child(place, name) : NULL;
}

const CamTreeRecord *
cam_tree_place_get_record(const CamTreePlace *place)
{
	return place ? place->record : NULL;
}

/* What no entry of the layer describes stays as it was. */
static void
take_record(CamLayerNode *to, CamLayerNode *from)
{
	CamLayerRecord *record = to->record;

	if (!from->record)
		return;
	to->record = from->record;
	from->record = record;
}

static void
lay_over(CamLayerNode *below, CamLayerNode *layer)
{
	GHashTableIter iter;
	gpointer name, value;

	if (!layer->children)
		return;
	if (!below->children) {
		below->children = g_steal_pointer(&layer->children);
		return;
	}
	g_hash_table_iter_init(&iter, layer->children);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		CamLayerNode *child = value;
		CamLayerNode *old = cam_layer_node_get_child(below, name);
		gboolean both = old && old->is_directory && child->is_directory;

		if (child->is_whiteout) {
			g_hash_table_remove(below->children, name);
			continue;
		}
		if (both && !child->is_opaque) {
			take_record(old, child);
			lay_over(old, child);
			continue;
		}
		if (both && !child->record)
			take_record(child, old);
		g_hash_table_iter_steal(&iter);
		g_hash_table_replace(below->children, name, child);
	}
}

void
cam_tree_history_add_layer(CamTreeHistory *self, CamLayerTree *layer)
{
	CamLayerNode *root = cam_layer_tree_get_root(layer);

	take_record(self->root, root);
	lay_over(self->root, root);
}
