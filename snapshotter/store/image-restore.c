/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing back what a verification forgot. Everything that is fetched is known by its digest
 * already: sources are asked for exactly that, and are opened only when the store cannot help
 * itself.
 */
#include "snapshotter/store/image-restore.h"

#include "snapshotter/oci/image-config.h"
#include "snapshotter/oci/index.h"
#include "snapshotter/store/store-private.h"

typedef struct {
	CamStore *store;
	CamFillTransportFunc fill;
	gpointer user_data;
	CamProgress *progress;
	GCancellable *cancellable;
	gboolean offline; /* only look whether all is there by now */
	/* The image at hand. */
	CamImage *row;
	char *digest;		      /* of its manifest */
	CamImageTransport *transport; /* (nullable): until it is needed */
	CamManifest *manifest;
	CamImageConfig *config;
} Restore;

void
cam_restored_free(CamRestored *self)
{
	if (self == NULL)
		return;
	g_free(self->subject);
	g_free(self->source);
	g_free(self->problem);
	g_free(self);
}

static void
restore_clear(Restore *self)
{
	g_clear_pointer(&self->row, cam_image_free);
	g_clear_pointer(&self->digest, g_free);
	g_clear_object(&self->transport);
	g_clear_pointer(&self->manifest, cam_manifest_free);
	g_clear_pointer(&self->config, cam_image_config_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Restore, restore_clear)

/* ---- the source ---- */

/* The manifest by its digest; where a place knows only names, what its name stands for. */
static GBytes *
fetch_manifest(Restore *self, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree char *media_type = NULL, *digest = NULL;
	g_autoptr(GBytes) bytes = cam_image_transport_get_manifest(
		self->transport, self->digest, &media_type, self->cancellable, &local);

	if (bytes != NULL)
		return g_steal_pointer(&bytes);
	if (local->code == (int) CAM_ERROR_CANCELLED ||
	    local->code == (int) CAM_ERROR_UNAVAILABLE) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	bytes = cam_image_transport_get_manifest(self->transport, NULL, &media_type,
						 self->cancellable, NULL);
	digest = bytes != NULL ? cam_digest_for_bytes(bytes) : NULL;
	if (g_strcmp0(digest, self->digest) == 0)
		return g_steal_pointer(&bytes);
	if (digest != NULL)
		cam_set_error(error, CAM_ERROR_NOT_FOUND,
			      "it holds another image by now, %s; the one that the store had was "
			      "%s",
			      digest, self->digest);
	else
		g_propagate_error(error, g_steal_pointer(&local));
	return NULL;
}

static gboolean
open_location(Restore *self, GError **error)
{
	g_autoptr(CamLocation) location = cam_location_parse(self->row->source, error);
	CamTransportOptions options = { .cache_dirfd = -1 };

	if (location == NULL)
		return FALSE;
	if (self->fill != NULL)
		self->fill(location, &options, self->user_data);
	options.progress = self->progress;
	self->transport =
		cam_image_transport_open(location, FALSE, &options, self->cancellable, error);
	return self->transport != NULL;
}

/* Opens it, if that has not happened yet, and makes sure that it has the image. */
static gboolean
need_source(Restore *self, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *digest = NULL;

	if (self->transport != NULL)
		return TRUE;
	if (self->offline || self->row->source == NULL)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "nobody knows where it came from; import it again from where "
				     "it is, or make it again");
	if (open_location(self, error) && (bytes = fetch_manifest(self, error)) != NULL)
		digest = cam_store_put_blob(self->store, bytes, error);
	if (digest != NULL)
		return TRUE;
	g_clear_object(&self->transport);
	return cam_error_translate(error, "its source %s", self->row->source);
}

/* ---- documents ---- */

static gboolean
is_good(Restore *self, const char *digest)
{
	g_autoptr(GBytes) bytes =
		cam_store_get_blob(self->store, digest, CAM_MANIFEST_MAX_SIZE, NULL);

	return bytes != NULL;
}

static gboolean
restore_index(Restore *self, GError **error)
{
	g_autofree char *media_type = NULL, *digest = NULL;
	g_autoptr(GBytes) bytes = NULL;

	if (self->row->index_digest == NULL || is_good(self, self->row->index_digest))
		return TRUE;
	if (!need_source(self, error))
		return FALSE;
	bytes = cam_image_transport_get_manifest(self->transport, self->row->index_digest,
						 &media_type, self->cancellable, error);
	digest = bytes != NULL ? cam_store_put_blob(self->store, bytes, error) : NULL;
	return digest != NULL || cam_error_translate(error, "index %s", self->row->index_digest);
}

static gboolean
restore_manifest(Restore *self, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (!is_good(self, self->digest) && !need_source(self, error))
		return FALSE;
	bytes = cam_store_get_blob(self->store, self->digest, CAM_MANIFEST_MAX_SIZE, error);
	if (bytes != NULL)
		self->manifest = cam_manifest_parse(bytes, NULL, error);
	return self->manifest != NULL;
}

static gboolean
restore_config(Restore *self, GError **error)
{
	const CamDescriptor *descriptor = self->manifest->config;
	g_autoptr(GBytes) bytes =
		cam_store_get_blob(self->store, descriptor->digest, CAM_MANIFEST_MAX_SIZE, NULL);

	if (bytes == NULL) {
		if (!need_source(self, error))
			return FALSE;
		bytes = cam_image_transport_get_blob(self->transport, descriptor,
						     CAM_MANIFEST_MAX_SIZE, self->cancellable,
						     error);
		if (bytes == NULL ||
		    !cam_store_put_blob_as(self->store, bytes, descriptor->digest, error))
			return cam_error_translate(error, "config %s", descriptor->digest);
	}
	self->config = cam_image_config_parse(bytes, error);
	if (self->config == NULL)
		return FALSE;
	return self->config->diff_ids->len == self->manifest->layers->len ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "its manifest and its config name different numbers of layers");
}

/* ---- layers ---- */

/* From a blob of the store's own, if there is one, or from the source. */
static GInputStream *
open_layer_blob(Restore *self, const CamDescriptor *layer, GError **error)
{
	GInputStream *own = cam_store_has_blob(self->store, layer->digest)
				    ? cam_store_open_blob(self->store, layer->digest, NULL, NULL)
				    : NULL;

	if (own != NULL)
		return own;
	return need_source(self, error) ? cam_image_transport_open_blob_unverified(
						  self->transport, layer, self->cancellable, error)
					: NULL;
}

static gboolean
restore_layer(Restore *self, guint i, GError **error)
{
	const CamDescriptor *layer = g_ptr_array_index(self->manifest->layers, i);
	const char *diff_id = g_ptr_array_index(self->config->diff_ids, i);
	/* It was taken once, by somebody who decided that. */
	CamLayerLimits limits = { .allow_ambiguous = TRUE };
	g_autoptr(GInputStream) blob = NULL;
	g_autoptr(CamLayerInfo) info = NULL;

	if (cam_store_has_layer(self->store, diff_id))
		return TRUE;
	blob = open_layer_blob(self, layer, error);
	if (blob != NULL)
		info = cam_store_import_layer(self->store, blob, layer, diff_id, &limits,
					      self->progress, self->cancellable, error);
	return info != NULL || cam_error_translate(error, "layer %s", diff_id);
}

/* ---- all of it ---- */

static gboolean
restore_image(Restore *self, const char *name, GError **error)
{
	self->row = cam_images_find_row(self->store, name, &self->digest, error);
	if (self->row == NULL || !restore_index(self, error) || !restore_manifest(self, error) ||
	    !restore_config(self, error))
		return FALSE;
	for (guint i = 0; i < self->manifest->layers->len; i++)
		if (!restore_layer(self, i, error))
			return FALSE;
	return TRUE;
}

static CamRestored *
try_image(const Restore *context, const char *name, GHashTable *told)
{
	g_auto(Restore) self = *context;
	g_autoptr(GError) problem = NULL;
	CamRestored *restored = g_new0(CamRestored, 1);

	restored->subject = g_strconcat("image ", name, NULL);
	if (!restore_image(&self, name, &problem))
		restored->problem = g_strdup(problem->message);
	if (self.transport != NULL)
		restored->source = g_strdup(self.row->source);
	for (guint i = 0; self.config != NULL && i < self.config->diff_ids->len; i++)
		g_hash_table_add(told, g_strdup(g_ptr_array_index(self.config->diff_ids, i)));
	return restored;
}

/* What one image lacked another may have brought. */
static void
try_again(const Restore *context, const CamVerifyResult *verified, GPtrArray *restored)
{
	for (guint i = 0; i < restored->len; i++) {
		CamRestored *outcome = g_ptr_array_index(restored, i);
		g_auto(Restore) self = *context;

		self.offline = TRUE;
		if (outcome->problem != NULL &&
		    restore_image(&self, verified->affected->pdata[i], NULL))
			g_clear_pointer(&outcome->problem, g_free);
	}
}

/* ---- layers of no image ---- */

/* Damaged objects are gone: what is there is good. */
static gboolean
check_object(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	return entry->object == NULL || cam_store_has_object(user_data, entry->object) ||
	       cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is missing", entry->path);
}

static gboolean
write_row(CamStore *store, const CamLayerInfo *info, gboolean present)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(store, &state);

	return present ? cam_layers_insert(state, info, NULL)
		       : cam_layers_delete(state, info->diff_id, NULL);
}

/* A layer that was adopted consists of the same objects as one that was imported: when that one is
 * back, it may be whole again, and only its row is missing. */
static gboolean
revive(const Restore *context, const CamLayerInfo *info)
{
	if (!write_row(context->store, info, TRUE))
		return FALSE;
	if (cam_store_foreach_layer_entry(context->store, info->diff_id, check_object,
					  context->store, NULL) &&
	    cam_layer_drain(context->store, info->diff_id, context->cancellable, NULL))
		return TRUE;
	write_row(context->store, info, FALSE);
	return FALSE;
}

static char *
explain_lost(CamStore *store, const char *diff_id)
{
	g_autoptr(GPtrArray) leases = cam_leases_of(store, diff_id, NULL);

	if (leases == NULL || leases->len == 0)
		return g_strdup("no image of the store has it; what needs it must bring it again");
	g_ptr_array_add(leases, NULL);
	g_autofree char *ids = g_strjoinv(", ", (char **) leases->pdata);
	return g_strdup_printf("no image of the store has it, but %s; remove that and pull its "
			       "image again",
			       ids);
}

static void
restore_lost(const Restore *context, const CamVerifyResult *verified, GHashTable *told,
	     GPtrArray *restored)
{
	for (guint i = 0; i < verified->lost->len; i++) {
		const CamLayerInfo *info = g_ptr_array_index(verified->lost, i);
		CamRestored *outcome;

		if (g_hash_table_contains(told, info->diff_id) ||
		    cam_store_has_layer(context->store, info->diff_id))
			continue;
		outcome = g_new0(CamRestored, 1);
		outcome->subject = g_strconcat("layer ", info->diff_id, NULL);
		if (!revive(context, info))
			outcome->problem = explain_lost(context->store, info->diff_id);
		g_ptr_array_add(restored, outcome);
	}
}

GPtrArray *
cam_store_restore(CamStore *self, const CamVerifyResult *verified, CamFillTransportFunc fill,
		  gpointer user_data, CamProgress *progress, GCancellable *cancellable,
		  GError **error)
{
	g_autoptr(CamStoreHold) hold = cam_store_hold(self, cancellable, error);
	g_autoptr(GPtrArray) restored =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_restored_free);
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Restore context = {
		.store = self,
		.fill = fill,
		.user_data = user_data,
		.progress = progress,
		.cancellable = cancellable,
	};

	if (hold == NULL)
		return NULL;
	for (guint i = 0; i < verified->affected->len; i++) {
		g_ptr_array_add(restored, try_image(&context, verified->affected->pdata[i], told));
		if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
			cam_error_translate(error, NULL);
			return NULL;
		}
	}
	try_again(&context, verified, restored);
	restore_lost(&context, verified, told, restored);
	return g_steal_pointer(&restored);
}
