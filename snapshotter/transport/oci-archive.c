/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI layouts in a tar. An archive is written as a whole: one that is there is replaced, together
 * with whatever other images it held.
 */
#include <string.h>

#include "snapshotter/transport/archive-members.h"
#include "snapshotter/transport/archive-output.h"
#include "snapshotter/transport/layout-transport.h"

#define CAM_TYPE_OCI_ARCHIVE (cam_oci_archive_get_type())
G_DECLARE_FINAL_TYPE(CamOciArchive, cam_oci_archive, CAM, OCI_ARCHIVE, CamLayoutTransport)

struct _CamOciArchive {
	CamLayoutTransport parent_instance;
	CamArchiveMembers *members; /* (nullable): of an archive that was there */
	CamArchiveOutput *output;   /* (nullable): of one that is being written */
	CamIndex *written;	    /* (nullable): index.json of the one being written */
};

G_DEFINE_FINAL_TYPE(CamOciArchive, cam_oci_archive, CAM_TYPE_LAYOUT_TRANSPORT)

static CamIndex *
oci_archive_read_index(CamLayoutTransport *transport, GCancellable *cancellable, GError **error)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(transport);
	g_autoptr(GBytes) bytes = NULL;

	if (self->members == NULL)
		return cam_layout_index_new();
	bytes = cam_archive_members_read(self->members, CAM_LAYOUT_INDEX, CAM_MANIFEST_MAX_SIZE,
					 cancellable, error);
	return bytes != NULL ? cam_index_parse(bytes, CAM_MEDIA_TYPE_OCI_INDEX, error) : NULL;
}

static GInputStream *
oci_archive_open_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		      GCancellable *cancellable, GError **error)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(transport);
	g_autofree char *path = cam_layout_blob_path(descriptor->digest);

	if (self->members == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "the archive is being written");
		return NULL;
	}
	return cam_archive_members_open_member(self->members, path, cancellable, error);
}

static void
oci_archive_expect_blobs(CamImageTransport *transport, const GPtrArray *descriptors)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(transport);
	int dirfd = cam_image_transport_get_cache_dirfd(transport);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (self->members == NULL || dirfd < 0)
		return;
	for (guint i = 0; i < descriptors->len; i++) {
		const CamDescriptor *descriptor = g_ptr_array_index(descriptors, i);

		g_ptr_array_add(names, cam_layout_blob_path(descriptor->digest));
	}
	g_ptr_array_add(names, NULL);
	cam_archive_members_expect(self->members, (const char *const *) names->pdata, dirfd);
}

static gboolean
oci_archive_holds_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		       GCancellable *cancellable)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(transport);
	g_autofree char *path = cam_layout_blob_path(descriptor->digest);

	return self->members != NULL && cam_archive_members_has(self->members, path);
}

static gboolean
oci_archive_has_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		     const char *mount_from, gboolean *present, GCancellable *cancellable,
		     GError **error)
{
	g_autofree char *path = cam_layout_blob_path(descriptor->digest);

	*present = cam_archive_output_has(CAM_OCI_ARCHIVE(transport)->output, path);
	return TRUE;
}

static gboolean
oci_archive_put_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		     GInputStream *content, GCancellable *cancellable, GError **error)
{
	g_autofree char *path = cam_layout_blob_path(descriptor->digest);

	return cam_archive_output_add_stream(CAM_OCI_ARCHIVE(transport)->output, path, content,
					     (guint64) descriptor->size, cancellable, error);
}

static gboolean
oci_archive_put_manifest(CamImageTransport *transport, GBytes *bytes, const char *media_type,
			 const char *tag, GCancellable *cancellable, GError **error)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(transport);
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	g_autofree char *path = cam_layout_blob_path(digest);
	g_autoptr(CamDescriptor) descriptor =
		cam_descriptor_new(media_type, digest, (gint64) g_bytes_get_size(bytes));
	g_autoptr(GBytes) index = NULL;

	if (!cam_archive_output_has(self->output, path) &&
	    !cam_archive_output_add_bytes(self->output, path, bytes, error))
		return FALSE;
	if (tag == NULL)
		return TRUE;
	index = cam_layout_index_with_entry(self->written, descriptor, tag);
	g_clear_pointer(&self->written, cam_index_free);
	self->written = cam_index_parse(index, CAM_MEDIA_TYPE_OCI_INDEX, error);
	return self->written != NULL;
}

static gboolean
oci_archive_commit(CamImageTransport *transport, GCancellable *cancellable, GError **error)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(transport);
	g_autoptr(GBytes) marker =
		g_bytes_new_static(CAM_LAYOUT_MARKER_TEXT, strlen(CAM_LAYOUT_MARKER_TEXT));

	return cam_archive_output_add_bytes(self->output, CAM_LAYOUT_MARKER, marker, error) &&
	       cam_archive_output_add_bytes(self->output, CAM_LAYOUT_INDEX, self->written->bytes,
					    error) &&
	       cam_archive_output_commit(self->output, error);
}

static void
cam_oci_archive_finalize(GObject *object)
{
	CamOciArchive *self = CAM_OCI_ARCHIVE(object);

	g_clear_pointer(&self->members, cam_archive_members_close);
	g_clear_pointer(&self->output, cam_archive_output_free);
	g_clear_pointer(&self->written, cam_index_free);
	G_OBJECT_CLASS(cam_oci_archive_parent_class)->finalize(object);
}

static void
cam_oci_archive_class_init(CamOciArchiveClass *klass)
{
	CamImageTransportClass *transport = CAM_IMAGE_TRANSPORT_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_oci_archive_finalize;
	CAM_LAYOUT_TRANSPORT_CLASS(klass)->read_index = oci_archive_read_index;
	transport->open_blob = oci_archive_open_blob;
	transport->expect_blobs = oci_archive_expect_blobs;
	transport->holds_blob = oci_archive_holds_blob;
	transport->has_blob = oci_archive_has_blob;
	transport->put_blob = oci_archive_put_blob;
	transport->put_manifest = oci_archive_put_manifest;
	transport->commit = oci_archive_commit;
}

static void
cam_oci_archive_init(CamOciArchive *self)
{
}

static gboolean
open_existing(CamOciArchive *self, const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) marker = NULL;

	self->members = cam_archive_members_open(path, cancellable, error);
	if (self->members == NULL)
		return FALSE;
	if (!cam_archive_members_has(self->members, CAM_LAYOUT_MARKER))
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"%s is not an OCI archive, or cut off: it holds no " CAM_LAYOUT_MARKER,
			path);
	marker = cam_archive_members_read(self->members, CAM_LAYOUT_MARKER, 4096, cancellable,
					  error);
	return (marker != NULL && cam_layout_marker_check(marker, error)) ||
	       cam_error_translate(error, "not an OCI archive");
}

CamImageTransport *
cam_oci_archive_open(const CamLocation *location, gboolean writable,
		     const CamTransportOptions *options, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamOciArchive) self = g_object_new(CAM_TYPE_OCI_ARCHIVE, NULL);

	cam_image_transport_set_up(CAM_IMAGE_TRANSPORT(self), location, writable, options);
	if ((!writable || g_file_test(location->path, G_FILE_TEST_EXISTS)) &&
	    !open_existing(self, location->path, cancellable, error))
		return NULL;
	if (!writable)
		return CAM_IMAGE_TRANSPORT(g_steal_pointer(&self));
	self->written = cam_layout_index_new();
	self->output = cam_archive_output_new(location->path, error);
	return self->output != NULL ? CAM_IMAGE_TRANSPORT(g_steal_pointer(&self)) : NULL;
}
