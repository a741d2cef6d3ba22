/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of what the tree below a snapshot is put together. Layers can be merged only below upper
 * directories, never between them.
 */
#include "snapshotter/snapshots/snapshot-base.h"

#include "snapshotter/oci/digest.h"

void
cam_snapshot_base_clear(CamSnapshotBase *self)
{
	g_clear_pointer(&self->layers, g_ptr_array_unref);
	g_clear_pointer(&self->chain, g_free);
	g_clear_pointer(&self->uses, g_array_unref);
}

static void
base_init(CamSnapshotBase *self)
{
	*self = (CamSnapshotBase){
		.layers = g_ptr_array_new_null_terminated(8, g_free, TRUE),
		.uses = g_array_new(FALSE, FALSE, sizeof(CamSnapshotUse)),
	};
}

/* Lays the first @n layers of @row over what is there. */
static void
add_layers(CamSnapshotBase *self, const CamSnapshotRow *row, guint n)
{
	for (guint i = 0; i < n && row->layers[i]; i++) {
		char *chain = cam_chain_id(self->chain, row->layers[i]);

		g_free(self->chain);
		self->chain = chain;
		g_ptr_array_add(self->layers, g_strdup(row->layers[i]));
		if (self->uses->len > 0 && !self->blocker)
			self->blocker =
				g_array_index(self->uses, CamSnapshotUse, self->uses->len - 1)
					.upper;
	}
}

gboolean
cam_snapshot_base_plan(CamSnapshotDb *db, gint64 parent, guint max_uses, CamSnapshotBase *out,
		       GError **error)
{
	g_autoptr(GPtrArray) rows = cam_snapshot_db_chain(db, parent, error);

	base_init(out);
	if (!rows)
		return FALSE;
	for (guint i = 0; i < rows->len; i++) {
		const CamSnapshotRow *row = g_ptr_array_index(rows, i);
		CamSnapshotUse use = { row->id, g_strv_length(row->layers) };

		add_layers(out, row, use.n_layers);
		if (row->has_upper)
			g_array_prepend_val(out->uses, use);
	}
	if (!out->blocker && out->uses->len > max_uses)
		out->blocker = g_array_index(out->uses, CamSnapshotUse, out->uses->len - 1).upper;
	return TRUE;
}

/* (nullable) */
static const CamSnapshotUse *
find_use(const GArray *uses, gint64 id)
{
	for (guint i = 0; i < uses->len; i++) {
		const CamSnapshotUse *use = &g_array_index(uses, CamSnapshotUse, i);

		if (use->upper == id)
			return use;
	}
	return NULL;
}

gboolean
cam_snapshot_base_load(CamSnapshotDb *db, const CamSnapshotRow *row, CamSnapshotBase *out,
		       GError **error)
{
	g_autoptr(GPtrArray) rows = cam_snapshot_db_chain(db, row->parent, error);
	g_autoptr(GArray) uses = cam_snapshot_db_get_uses(db, row->id, error);

	base_init(out);
	if (!rows || !uses)
		return FALSE;
	for (guint i = 0; i < rows->len; i++) {
		const CamSnapshotRow *ancestor = g_ptr_array_index(rows, i);
		const CamSnapshotUse *use = find_use(uses, ancestor->id);

		add_layers(out, ancestor, use ? use->n_layers : G_MAXUINT);
		if (use)
			g_array_prepend_vals(out->uses, use, 1);
	}
	add_layers(out, row, G_MAXUINT);
	return TRUE;
}
