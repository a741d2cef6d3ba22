/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI layouts as directories. Blobs are written beside their place and renamed; index.json is
 * replaced in commit() under a lock of the directory, read anew there, so that two writers both
 * get their names in.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/transport/layout-transport.h"
#include "snapshotter/transport/new-file.h"
#include "snapshotter/transport/stream-bytes.h"

typedef struct {
	CamDescriptor *descriptor;
	char *name; /* (nullable) */
} Pending;

#define CAM_TYPE_OCI_LAYOUT (cam_oci_layout_get_type())
G_DECLARE_FINAL_TYPE(CamOciLayout, cam_oci_layout, CAM, OCI_LAYOUT, CamLayoutTransport)

struct _CamOciLayout {
	CamLayoutTransport parent_instance;
	CamFd dirfd;
	GPtrArray *pending; /* (element-type Pending): what commit() makes visible */
};

G_DEFINE_FINAL_TYPE(CamOciLayout, cam_oci_layout, CAM_TYPE_LAYOUT_TRANSPORT)

static void
pending_free(Pending *self)
{
	cam_descriptor_free(self->descriptor);
	g_free(self->name);
	g_free(self);
}

/* Who made the layout may have put anything at its paths. */
static GBytes *
read_document(CamOciLayout *self, const char *name, gsize max_size, GError **error)
{
	const CamLocation *location = cam_image_transport_get_location(CAM_IMAGE_TRANSPORT(self));
	g_auto(CamFd) fd = cam_open_regular_beneath(self->dirfd, name, error);
	GBytes *bytes = fd >= 0 ? cam_read_fd(fd, name, max_size, error) : NULL;

	if (bytes == NULL)
		cam_error_translate(error, "%s", location->path);
	return bytes;
}

static CamIndex *
read_index(CamOciLayout *self, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes =
		read_document(self, CAM_LAYOUT_INDEX, CAM_MANIFEST_MAX_SIZE, &local);

	if (bytes != NULL)
		return cam_index_parse(bytes, CAM_MEDIA_TYPE_OCI_INDEX, error);
	if (cam_image_transport_is_writable(CAM_IMAGE_TRANSPORT(self)) &&
	    g_error_matches(local, CAM_ERROR, (int) CAM_ERROR_NOT_FOUND))
		return cam_layout_index_new();
	g_propagate_error(error, g_steal_pointer(&local));
	return NULL;
}

static CamIndex *
oci_layout_read_index(CamLayoutTransport *transport, GCancellable *cancellable, GError **error)
{
	return read_index(CAM_OCI_LAYOUT(transport), error);
}

static GInputStream *
oci_layout_open_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		     GCancellable *cancellable, GError **error)
{
	CamOciLayout *self = CAM_OCI_LAYOUT(transport);
	g_autofree char *path = cam_layout_blob_path(descriptor->digest);
	int fd = cam_open_regular_beneath(self->dirfd, path, error);

	if (fd < 0) {
		cam_error_translate(error, "%s lacks blob %s",
				    cam_image_transport_get_location(transport)->path,
				    descriptor->digest);
		return NULL;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return g_unix_input_stream_new(fd, TRUE);
}

/* ---- writing ---- */

static gboolean
oci_layout_has_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		    const char *mount_from, gboolean *present, GCancellable *cancellable,
		    GError **error)
{
	g_autofree char *path = cam_layout_blob_path(descriptor->digest);
	struct stat st;
	g_auto(CamFd) fd = cam_open_regular_beneath(CAM_OCI_LAYOUT(transport)->dirfd, path, NULL);

	*present = fd >= 0 && fstat(fd, &st) == 0 && st.st_size == descriptor->size;
	return TRUE;
}

/* The directory for blobs of one algorithm, made where it is missing; a link would lead out of the
 * layout. */
static int
open_blob_directory(CamOciLayout *self, const char *digest, GError **error)
{
	g_autofree char *algorithm = g_strndup(digest, strcspn(digest, ":"));
	const char *names[] = { "blobs", algorithm };
	g_auto(CamFd) fd = dup(self->dirfd);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_auto(CamFd) parent = cam_fd_steal(&fd);

		if (!cam_mkdirs_at(parent, names[i], 0755, error))
			return -1;
		fd = cam_openat_beneath(parent, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
					error);
		if (fd < 0) {
			cam_error_translate(error, "the layout's %s must be a directory", names[i]);
			return -1;
		}
	}
	return cam_fd_steal(&fd);
}

static gboolean
oci_layout_put_blob(CamImageTransport *transport, const CamDescriptor *descriptor,
		    GInputStream *content, GCancellable *cancellable, GError **error)
{
	CamOciLayout *self = CAM_OCI_LAYOUT(transport);
	g_auto(CamFd) directory = open_blob_directory(self, descriptor->digest, error);
	g_autoptr(CamNewFile) file = NULL;

	if (directory < 0)
		return FALSE;
	file = cam_new_file_open(directory, cam_digest_hex(descriptor->digest), 0644, error);
	if (file == NULL)
		return FALSE;
	/* What is there under this name may be a damaged blob: has_blob() looks only at its size.
	 */
	return (cam_stream_copy_to_fd(content, cam_new_file_get_fd(file), cancellable, error) &&
		cam_new_file_put(file, TRUE, error)) ||
	       cam_error_translate(error, "blob %s", descriptor->digest);
}

static gboolean
oci_layout_put_manifest(CamImageTransport *transport, GBytes *bytes, const char *media_type,
			const char *tag, GCancellable *cancellable, GError **error)
{
	CamOciLayout *self = CAM_OCI_LAYOUT(transport);
	g_autoptr(GInputStream) content = g_memory_input_stream_new_from_bytes(bytes);
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	g_autoptr(CamDescriptor) descriptor =
		cam_descriptor_new(media_type, digest, (gint64) g_bytes_get_size(bytes));
	Pending *pending;

	if (!oci_layout_put_blob(transport, descriptor, content, cancellable, error))
		return FALSE;
	if (tag == NULL)
		return TRUE;
	pending = g_new0(Pending, 1);
	pending->descriptor = g_steal_pointer(&descriptor);
	pending->name = g_strdup(tag);
	g_ptr_array_add(self->pending, pending);
	return TRUE;
}

static gboolean
add_pending(CamOciLayout *self, const Pending *pending, GError **error)
{
	g_autoptr(CamIndex) index = read_index(self, error);
	g_autoptr(GBytes) bytes = NULL;

	if (index == NULL)
		return FALSE;
	bytes = cam_layout_index_with_entry(index, pending->descriptor, pending->name);
	return cam_write_file_at(self->dirfd, CAM_LAYOUT_INDEX, bytes, 0644, error);
}

static gboolean
write_marker(CamOciLayout *self, GError **error)
{
	g_autoptr(GBytes) marker = NULL;

	if (faccessat(self->dirfd, CAM_LAYOUT_MARKER, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return TRUE;
	marker = g_bytes_new_static(CAM_LAYOUT_MARKER_TEXT, strlen(CAM_LAYOUT_MARKER_TEXT));
	return cam_write_file_at(self->dirfd, CAM_LAYOUT_MARKER, marker, 0644, error);
}

static gboolean
oci_layout_commit(CamImageTransport *transport, GCancellable *cancellable, GError **error)
{
	CamOciLayout *self = CAM_OCI_LAYOUT(transport);
	/* A description of its own: the lock goes when it is closed. */
	g_auto(CamFd) lock = openat(self->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (lock < 0)
		return cam_set_error_errno(error, errno, "cannot open the layout");
	do {
		result = flock(lock, LOCK_EX);
	} while (result < 0 && errno == EINTR);
	if (result < 0)
		return cam_set_error_errno(error, errno, "cannot lock the layout");
	if (!write_marker(self, error))
		return FALSE;
	for (guint i = 0; i < self->pending->len; i++) {
		if (!add_pending(self, g_ptr_array_index(self->pending, i), error))
			return FALSE;
	}
	g_ptr_array_set_size(self->pending, 0);
	return TRUE;
}

/* ---- life ---- */

static void
cam_oci_layout_finalize(GObject *object)
{
	CamOciLayout *self = CAM_OCI_LAYOUT(object);

	cam_fd_close(cam_fd_steal(&self->dirfd));
	g_clear_pointer(&self->pending, g_ptr_array_unref);
	G_OBJECT_CLASS(cam_oci_layout_parent_class)->finalize(object);
}

static void
cam_oci_layout_class_init(CamOciLayoutClass *klass)
{
	CamImageTransportClass *transport = CAM_IMAGE_TRANSPORT_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = cam_oci_layout_finalize;
	CAM_LAYOUT_TRANSPORT_CLASS(klass)->read_index = oci_layout_read_index;
	transport->open_blob = oci_layout_open_blob;
	transport->has_blob = oci_layout_has_blob;
	transport->put_blob = oci_layout_put_blob;
	transport->put_manifest = oci_layout_put_manifest;
	transport->commit = oci_layout_commit;
}

static void
cam_oci_layout_init(CamOciLayout *self)
{
	self->dirfd = -1;
	self->pending = g_ptr_array_new_with_free_func((GDestroyNotify) pending_free);
}

static gboolean
check_marker(CamOciLayout *self, gboolean writable, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) marker = read_document(self, CAM_LAYOUT_MARKER, 4096, &local);

	if (marker != NULL)
		return cam_layout_marker_check(marker, error);
	if (writable && g_error_matches(local, CAM_ERROR, (int) CAM_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return cam_error_translate(error, "not an OCI layout");
}

CamImageTransport *
cam_oci_layout_open(const CamLocation *location, gboolean writable,
		    const CamTransportOptions *options, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamOciLayout) self = g_object_new(CAM_TYPE_OCI_LAYOUT, NULL);

	cam_image_transport_set_up(CAM_IMAGE_TRANSPORT(self), location, writable, options);
	if (writable && g_mkdir_with_parents(location->path, 0755) < 0) {
		cam_set_error_errno(error, errno, "cannot make %s", location->path);
		return NULL;
	}
	self->dirfd = open(location->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dirfd < 0) {
		cam_set_error_errno(error, errno, "cannot open %s", location->path);
		return NULL;
	}
	if (!check_marker(self, writable, error))
		return NULL;
	return CAM_IMAGE_TRANSPORT(g_steal_pointer(&self));
}
