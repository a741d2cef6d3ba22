/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a set of changes to a layer of the store: the tar, its tree and skeleton, its compressed
 * blob. The documents that name the layer are fixed-documents.c's.
 */
#include "rebuild/publish/fixed-layer.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <unistd.h>

#define LEASE_TIME  (G_TIME_SPAN_DAY)
#define BUFFER_SIZE (256 * 1024)

void
cam_fixed_layer_free(CamFixedLayer *self)
{
	g_free(self->diff_id);
	g_clear_pointer(&self->blob, cam_descriptor_free);
	g_free(self->created_by);
	g_free(self);
}

CamCompression
cam_fixed_layer_compression(const CamManifest *manifest)
{
	for (guint i = 0; i < manifest->layers->len; i++) {
		const CamDescriptor *layer = manifest->layers->pdata[i];

		if (cam_compression_for_media_type(layer->media_type) == CAM_COMPRESSION_ZSTD)
			return CAM_COMPRESSION_ZSTD;
	}
	return CAM_COMPRESSION_GZIP;
}

const char *
cam_fixed_layer_media_type(const CamManifest *manifest, CamCompression compression)
{
	gboolean docker = g_str_equal(manifest->media_type, CAM_MEDIA_TYPE_DOCKER_MANIFEST);

	switch (compression) {
	case CAM_COMPRESSION_ZSTD:
		return docker ? CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD : CAM_MEDIA_TYPE_OCI_LAYER_ZSTD;
	case CAM_COMPRESSION_GZIP:
		return docker ? CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP : CAM_MEDIA_TYPE_OCI_LAYER_GZIP;
	case CAM_COMPRESSION_NONE:
	case CAM_COMPRESSION_AUTO:
		break;
	}
	return docker ? CAM_MEDIA_TYPE_DOCKER_LAYER : CAM_MEDIA_TYPE_OCI_LAYER;
}

/* ---- the tar on disk ---- */

/* The tar without a name: it goes with the last descriptor, whatever happens to the process. */
static int
spool_open(CamStore *store, GError **error)
{
	int dirfd = cam_store_get_tmp_dirfd(store, NULL, error);
	int fd;

	if (dirfd < 0)
		return -1;
	fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot make a file for the layer in %s",
				    cam_store_get_path(store));
	return fd;
}

/* (transfer full): reads the file from its start, whatever position other readers have. */
static GInputStream *
spool_reader_new(int fd, GError **error)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	int reader = open(path, O_RDONLY | O_CLOEXEC);

	if (reader < 0) {
		cam_set_error_errno(error, errno, "cannot read the layer that was written");
		return NULL;
	}
	return g_unix_input_stream_new(reader, TRUE);
}

static gboolean
spool_write(int fd, CamLayerTar *tar, GCancellable *cancellable, GError **error)
{
	g_autoptr(GOutputStream) file = g_unix_output_stream_new(fd, FALSE);
	g_autoptr(GOutputStream) buffered = g_buffered_output_stream_new_sized(file, BUFFER_SIZE);

	return cam_layer_tar_write(tar, buffered, cancellable, error);
}

static char *
spool_digest(int fd, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) in = spool_reader_new(fd, error);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
	gssize n;

	if (in == NULL)
		return NULL;
	while ((n = g_input_stream_read(in, buffer, BUFFER_SIZE, cancellable, error)) > 0)
		cam_hasher_update(hasher, buffer, (gsize) n);
	if (n < 0) {
		cam_error_translate(error, "cannot read the layer that was written");
		return NULL;
	}
	return cam_hasher_finish(hasher);
}

/* ---- the blob ---- */

static CamDescriptor *
compress(CamStore *store, GInputStream *in, const CamManifest *media_types,
	 GCancellable *cancellable, GError **error)
{
	CamCompression compression = cam_fixed_layer_compression(media_types);
	const char *media_type = cam_fixed_layer_media_type(media_types, compression);
	g_autoptr(GInputStream) compressed = cam_compress_stream_new(in, compression, error);
	g_autofree char *digest = NULL;
	gint64 size;

	if (compressed == NULL)
		return NULL;
	digest = cam_store_put_blob_stream(store, compressed, NULL, &size, cancellable, error);
	return digest != NULL ? cam_descriptor_new(media_type, digest, size) : NULL;
}

/* In a thread of its own. */
typedef struct {
	CamStore *store;
	int fd;
	const CamManifest *media_types;
	GCancellable *cancellable;
	CamDescriptor *blob;
	GError *error;
} Compressor;

static gpointer
compress_spool(gpointer data)
{
	Compressor *self = data;
	g_autoptr(GInputStream) in = spool_reader_new(self->fd, &self->error);

	if (in != NULL)
		self->blob = compress(self->store, in, self->media_types, self->cancellable,
				      &self->error);
	return NULL;
}

/* (nullable): a blob of the layer that the store holds in the wanted form. */
static CamDescriptor *
find_blob(CamStore *store, const char *diff_id, const CamManifest *media_types)
{
	const char *media_type =
		cam_fixed_layer_media_type(media_types, cam_fixed_layer_compression(media_types));
	g_autoptr(GPtrArray) blobs = cam_store_blobs_for_layer(store, diff_id, NULL);

	for (guint i = 0; blobs != NULL && i < blobs->len; i++) {
		const CamDescriptor *blob = blobs->pdata[i];

		if (g_strcmp0(blob->media_type, media_type) == 0 &&
		    cam_store_has_blob(store, blob->digest))
			return cam_descriptor_new(media_type, blob->digest, blob->size);
	}
	return NULL;
}

/* ---- the tree ---- */

static gboolean
import_tree(CamStore *store, int fd, const char *diff_id, CamProgress *progress,
	    GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) in = NULL;
	g_autoptr(CamLayerInfo) info = NULL;

	if (cam_store_has_layer(store, diff_id))
		return TRUE;
	in = spool_reader_new(fd, error);
	if (in == NULL)
		return FALSE;
	info = cam_store_import_layer(store, in, NULL, diff_id, NULL, progress, cancellable, error);
	return info != NULL;
}

static gboolean
keep(CamStore *store, const char *lease, const char *diff_id, const char *blob, GError **error)
{
	const char *digests[] = { diff_id, blob, NULL };

	return lease == NULL ||
	       cam_store_add_lease(store, lease, digests, g_get_real_time() + LEASE_TIME, error);
}

/* Both halves at once: compressing takes longer than all the rest. */
static CamDescriptor *
import_and_compress(CamStore *store, int fd, const char *diff_id, const CamManifest *media_types,
		    CamProgress *progress, GCancellable *cancellable, GError **error)
{
	Compressor compressor = {
		.store = store, .fd = fd, .media_types = media_types, .cancellable = cancellable
	};
	g_autoptr(CamDescriptor) blob = find_blob(store, diff_id, media_types);
	GThread *thread = NULL;
	gboolean imported;

	if (blob == NULL)
		thread = g_thread_try_new("compress layer", compress_spool, &compressor, NULL);
	imported = import_tree(store, fd, diff_id, progress, cancellable, error);
	if (thread != NULL)
		g_thread_join(thread);
	else if (blob == NULL && imported)
		compress_spool(&compressor);
	if (blob == NULL)
		blob = compressor.blob;
	if (!imported) {
		g_clear_error(&compressor.error);
		return NULL;
	}
	if (blob == NULL)
		g_propagate_error(error, compressor.error);
	return g_steal_pointer(&blob);
}

/* Takes @blob, which may be NULL with @error set. */
static CamFixedLayer *
finish(CamStore *store, const char *diff_id, CamDescriptor *blob, const char *lease, GError **error)
{
	g_autoptr(CamFixedLayer) self = g_new0(CamFixedLayer, 1);

	self->diff_id = g_strdup(diff_id);
	self->blob = blob;
	if (blob == NULL || !keep(store, lease, diff_id, blob->digest, error) ||
	    !cam_store_add_layer_blob(store, diff_id, blob, error))
		return NULL;
	return g_steal_pointer(&self);
}

CamFixedLayer *
cam_fixed_layer_new(CamStore *store, CamLayerTar *tar, const CamManifest *media_types,
		    const char *lease, CamProgress *progress, GCancellable *cancellable,
		    GError **error)
{
	guint phase = cam_progress_begin(progress, "writing the layer", 0, CAM_PROGRESS_BYTES);
	g_auto(CamFd) fd = spool_open(store, error);
	gboolean written = fd >= 0 && spool_write(fd, tar, cancellable, error);
	g_autofree char *diff_id = NULL;

	cam_progress_end(progress, phase);
	if (!written)
		return NULL;
	diff_id = spool_digest(fd, cancellable, error);
	if (diff_id == NULL || !keep(store, lease, diff_id, NULL, error))
		return NULL;
	return finish(
		store, diff_id,
		import_and_compress(store, fd, diff_id, media_types, progress, cancellable, error),
		lease, error);
}

CamFixedLayer *
cam_fixed_layer_reuse(CamStore *store, const char *diff_id, const CamManifest *media_types,
		      const char *lease, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) in = NULL;
	CamDescriptor *blob;

	if (!keep(store, lease, diff_id, NULL, error))
		return NULL;
	blob = find_blob(store, diff_id, media_types);
	if (blob == NULL) {
		in = cam_store_open_layer(store, diff_id, error);
		if (in == NULL)
			return NULL;
		blob = compress(store, in, media_types, cancellable, error);
	}
	return finish(store, diff_id, blob, lease, error);
}
