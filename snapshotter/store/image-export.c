/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of an image out of the store: layers, config, manifest, name, in the order in which a
 * reader may need them. How a layer gets there is export-layer.c.
 *
 * An image that was chosen from an index goes out as the single manifest that it is: the images of
 * the other platforms are not in the store.
 */
#include "snapshotter/store/image-import.h"

#include <string.h>

#include "snapshotter/oci/json.h"
#include "snapshotter/store/export-layer.h"

typedef struct {
	CamLayerExport layers;
	const CamImage *image;
	const CamExportOptions *options;
	char *tag;	  /* (nullable) */
	char *mount_from; /* (nullable) */
	GPtrArray *sent;  /* (element-type CamDescriptor): the layers as the destination has them */
} Export;

static void
export_clear(Export *self)
{
	g_clear_object(&self->layers.destination);
	g_clear_pointer(&self->layers.sources, g_ptr_array_unref);
	g_free(self->tag);
	g_free(self->mount_from);
	g_clear_pointer(&self->sent, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Export, export_clear)

void
cam_export_result_clear(CamExportResult *self)
{
	g_clear_pointer(&self->manifest_digest, g_free);
}

/* ---- places ---- */

/* Where the blobs of the image, and of the one that it is the repair of, came from. What cannot be
 * opened is no source. */
static void
add_source(Export *self, const char *text, const CamLocation *destination)
{
	CamTransportOptions transport = self->options->transport;
	g_autoptr(CamLocation) location = text != NULL ? cam_location_parse(text, NULL) : NULL;
	CamImageTransport *source;

	if (location == NULL || location->transport == CAM_TRANSPORT_STORE)
		return;
	if (self->mount_from == NULL && location->transport == CAM_TRANSPORT_REGISTRY &&
	    destination->transport == CAM_TRANSPORT_REGISTRY &&
	    g_strcmp0(location->reference->host, destination->reference->host) == 0)
		self->mount_from = g_strdup(location->reference->repository);
	transport.cache_dirfd = -1;
	source = cam_image_transport_open(location, FALSE, &transport, self->layers.cancellable,
					  NULL);
	if (source != NULL)
		g_ptr_array_add(self->layers.sources, source);
}

static void
add_sources(Export *self, const CamLocation *destination)
{
	g_autoptr(CamImage) base = NULL;

	self->layers.sources = g_ptr_array_new_with_free_func(g_object_unref);
	add_source(self, self->image->source, destination);
	if (self->image->base_name != NULL)
		base = cam_store_get_image(self->layers.store, self->image->base_name, NULL);
	if (base != NULL)
		add_source(self, base->source, destination);
	self->layers.mount_from = self->mount_from;
}

/* What the image is to be called there. A docker-archive keeps whole references. */
static gboolean
choose_tag(Export *self, const CamLocation *destination, GError **error)
{
	g_autoptr(CamReference) own = cam_reference_parse(self->image->name, NULL);
	const char *own_tag = own != NULL && own->tag != NULL ? own->tag : "latest";

	switch (destination->transport) {
	case CAM_TRANSPORT_REGISTRY:
	case CAM_TRANSPORT_CONTAINERD:
		if (self->options->tag != NULL)
			self->tag = g_strdup(self->options->tag);
		else
			self->tag = g_strdup(destination->reference->tag);
		break;
	case CAM_TRANSPORT_OCI_LAYOUT:
	case CAM_TRANSPORT_OCI_ARCHIVE:
		self->tag = g_strdup(self->options->tag != NULL	 ? self->options->tag
				     : destination->name != NULL ? destination->name
								 : own_tag);
		return TRUE;
	case CAM_TRANSPORT_DOCKER_ARCHIVE:
		if (self->options->tag != NULL && own != NULL &&
		    cam_tag_is_valid(self->options->tag)) {
			self->tag = g_strdup_printf("%s%s%s:%s", own->host != NULL ? own->host : "",
						    own->host != NULL ? "/" : "", own->repository,
						    self->options->tag);
			return TRUE;
		}
		self->tag =
			g_strdup(destination->name != NULL ? destination->name : self->image->name);
		return TRUE;
	case CAM_TRANSPORT_STORE:
		break;
	}
	return self->tag == NULL || cam_tag_is_valid(self->tag) ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "\"%s\" is no tag", self->tag);
}

/* ---- documents ---- */

/* The old descriptor with what identifies the new blob: annotations and the like stay. */
static JsonObject *
merge_descriptor(const CamDescriptor *old, const CamDescriptor *now)
{
	JsonObject *json = cam_json_object_copy(old->json);

	json_object_set_string_member(json, "mediaType", now->media_type);
	json_object_set_string_member(json, "digest", now->digest);
	json_object_set_int_member(json, "size", now->size);
	return json;
}

/* The manifest's bytes as they are, unless a layer is another blob now. */
static GBytes *
make_manifest(Export *self, gboolean *rewritten)
{
	const CamManifest *manifest = self->image->manifest;
	g_autoptr(JsonObject) json = cam_json_object_copy(manifest->json);
	JsonArray *layers = json_array_new();

	*rewritten = FALSE;
	for (guint i = 0; i < manifest->layers->len; i++) {
		const CamDescriptor *old = g_ptr_array_index(manifest->layers, i);
		const CamDescriptor *now = g_ptr_array_index(self->sent, i);

		*rewritten |= !g_str_equal(old->digest, now->digest);
		json_array_add_object_element(layers, g_str_equal(old->digest, now->digest)
							      ? cam_json_object_copy(old->json)
							      : merge_descriptor(old, now));
	}
	json_object_set_array_member(json, "layers", layers);
	return *rewritten ? cam_json_to_bytes(json) : g_bytes_ref(manifest->bytes);
}

/* An archive is written anew: what an older file of that name holds would be lost. */
static gboolean
check_file_is_free(Export *self, GError **error)
{
	const CamLocation *location = cam_image_transport_get_location(self->layers.destination);

	if ((location->transport != CAM_TRANSPORT_OCI_ARCHIVE &&
	     location->transport != CAM_TRANSPORT_DOCKER_ARCHIVE) ||
	    !g_file_test(location->path, G_FILE_TEST_EXISTS))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
			     "the file %s exists: choose another name, or ask to replace it",
			     location->path);
}

static gboolean
check_tag_is_free(Export *self, const char *digest, GError **error)
{
	g_autofree char *now = NULL;

	if (self->options->replace)
		return TRUE;
	if (self->tag != NULL &&
	    !cam_image_transport_resolve_tag(self->layers.destination, self->tag, &now,
					     self->layers.cancellable, error))
		return FALSE;
	if (now == NULL)
		return check_file_is_free(self, error);
	if (g_str_equal(now, digest))
		return TRUE;
	return cam_set_error(
		error, CAM_ERROR_ALREADY_EXISTS,
		"the tag %s exists there and stands for %s: choose another tag, or ask "
		"to replace it",
		self->tag, now);
}

static gboolean
send_documents(Export *self, CamExportResult *result, GError **error)
{
	GCancellable *cancellable = self->layers.cancellable;
	CamImageTransport *destination = self->layers.destination;
	g_autoptr(GBytes) manifest = make_manifest(self, &result->rewritten);

	result->manifest_digest = cam_digest_for_bytes(manifest);
	return cam_layer_export_send_blob(&self->layers, self->image->manifest->config, "config",
					  error) &&
	       check_tag_is_free(self, result->manifest_digest, error) &&
	       cam_image_transport_put_manifest(destination, manifest,
						self->image->manifest->media_type, self->tag,
						cancellable, error) &&
	       cam_image_transport_commit(destination, cancellable, error);
}

static gboolean
send_layers(Export *self, GError **error)
{
	guint n = self->image->manifest->layers->len;

	self->sent = g_ptr_array_new_with_free_func((GDestroyNotify) cam_descriptor_free);
	for (guint i = 0; i < n; i++) {
		const CamDescriptor *layer = g_ptr_array_index(self->image->manifest->layers, i);
		g_autofree char *label = g_strdup_printf("layer %u/%u", i + 1, n);
		CamDescriptor *sent = cam_layer_export_send(&self->layers, layer,
							    self->image->diff_ids[i], label, error);

		if (sent == NULL)
			return FALSE;
		g_ptr_array_add(self->sent, sent);
	}
	return TRUE;
}

gboolean
cam_image_export(CamStore *store, const CamImage *image, const CamLocation *destination,
		 const CamExportOptions *options, CamProgress *progress, CamExportResult *result,
		 GCancellable *cancellable, GError **error)
{
	static const CamExportOptions defaults = { 0 };
	g_auto(Export) self = { 0 };
	CamTransportOptions transport = { 0 };
	g_autoptr(CamStoreHold) hold = cam_store_hold(store, cancellable, error);

	if (hold == NULL)
		return FALSE;
	*result = (CamExportResult){ 0 };
	self.image = image;
	self.options = options != NULL ? options : &defaults;
	self.layers.store = store;
	self.layers.progress = progress;
	self.layers.cancellable = cancellable;
	self.layers.result = result;
	self.layers.docker =
		g_str_equal(image->manifest->media_type, CAM_MEDIA_TYPE_DOCKER_MANIFEST);
	self.layers.compression = destination->transport == CAM_TRANSPORT_DOCKER_ARCHIVE
					  ? CAM_EXPORT_NONE
					  : self.options->compression;
	transport = self.options->transport;
	transport.cache_dirfd = -1;
	self.layers.destination =
		cam_image_transport_open(destination, TRUE, &transport, cancellable, error);
	if (self.layers.destination == NULL || !choose_tag(&self, destination, error))
		return FALSE;
	add_sources(&self, destination);
	return send_layers(&self, error) && send_documents(&self, result, error);
}
