/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's table of layers, and of the blobs that they are known to travel as. A layer exists if
 * it has a row here: the row is written last, when its objects and its ref are in place.
 */
#include "snapshotter/store/store-private.h"

void
cam_layer_info_free(CamLayerInfo *self)
{
	if (self == NULL)
		return;
	g_free(self->diff_id);
	g_free(self);
}

gboolean
cam_store_has_layer(CamStore *self, const char *diff_id)
{
	g_autoptr(CamLayerInfo) info = cam_store_get_layer_info(self, diff_id, NULL);

	return info != NULL;
}

CamLayerInfo *
cam_store_get_layer_info(CamStore *self, const char *diff_id, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) row = cam_database_prepare(
		state, "SELECT size, entries, files FROM layers WHERE diff_id = ?", error);
	gboolean found;

	if (row == NULL)
		return NULL;
	cam_statement_bind_text(row, 1, diff_id);
	if (!cam_statement_step_checked(row, &found, error))
		return NULL;
	if (!found) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "the store has no layer %s", diff_id);
		return NULL;
	}
	CamLayerInfo *info = g_new0(CamLayerInfo, 1);
	info->diff_id = g_strdup(diff_id);
	info->size = cam_statement_int(row, 0);
	info->entries = cam_statement_int(row, 1);
	info->files = cam_statement_int(row, 2);
	return info;
}

gboolean
cam_layers_insert(CamDatabase *state, const CamLayerInfo *info, GError **error)
{
	g_autoptr(CamStatement) insert =
		cam_database_prepare(state,
				     "INSERT OR REPLACE INTO layers (diff_id, size, entries, files)"
				     " VALUES (?, ?, ?, ?)",
				     error);

	if (insert == NULL)
		return FALSE;
	cam_statement_bind_text(insert, 1, info->diff_id);
	cam_statement_bind_int(insert, 2, (gint64) info->size);
	cam_statement_bind_int(insert, 3, (gint64) info->entries);
	cam_statement_bind_int(insert, 4, (gint64) info->files);
	return cam_statement_run(insert, error);
}

gboolean
cam_layers_delete(CamDatabase *state, const char *diff_id, GError **error)
{
	g_autoptr(CamStatement) delete =
		cam_database_prepare(state, "DELETE FROM layers WHERE diff_id = ?", error);

	if (delete == NULL)
		return FALSE;
	cam_statement_bind_text(delete, 1, diff_id);
	return cam_statement_run(delete, error);
}

char *
cam_store_layer_for_blob(CamStore *self, const char *blob_digest)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state,
				     "SELECT layers.diff_id FROM layer_blobs JOIN layers USING "
				     "(diff_id) WHERE digest = ?",
				     NULL);

	if (row == NULL)
		return NULL;
	cam_statement_bind_text(row, 1, blob_digest);
	return cam_statement_step(row, NULL) ? g_strdup(cam_statement_text(row, 0)) : NULL;
}

GPtrArray *
cam_store_blobs_for_layer(CamStore *self, const char *diff_id, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(GPtrArray) blobs =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_descriptor_free);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state,
				     "SELECT media_type, digest, size FROM layer_blobs WHERE "
				     "diff_id = ? ORDER BY digest",
				     error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	cam_statement_bind_text(row, 1, diff_id);
	while (cam_statement_step_checked(row, &more, error) && more)
		g_ptr_array_add(blobs, cam_descriptor_new(cam_statement_text(row, 0),
							  cam_statement_text(row, 1),
							  cam_statement_int(row, 2)));
	return more ? NULL : g_steal_pointer(&blobs);
}

gboolean
cam_store_add_layer_blob(CamStore *self, const char *diff_id, const CamDescriptor *descriptor,
			 GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) upsert = cam_database_prepare(
		state,
		"INSERT OR REPLACE INTO layer_blobs (digest, diff_id, media_type, size)"
		" VALUES (?, ?, ?, ?)",
		error);

	if (upsert == NULL)
		return FALSE;
	cam_statement_bind_text(upsert, 1, descriptor->digest);
	cam_statement_bind_text(upsert, 2, diff_id);
	cam_statement_bind_text(upsert, 3, descriptor->media_type);
	cam_statement_bind_int(upsert, 4, descriptor->size);
	return cam_statement_run(upsert, error);
}

gboolean
cam_store_lookup_content(CamStore *self, const CamSha256 *object, CamSha256 *sha256,
			 gboolean *found, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT sha256 FROM content WHERE object = ?", error);

	if (row == NULL)
		return FALSE;
	cam_statement_bind_blob(row, 1, object->bytes, CAM_SHA256_SIZE);
	if (!cam_statement_step_checked(row, found, error))
		return FALSE;
	if (*found) {
		gsize size;
		gconstpointer data = cam_statement_blob(row, 0, &size);

		*found = size == CAM_SHA256_SIZE;
		if (*found)
			memcpy(sha256->bytes, data, CAM_SHA256_SIZE);
	}
	return TRUE;
}
