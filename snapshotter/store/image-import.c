/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of an image into the store. Owns the order of steps and what must fit together between
 * manifest, config and layers; reading places is the transport's, keeping content the store's.
 *
 * Where is what verified? Manifests and configs by the transport's wrappers; layers, blob digest,
 * size and diffID alike, by cam_store_import_layer(), which hashes them as they stream by.
 */
#include "snapshotter/store/image-import.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/oci/index.h"

#define CACHE_DIRECTORY	  "cache/downloads"
#define MAX_INDEX_NESTING 4

typedef struct {
	CamStore *store;
	const CamImportOptions *options;
	CamProgress *progress;
	GCancellable *cancellable;
	CamImageTransport *transport;
	gboolean compares_diff_ids; /* the source has compared blobs and diffIDs */
	CamPlatform *platform;
	char *index_digest; /* (nullable) */
	CamManifest *manifest;
	CamImageConfig *config;
} Import;

static void
import_clear(Import *self)
{
	g_clear_object(&self->transport);
	cam_platform_free(self->platform);
	g_free(self->index_digest);
	cam_manifest_free(self->manifest);
	cam_image_config_free(self->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Import, import_clear)

/* ---- documents ---- */

static gboolean
keep_document(Import *self, GBytes *bytes, GError **error)
{
	g_autofree char *digest = cam_store_put_blob(self->store, bytes, error);

	return digest != NULL;
}

static const CamDescriptor *
choose_from_index(Import *self, CamIndex *index, GError **error)
{
	if (self->index_digest == NULL)
		self->index_digest = g_strdup(index->digest);
	return keep_document(self, index->bytes, error)
		       ? cam_index_select(index, self->platform, error)
		       : NULL;
}

/* What an index says of one of its images must be so: others go by that. */
static gboolean
check_kind(const CamDescriptor *chosen, const char *media_type, GError **error)
{
	if (chosen == NULL ||
	    cam_media_type_is_index(chosen->media_type) == cam_media_type_is_index(media_type))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "the index calls %s %s and the document is %s", chosen->digest,
			     chosen->media_type, media_type);
}

/* Down through indexes to the one manifest. */
static gboolean
fetch_manifest(Import *self, GError **error)
{
	g_autoptr(CamDescriptor) chosen = NULL;

	for (guint depth = 0; depth <= MAX_INDEX_NESTING; depth++) {
		g_autofree char *media_type = NULL;
		g_autoptr(CamIndex) index = NULL;
		const CamDescriptor *next;
		g_autoptr(GBytes) bytes = cam_image_transport_get_manifest(
			self->transport, chosen != NULL ? chosen->digest : NULL, &media_type,
			self->cancellable, error);

		if (bytes == NULL || !check_kind(chosen, media_type, error))
			return FALSE;
		if (!cam_media_type_is_index(media_type)) {
			self->manifest = cam_manifest_parse(bytes, media_type, error);
			return self->manifest != NULL;
		}
		index = cam_index_parse(bytes, media_type, error);
		if (index == NULL)
			return FALSE;
		next = choose_from_index(self, index, error);
		if (next == NULL)
			return FALSE;
		cam_descriptor_free(chosen);
		chosen = cam_descriptor_copy(next);
	}
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "indexes within indexes, more than %d deep", MAX_INDEX_NESTING);
}

/* The type of a layer, but compressed, encrypted or packed as this does not read. */
static gboolean
is_other_layer_type(const char *media_type)
{
	return g_str_has_prefix(media_type, "application/vnd.oci.image.layer.") ||
	       g_str_has_prefix(media_type, "application/vnd.docker.image.rootfs.");
}

/* Artifacts (signatures, SBOMs, attestations, charts) have manifests as images have. */
static gboolean
check_is_image(const CamManifest *manifest, GError **error)
{
	if (!g_str_equal(manifest->config->media_type, CAM_MEDIA_TYPE_OCI_CONFIG) &&
	    !g_str_equal(manifest->config->media_type, CAM_MEDIA_TYPE_DOCKER_CONFIG))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s is not an image but an artifact: its config is of type %s",
				     manifest->digest, manifest->config->media_type);
	for (guint i = 0; i < manifest->layers->len; i++) {
		const CamDescriptor *layer = g_ptr_array_index(manifest->layers, i);

		if (cam_media_type_is_layer(layer->media_type))
			continue;
		if (is_other_layer_type(layer->media_type))
			return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
					     "%s: layer %u is of type %s, which is not supported: "
					     "layers are tar, "
					     "tar with gzip or tar with zstd; convert the image",
					     manifest->digest, i + 1, layer->media_type);
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"%s is not an image but an artifact or attestation: layer %u is of "
			"type %s",
			manifest->digest, i + 1, layer->media_type);
	}
	return TRUE;
}

/* An image for another platform may be kept and scanned, unless one was asked for. */
static gboolean
check_platform(Import *self, GError **error)
{
	g_autofree char *wanted = cam_platform_to_string(self->platform);
	g_autofree char *offered = cam_platform_to_string(self->config->platform);

	if (cam_platform_match(self->platform, self->config->platform))
		return TRUE;
	if (self->options->platform != NULL)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "the image is for %s, not for %s, and there is no other",
				     offered, wanted);
	cam_progress_message(self->progress, "the image is for %s", offered);
	return TRUE;
}

static gboolean
fetch_config(Import *self, GError **error)
{
	g_autoptr(GBytes) bytes =
		cam_image_transport_get_blob(self->transport, self->manifest->config,
					     CAM_MANIFEST_MAX_SIZE, self->cancellable, error);

	if (bytes == NULL)
		return cam_error_translate(error, "config of manifest %s", self->manifest->digest);
	self->config = cam_image_config_parse(bytes, error);
	if (self->config == NULL || !check_platform(self, error))
		return FALSE;
	if (self->config->diff_ids->len != self->manifest->layers->len)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "manifest %s has %u layers but its config names %u diffIDs",
				     self->manifest->digest, self->manifest->layers->len,
				     self->config->diff_ids->len);
	return cam_store_put_blob_as(self->store, bytes, self->manifest->config->digest, error) &&
	       keep_document(self, self->manifest->bytes, error);
}

/* ---- layers ---- */

/*
 * A layer that is there need not be fetched once more, if this source may have it: its manifest
 * names a blob that is known to hold this layer, and the source has that blob. Otherwise
 * naming the diffID of a layer would be enough to get its content.
 *
 * containerd has compared blobs and diffIDs when it unpacked them.
 */
static gboolean
is_present(Import *self, const CamDescriptor *layer, const char *diff_id, gboolean *present,
	   GError **error)
{
	g_autofree char *known = cam_store_layer_for_blob(self->store, layer->digest);

	if (known != NULL && !g_str_equal(known, diff_id))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "blob %s holds layer %s, but the config says %s",
				     layer->digest, known, diff_id);
	*present =
		cam_store_has_layer(self->store, diff_id) &&
		(known != NULL || g_str_equal(layer->digest, diff_id) || self->compares_diff_ids) &&
		cam_image_transport_holds_blob(self->transport, layer, self->cancellable);
	return TRUE;
}

static gboolean
stream_layer(Import *self, const CamDescriptor *layer, const char *diff_id, GError **error)
{
	g_autoptr(CamLayerInfo) info = NULL;
	g_autoptr(GInputStream) blob = cam_image_transport_open_blob_unverified(
		self->transport, layer, self->cancellable, error);

	if (blob == NULL)
		return FALSE;
	info = cam_store_import_layer(self->store, blob, layer, diff_id, &self->options->limits,
				      self->progress, self->cancellable, error);
	return info != NULL;
}

/* The part of an earlier run may be what is wrong, and then the bytes need not even look like a
 * layer: once more, all of it from the source. */
static gboolean
may_be_the_part(const GError *error)
{
	return error->code == (int) CAM_ERROR_DATA_LOSS ||
	       error->code == (int) CAM_ERROR_INVALID_ARGUMENT;
}

static gboolean
import_layer(Import *self, guint i, GError **error)
{
	const CamDescriptor *layer = g_ptr_array_index(self->manifest->layers, i);
	const char *diff_id = g_ptr_array_index(self->config->diff_ids, i);
	gboolean resumed = cam_image_transport_has_part(self->transport, layer);
	gboolean present = FALSE;

	if (!is_present(self, layer, diff_id, &present, error))
		return FALSE;
	while (!present) {
		g_autoptr(GError) local = NULL;

		if (stream_layer(self, layer, diff_id, &local))
			break;
		if (local->code != (int) CAM_ERROR_UNAVAILABLE &&
		    local->code != (int) CAM_ERROR_CANCELLED)
			cam_image_transport_forget_part(self->transport, layer);
		if (!resumed || !may_be_the_part(local)) {
			g_propagate_error(error, g_steal_pointer(&local));
			return cam_error_translate(error, "layer %u of %u (%s)", i + 1,
						   self->manifest->layers->len, layer->digest);
		}
		resumed = FALSE;
	}
	cam_image_transport_forget_part(self->transport, layer);
	return TRUE;
}

/* ---- all of it ---- */

static char *
choose_name(Import *self, GError **error)
{
	g_autoptr(CamReference) reference = NULL;

	if (self->options->name == NULL)
		return cam_image_transport_suggest_name(self->transport, NULL);
	reference = cam_reference_parse(self->options->name, error);
	return reference != NULL ? cam_reference_to_string(reference) : NULL;
}

/* As it can be found again from another directory. */
static char *
absolute_source(const CamLocation *source)
{
	g_autoptr(CamLocation) location = cam_location_copy(source);

	if (location->path != NULL) {
		g_free(location->path);
		location->path = g_canonicalize_filename(source->path, NULL);
	}
	return cam_location_to_string(location);
}

static CamImage *
finish(Import *self, const CamLocation *source, GError **error)
{
	g_autofree char *name = choose_name(self, error);
	g_autofree char *location = absolute_source(source);
	g_autoptr(GPtrArray) diff_ids = g_ptr_array_new();
	g_autoptr(CamRootfs) rootfs = NULL;

	if (name == NULL)
		return NULL;
	for (guint i = 0; i < self->config->diff_ids->len; i++)
		g_ptr_array_add(diff_ids, g_ptr_array_index(self->config->diff_ids, i));
	g_ptr_array_add(diff_ids, NULL);
	rootfs = cam_store_open_rootfs(self->store, (const char *const *) diff_ids->pdata,
				       self->cancellable, error);
	if (rootfs == NULL ||
	    !cam_store_put_image(self->store, name, self->manifest->digest, self->index_digest,
				 location, NULL, self->options->replace, error))
		return NULL;
	return cam_store_get_image(self->store, name, error);
}

static gboolean
open_source(Import *self, const CamLocation *source, GError **error)
{
	CamTransportOptions transport = self->options->transport;
	int store_dirfd = cam_store_get_dirfd(self->store);
	g_auto(CamFd) cache = -1;

	/* Parts of downloads, and layers that lie in a compressed archive before they are wanted.
	 */
	if (source->transport == CAM_TRANSPORT_REGISTRY ||
	    source->transport == CAM_TRANSPORT_OCI_ARCHIVE ||
	    source->transport == CAM_TRANSPORT_DOCKER_ARCHIVE) {
		if (!cam_mkdirs_at(store_dirfd, CACHE_DIRECTORY, 0700, error))
			return FALSE;
		cache = cam_openat_beneath(store_dirfd, CACHE_DIRECTORY, O_RDONLY | O_DIRECTORY, 0,
					   error);
		if (cache < 0)
			return FALSE;
	}
	self->compares_diff_ids = source->transport == CAM_TRANSPORT_CONTAINERD;
	transport.cache_dirfd = cache;
	transport.progress = self->progress;
	self->transport =
		cam_image_transport_open(source, FALSE, &transport, self->cancellable, error);
	return self->transport != NULL;
}

CamImage *
cam_image_import(CamStore *store, const CamLocation *source, const CamImportOptions *options,
		 CamProgress *progress, GCancellable *cancellable, GError **error)
{
	static const CamImportOptions defaults = { .replace = TRUE };
	g_auto(Import) self = { 0 };
	/* Nothing names the layers before the end: gc waits. */
	g_autoptr(CamStoreHold) hold = cam_store_hold(store, cancellable, error);

	if (hold == NULL)
		return NULL;
	self.store = store;
	self.options = options != NULL ? options : &defaults;
	self.progress = progress;
	self.cancellable = cancellable;
	self.platform = self.options->platform != NULL ? cam_platform_copy(self.options->platform)
						       : cam_platform_host();
	if (!open_source(&self, source, error) || !fetch_manifest(&self, error) ||
	    !check_is_image(self.manifest, error) || !fetch_config(&self, error))
		return NULL;
	cam_image_transport_expect_blobs(self.transport, self.manifest->layers);
	for (guint i = 0; i < self.manifest->layers->len; i++) {
		if (!import_layer(&self, i, error))
			return NULL;
	}
	return finish(&self, source, error);
}
