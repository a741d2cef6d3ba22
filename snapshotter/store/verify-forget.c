/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forgetting what is damaged, so that nobody believes that it is there: rows first, then refs, then
 * the objects and blobs themselves. What was damaged is fetched by the next import.
 */
#include "snapshotter/store/verify-private.h"

#include <unistd.h>

static void
remember_lost(CamVerification *self)
{
	GHashTableIter iter;
	gpointer diff_id;

	g_hash_table_iter_init(&iter, self->bad_layers);
	while (g_hash_table_iter_next(&iter, &diff_id, NULL)) {
		CamLayerInfo *info = cam_store_get_layer_info(self->store, diff_id, NULL);

		if (info != NULL)
			g_ptr_array_add(self->result->lost, info);
	}
}

static gboolean
forget_layer_rows(CamVerification *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);

	for (guint i = 0; i < self->result->lost->len; i++) {
		const CamLayerInfo *info = g_ptr_array_index(self->result->lost, i);

		if (!cam_layers_delete(state, info->diff_id, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
forget_ref(CamVerification *self, const char *ref, GError **error)
{
	return ostree_repo_set_ref_immediate(self->repo, NULL, ref, NULL, self->cancellable,
					     error) ||
	       cam_error_translate(error, "cannot remove ref %s", ref);
}

/* Merged trees are made again from layers: all of them may go. A layer keeps its ref while its tree
 * can be gone through: what else it has may be in use, and gc must not take it meanwhile. */
static gboolean
forget_refs(CamVerification *self, GError **error)
{
	g_autoptr(GHashTable) merged = NULL;
	GHashTableIter iter;
	gpointer key;

	if (!ostree_repo_list_refs_ext(self->repo, CAM_STORE_ROOTFS_REFS, &merged,
				       OSTREE_REPO_LIST_REFS_EXT_EXCLUDE_REMOTES, self->cancellable,
				       error))
		return cam_error_translate(error, "cannot list %s", CAM_STORE_ROOTFS_REFS);
	g_hash_table_iter_init(&iter, merged);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (!forget_ref(self, key, error))
			return FALSE;
	g_hash_table_iter_init(&iter, self->broken_trees);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		g_autofree char *ref = cam_store_layer_ref(key);

		if (!forget_ref(self, ref, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
forget_objects(CamVerification *self, GError **error)
{
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, self->bad_objects);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		const char *checksum;
		OstreeObjectType type;

		ostree_object_name_deserialize(name, &checksum, &type);
		if (!ostree_repo_delete_object(self->repo, type, checksum, self->cancellable,
					       error))
			return cam_error_translate(error, "cannot remove object %s", checksum);
	}
	g_hash_table_iter_init(&iter, self->bad_blobs);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		g_autofree char *path = cam_store_blob_path(name);

		unlinkat(cam_store_get_dirfd(self->store), path, 0);
	}
	return TRUE;
}

gboolean
cam_verification_forget(CamVerification *self, GError **error)
{
	remember_lost(self);
	if (!forget_layer_rows(self, error) || !forget_refs(self, error) ||
	    !forget_objects(self, error))
		return FALSE;
	self->result->forgotten = TRUE;
	return TRUE;
}
