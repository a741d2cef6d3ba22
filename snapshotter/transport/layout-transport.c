/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding images in an OCI layout by name or digest, on top of two things that layouts on disk and
 * in archives do differently: reading index.json and opening a blob.
 */
#include "snapshotter/transport/layout-transport.h"

#include <string.h>

#include "snapshotter/oci/manifest.h"
#include "snapshotter/transport/stream-bytes.h"

G_DEFINE_ABSTRACT_TYPE(CamLayoutTransport, cam_layout_transport, CAM_TYPE_IMAGE_TRANSPORT)

char *
cam_layout_blob_path(const char *digest)
{
	char *path = g_strconcat("blobs/", digest, NULL);

	*strchr(path, ':') = '/';
	return path;
}

static CamIndex *
read_index(CamImageTransport *transport, GCancellable *cancellable, GError **error)
{
	return CAM_LAYOUT_TRANSPORT_GET_CLASS(transport)->read_index(
		CAM_LAYOUT_TRANSPORT(transport), cancellable, error);
}

static const char *
name_or_default(CamImageTransport *transport, const char *reference)
{
	return reference != NULL ? reference : cam_image_transport_get_location(transport)->name;
}

/* The digest is verified by the wrapper of get_manifest. */
static GBytes *
get_by_digest(CamImageTransport *transport, const char *digest, char **media_type,
	      GCancellable *cancellable, GError **error)
{
	CamDescriptor unsized = { .media_type = (char *) CAM_MEDIA_TYPE_OCI_MANIFEST,
				  .digest = (char *) digest,
				  .size = -1 };
	g_autoptr(GInputStream) stream = CAM_IMAGE_TRANSPORT_GET_CLASS(transport)->open_blob(
		transport, &unsized, cancellable, error);
	g_autoptr(GBytes) bytes = NULL;

	if (stream != NULL)
		bytes = cam_stream_read_bytes(stream, CAM_MANIFEST_MAX_SIZE, digest, cancellable,
					      error);
	if (bytes != NULL)
		*media_type = cam_manifest_guess_media_type(bytes);
	return g_steal_pointer(&bytes);
}

static GBytes *
layout_transport_get_manifest(CamImageTransport *transport, const char *reference,
			      char **media_type, GCancellable *cancellable, GError **error)
{
	const char *name = name_or_default(transport, reference);
	g_autoptr(CamIndex) index = NULL;
	g_autoptr(GBytes) synthesised = NULL;
	g_autoptr(GBytes) bytes = NULL;
	const CamDescriptor *entry;

	if (name != NULL && cam_digest_is_valid(name))
		return get_by_digest(transport, name, media_type, cancellable, error);
	index = read_index(transport, cancellable, error);
	if (index == NULL)
		return NULL;
	entry = cam_layout_index_find(index, name, &synthesised, error);
	if (synthesised != NULL) {
		*media_type = g_strdup(CAM_MEDIA_TYPE_OCI_INDEX);
		return g_steal_pointer(&synthesised);
	}
	if (entry == NULL) {
		cam_error_translate(error, "%s", cam_image_transport_get_location(transport)->path);
		return NULL;
	}
	bytes = cam_image_transport_get_blob(transport, entry, CAM_MANIFEST_MAX_SIZE, cancellable,
					     error);
	if (bytes != NULL)
		*media_type = g_strdup(entry->media_type);
	return g_steal_pointer(&bytes);
}

static gboolean
layout_transport_resolve_tag(CamImageTransport *transport, const char *tag, char **digest,
			     GCancellable *cancellable, GError **error)
{
	g_autoptr(CamIndex) index = read_index(transport, cancellable, error);

	if (index == NULL)
		return FALSE;
	for (guint i = 0; i < index->manifests->len && *digest == NULL; i++) {
		const CamDescriptor *entry = g_ptr_array_index(index->manifests, i);

		if (g_strcmp0(cam_descriptor_get_annotation(entry, CAM_ANNOTATION_REF_NAME), tag) ==
		    0)
			*digest = g_strdup(entry->digest);
	}
	return TRUE;
}

static char *
layout_transport_get_name(CamImageTransport *transport, const char *reference)
{
	g_autoptr(CamIndex) index = read_index(transport, NULL, NULL);
	g_autoptr(GBytes) synthesised = NULL;
	const CamDescriptor *entry = NULL;

	if (index != NULL)
		entry = cam_layout_index_find(index, name_or_default(transport, reference),
					      &synthesised, NULL);
	return entry != NULL ? g_strdup(cam_layout_entry_name(entry)) : NULL;
}

static void
cam_layout_transport_class_init(CamLayoutTransportClass *klass)
{
	CamImageTransportClass *transport = CAM_IMAGE_TRANSPORT_CLASS(klass);

	transport->get_manifest = layout_transport_get_manifest;
	transport->resolve_tag = layout_transport_resolve_tag;
	transport->get_name = layout_transport_get_name;
}

static void
cam_layout_transport_init(CamLayoutTransport *self)
{
}
