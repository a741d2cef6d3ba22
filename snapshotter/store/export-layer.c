/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the cheapest honest way of a layer to a destination: it is there; the store has the blob;
 * the source still has it; it is compressed anew. Every byte that is sent is verified on the way
 * (the transport's put_blob wrapper does that), wherever it comes from.
 */
#include "snapshotter/store/export-layer.h"

#include "snapshotter/base/compression.h"
#include "snapshotter/transport/pause.h"
#include "snapshotter/transport/progress-stream.h"

#define MAX_ATTEMPTS 3

/* Opens the same content from its beginning each time it is called. */
typedef GInputStream *(*ContentOpener)(CamLayerExport *self, gconstpointer what,
				       const CamDescriptor *descriptor, GError **error);

static gboolean
send_once(CamLayerExport *self, const CamDescriptor *descriptor, ContentOpener open,
	  gconstpointer what, guint phase, GError **error)
{
	g_autoptr(GInputStream) content = open(self, what, descriptor, error);
	g_autoptr(GInputStream) counted = NULL;

	if (content == NULL)
		return FALSE;
	counted = cam_progress_stream_new(content, self->progress, phase);
	return cam_image_transport_put_blob(self->destination, descriptor, counted,
					    self->cancellable, error);
}

static gboolean
send(CamLayerExport *self, const CamDescriptor *descriptor, const char *label, ContentOpener open,
     gconstpointer what, GError **error)
{
	for (guint attempt = 1;; attempt++) {
		g_autoptr(GError) local = NULL;
		g_autofree char *text = g_strconcat("sending ", label, NULL);
		guint phase = cam_progress_begin(self->progress, text, (guint64) descriptor->size,
						 CAM_PROGRESS_BYTES);
		gboolean sent = send_once(self, descriptor, open, what, phase, &local);

		cam_progress_end(self->progress, phase);
		if (sent) {
			self->result->bytes_sent += (guint64) descriptor->size;
			return TRUE;
		}
		if (local->code != (int) CAM_ERROR_UNAVAILABLE || attempt == MAX_ATTEMPTS) {
			g_propagate_error(error, g_steal_pointer(&local));
			return cam_error_translate(error, "%s", label);
		}
		if (!cam_pause(cam_pause_for_attempt(attempt), self->cancellable, error))
			return FALSE;
	}
}

static GInputStream *
open_from_store(CamLayerExport *self, gconstpointer what, const CamDescriptor *descriptor,
		GError **error)
{
	return cam_store_open_blob(self->store, descriptor->digest, NULL, error);
}

static GInputStream *
open_from_source(CamLayerExport *self, gconstpointer what, const CamDescriptor *descriptor,
		 GError **error)
{
	return cam_image_transport_open_blob_unverified((CamImageTransport *) what, descriptor,
							self->cancellable, error);
}

static GInputStream *
open_layer(CamLayerExport *self, gconstpointer what, const CamDescriptor *descriptor,
	   GError **error)
{
	return cam_store_open_layer(self->store, what, error);
}

gboolean
cam_layer_export_send_blob(CamLayerExport *self, const CamDescriptor *descriptor, const char *label,
			   GError **error)
{
	gboolean present = FALSE;

	if (!cam_image_transport_has_blob(self->destination, descriptor, self->mount_from, &present,
					  self->cancellable, error))
		return FALSE;
	return present || send(self, descriptor, label, open_from_store, NULL, error);
}

/* ---- blobs that exist ---- */

static gboolean
is_acceptable(CamLayerExport *self, const CamDescriptor *descriptor)
{
	CamCompression is = cam_compression_for_media_type(descriptor->media_type);

	switch (self->compression) {
	case CAM_EXPORT_KEEP:
		return TRUE;
	case CAM_EXPORT_GZIP:
		return is == CAM_COMPRESSION_GZIP;
	case CAM_EXPORT_ZSTD:
		return is == CAM_COMPRESSION_ZSTD;
	case CAM_EXPORT_NONE:
		return is == CAM_COMPRESSION_NONE;
	}
	return FALSE;
}

/* From the first source that has it. Sources fail in silence, for there are other ways; one that
 * has failed is not asked again. */
static gboolean
copy_from_sources(CamLayerExport *self, const CamDescriptor *descriptor, const char *label)
{
	while (self->sources->len > 0) {
		if (send(self, descriptor, label, open_from_source,
			 g_ptr_array_index(self->sources, 0), NULL))
			return TRUE;
		g_ptr_array_remove_index(self->sources, 0);
	}
	return FALSE;
}

/* *@done: the destination has @descriptor now. @copy: also ask the sources. */
static gboolean
send_existing(CamLayerExport *self, const CamDescriptor *descriptor, const char *label,
	      gboolean copy, gboolean *done, GError **error)
{
	*done = FALSE;
	if (!cam_image_transport_has_blob(self->destination, descriptor, self->mount_from, done,
					  self->cancellable, error))
		return FALSE;
	if (*done) {
		self->result->layers_present++;
		return TRUE;
	}
	if (cam_store_has_blob(self->store, descriptor->digest)) {
		*done = send(self, descriptor, label, open_from_store, NULL, error);
		self->result->layers_sent += *done;
		return *done;
	}
	if (copy && copy_from_sources(self, descriptor, label)) {
		*done = TRUE;
		self->result->layers_copied++;
	}
	return !g_cancellable_set_error_if_cancelled(self->cancellable, error) ||
	       cam_error_translate(error, NULL);
}

/* ---- blobs made anew ---- */

static CamCompression
target_compression(CamLayerExport *self, const CamDescriptor *wanted)
{
	switch (self->compression) {
	case CAM_EXPORT_KEEP:
		return cam_compression_for_media_type(wanted->media_type);
	case CAM_EXPORT_GZIP:
		return CAM_COMPRESSION_GZIP;
	case CAM_EXPORT_ZSTD:
		return CAM_COMPRESSION_ZSTD;
	case CAM_EXPORT_NONE:
		return CAM_COMPRESSION_NONE;
	}
	return CAM_COMPRESSION_GZIP;
}

static const char *
media_type_for(gboolean docker, CamCompression compression)
{
	switch (compression) {
	case CAM_COMPRESSION_NONE:
		return docker ? CAM_MEDIA_TYPE_DOCKER_LAYER : CAM_MEDIA_TYPE_OCI_LAYER;
	case CAM_COMPRESSION_ZSTD:
		return docker ? CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD : CAM_MEDIA_TYPE_OCI_LAYER_ZSTD;
	case CAM_COMPRESSION_GZIP:
	case CAM_COMPRESSION_AUTO:
		break;
	}
	return docker ? CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP : CAM_MEDIA_TYPE_OCI_LAYER_GZIP;
}

/* Compressed into the store's blobs first: a digest must be known before a byte is sent. */
static CamDescriptor *
compress_layer(CamLayerExport *self, const char *media_type, CamCompression compression,
	       const char *diff_id, const char *label, GError **error)
{
	g_autoptr(CamLayerInfo) info = cam_store_get_layer_info(self->store, diff_id, error);
	g_autoptr(GInputStream) layer = NULL;
	g_autoptr(GInputStream) counted = NULL;
	g_autoptr(GInputStream) compressed = NULL;
	g_autoptr(CamDescriptor) made = NULL;
	g_autofree char *text = g_strconcat("compressing ", label, NULL);
	g_autofree char *digest = NULL;
	gint64 size = 0;
	guint phase;

	layer = info != NULL ? cam_store_open_layer(self->store, diff_id, error) : NULL;
	if (layer == NULL)
		return NULL;
	phase = cam_progress_begin(self->progress, text, info->size, CAM_PROGRESS_BYTES);
	counted = cam_progress_stream_new(layer, self->progress, phase);
	compressed = cam_compress_stream_new(counted, compression, error);
	if (compressed != NULL)
		digest = cam_store_put_blob_stream(self->store, compressed, NULL, &size,
						   self->cancellable, error);
	cam_progress_end(self->progress, phase);
	if (digest == NULL)
		return NULL;
	made = cam_descriptor_new(media_type, digest, size);
	return cam_store_add_layer_blob(self->store, diff_id, made, error) ? g_steal_pointer(&made)
									   : NULL;
}

static CamDescriptor *
send_made(CamLayerExport *self, const CamDescriptor *wanted, const char *diff_id, const char *label,
	  GError **error)
{
	CamCompression compression = target_compression(self, wanted);
	const char *media_type = media_type_for(self->docker, compression);
	g_autoptr(CamDescriptor) made = NULL;
	gboolean done = FALSE;

	if (compression == CAM_COMPRESSION_NONE) {
		g_autoptr(CamLayerInfo) info =
			cam_store_get_layer_info(self->store, diff_id, error);

		if (info == NULL)
			return NULL;
		made = cam_descriptor_new(media_type, diff_id, (gint64) info->size);
	} else {
		made = compress_layer(self, media_type, compression, diff_id, label, error);
	}
	if (made == NULL || !send_existing(self, made, label, FALSE, &done, error))
		return NULL;
	if (!done) {
		if (!send(self, made, label, open_layer, diff_id, error))
			return NULL;
		self->result->layers_sent++;
	}
	return g_steal_pointer(&made);
}

/* Another blob of the same layer, made or seen before, that is at hand without work. */
static gboolean
send_known(CamLayerExport *self, const CamDescriptor *wanted, const char *diff_id,
	   const char *label, CamDescriptor **sent, GError **error)
{
	g_autoptr(GPtrArray) known = cam_store_blobs_for_layer(self->store, diff_id, error);

	*sent = NULL;
	if (known == NULL)
		return FALSE;
	for (guint i = 0; i < known->len && *sent == NULL; i++) {
		const CamDescriptor *blob = g_ptr_array_index(known, i);
		gboolean done = FALSE;

		if (cam_compression_for_media_type(blob->media_type) !=
			    target_compression(self, wanted) ||
		    g_str_equal(blob->digest, wanted->digest))
			continue;
		if (!send_existing(self, blob, label, FALSE, &done, error))
			return FALSE;
		if (done)
			*sent = cam_descriptor_copy(blob);
	}
	return TRUE;
}

CamDescriptor *
cam_layer_export_send(CamLayerExport *self, const CamDescriptor *wanted, const char *diff_id,
		      const char *label, GError **error)
{
	CamDescriptor *sent = NULL;
	gboolean done = FALSE;

	if (is_acceptable(self, wanted) && !send_existing(self, wanted, label, TRUE, &done, error))
		return NULL;
	if (done)
		return cam_descriptor_copy(wanted);
	if (!send_known(self, wanted, diff_id, label, &sent, error))
		return NULL;
	return sent != NULL ? sent : send_made(self, wanted, diff_id, label, error);
}
