/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What comes out of a layer's skeleton: the uncompressed tar, bit for bit, and its entries without
 * their contents.
 */
#include "snapshotter/store/layer-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/compression.h"
#include "snapshotter/oci/verify-stream.h"
#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"

#define DRAIN_CHUNK (256 * 1024)
#define AUFS_PREFIX ".wh..wh."

/* ---- finding the parts of a layer ---- */

static OstreeRepo *
get_repo_of_layer(CamStore *store, const char *diff_id, GError **error)
{
	/* The row is what says that the layer is whole. */
	g_autoptr(CamLayerInfo) info = cam_store_get_layer_info(store, diff_id, error);

	return info != NULL ? cam_store_get_repo(store, error) : NULL;
}

char *
cam_layer_resolve(CamStore *store, const char *diff_id, const char *name, char **metadata,
		  GVariant **notes, GError **error)
{
	g_autofree char *root = NULL, *root_metadata = NULL;
	OstreeRepo *repo = get_repo_of_layer(store, diff_id, error);
	g_autoptr(OstreeMutableTree) tree = NULL, directory = NULL;
	g_autofree char *file = NULL, *ref = NULL;

	if (repo == NULL)
		return NULL;
	ref = cam_store_layer_ref(diff_id);
	if (!cam_repo_read_commit(repo, ref, &root, &root_metadata, notes, error))
		return NULL;
	tree = ostree_mutable_tree_new_from_checksum(repo, root, root_metadata);
	if (!ostree_mutable_tree_lookup(tree, name, &file, &directory, error)) {
		cam_repo_error(error, "layer %s", diff_id);
		return NULL;
	}
	if (file != NULL)
		return g_steal_pointer(&file);
	if (metadata != NULL)
		*metadata = g_strdup(ostree_mutable_tree_get_metadata_checksum(directory));
	return g_strdup(ostree_mutable_tree_get_contents_checksum(directory));
}

CamSkeletonReader *
cam_layer_open_skeleton(CamStore *store, const char *diff_id, GError **error)
{
	g_autofree char *checksum =
		cam_layer_resolve(store, diff_id, CAM_COMMIT_SKELETON, NULL, NULL, error);
	g_autoptr(GInputStream) packed = NULL, records = NULL;

	if (checksum == NULL)
		return NULL;
	if (!ostree_repo_load_file(cam_store_get_repo(store, NULL), checksum, &packed, NULL, NULL,
				   NULL, error)) {
		cam_repo_error(error, "the skeleton of layer %s", diff_id);
		return NULL;
	}
	records = cam_decompress_stream_new(packed, CAM_COMPRESSION_ZSTD);
	return cam_skeleton_reader_new(records);
}

/* ---- the tar ---- */

#define CAM_TYPE_LAYER_STREAM (cam_layer_stream_get_type())
G_DECLARE_FINAL_TYPE(CamLayerStream, cam_layer_stream, CAM, LAYER_STREAM, GInputStream)

struct _CamLayerStream {
	GInputStream parent;
	CamStore *store;
	CamSkeletonReader *skeleton;
	gboolean in_object;
	CamSkeletonObject object;
	CamFd fd;
	guint extent;	  /* of the object, at hand */
	guint64 position; /* in the extent */
	guint64 left;	  /* bytes of the object that the tar has yet to get */
};

G_DEFINE_FINAL_TYPE(CamLayerStream, cam_layer_stream, G_TYPE_INPUT_STREAM)

static void
leave_object(CamLayerStream *self)
{
	cam_fd_close(cam_fd_steal(&self->fd));
	cam_skeleton_object_clear(&self->object);
	self->in_object = FALSE;
}

static void
cam_layer_stream_finalize(GObject *object)
{
	CamLayerStream *self = CAM_LAYER_STREAM(object);

	leave_object(self);
	cam_skeleton_reader_free(self->skeleton);
	g_object_unref(self->store);
	G_OBJECT_CLASS(cam_layer_stream_parent_class)->finalize(object);
}

static void
object_path(const CamSha256 *object, char hex[65], char path[80])
{
	cam_sha256_to_hex(object, hex);
	g_snprintf(path, 80, "objects/%.2s/%s.file", hex, hex + 2);
}

gboolean
cam_store_has_object(CamStore *store, const CamSha256 *object)
{
	OstreeRepo *repo = cam_store_get_repo(store, NULL);
	char hex[65], path[80];

	object_path(object, hex, path);
	return repo != NULL &&
	       faccessat(ostree_repo_get_dfd(repo), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
cam_store_open_object(CamStore *store, const CamSha256 *object, GError **error)
{
	OstreeRepo *repo = cam_store_get_repo(store, error);
	char hex[65], path[80];
	int fd;

	if (repo == NULL)
		return -1;
	object_path(object, hex, path);
	fd = openat(ostree_repo_get_dfd(repo), path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "object %s is missing; run 'cambium verify'", hex);
	else
		cam_set_error_errno(error, errno, "cannot open object %s", hex);
	return -1;
}

static gboolean
enter_object(CamLayerStream *self, gboolean *found, GError **error)
{
	if (!cam_skeleton_reader_take_object(self->skeleton, &self->object, found, error))
		return FALSE;
	if (!*found || !self->object.has_content || self->object.size == 0) {
		cam_skeleton_object_clear(&self->object);
		return TRUE;
	}
	self->fd = cam_store_open_object(self->store, &self->object.object, error);
	self->in_object = TRUE;
	self->extent = 0;
	self->position = 0;
	self->left = self->object.size;
	return self->fd >= 0;
}

/* The extent at hand; those of no length are passed over. */
static gboolean
current_extent(CamLayerStream *self, CamTarExtent *extent)
{
	if (self->object.extents == NULL) {
		*extent = (CamTarExtent){ 0, self->object.size };
		return TRUE;
	}
	while (self->extent < self->object.extents->len) {
		*extent = g_array_index(self->object.extents, CamTarExtent, self->extent);
		if (self->position < extent->length)
			return TRUE;
		self->extent++;
		self->position = 0;
	}
	return FALSE;
}

static gssize
read_object(CamLayerStream *self, void *buffer, gsize size, GError **error)
{
	CamTarExtent extent;
	ssize_t n = 0;

	if (current_extent(self, &extent))
		do
			n = pread(self->fd, buffer,
				  MIN(size, MIN(extent.length - self->position, self->left)),
				  (off_t) (extent.offset + self->position));
		while (n < 0 && errno == EINTR);
	if (n < 0) {
		cam_set_error_errno(error, errno, "cannot read an object");
		return -1;
	}
	if (n == 0) {
		char hex[65];

		cam_sha256_to_hex(&self->object.object, hex);
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "object %s is shorter than it was; run 'cambium verify'", hex);
		return -1;
	}
	self->position += (guint64) n;
	self->left -= (guint64) n;
	if (self->left == 0)
		leave_object(self);
	return n;
}

static gssize
cam_layer_stream_read(GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
		      GError **error)
{
	CamLayerStream *self = CAM_LAYER_STREAM(stream);
	gboolean found = TRUE;
	gssize n = 0;

	if (size == 0)
		return 0;
	if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
		cam_error_translate(error, NULL);
		return -1;
	}
	while (!self->in_object && found) {
		n = cam_skeleton_reader_read(self->skeleton, buffer, size, error);
		if (n != 0)
			return n;
		if (!enter_object(self, &found, error))
			return -1;
	}
	return found ? read_object(self, buffer, size, error) : 0;
}

static void
cam_layer_stream_init(CamLayerStream *self)
{
	self->fd = -1;
}

static void
cam_layer_stream_class_init(CamLayerStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_layer_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_layer_stream_read;
}

GInputStream *
cam_store_open_layer(CamStore *self, const char *diff_id, GError **error)
{
	g_autoptr(CamLayerInfo) info = cam_store_get_layer_info(self, diff_id, error);
	CamSkeletonReader *skeleton =
		info != NULL ? cam_layer_open_skeleton(self, diff_id, error) : NULL;
	g_autoptr(CamLayerStream) stream = NULL;

	if (skeleton == NULL)
		return NULL;
	stream = g_object_new(CAM_TYPE_LAYER_STREAM, NULL);
	stream->store = g_object_ref(self);
	stream->skeleton = skeleton;
	return cam_verify_stream_new(G_INPUT_STREAM(stream), diff_id, (gint64) info->size, error);
}

gboolean
cam_layer_drain(CamStore *self, const char *diff_id, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream = cam_store_open_layer(self, diff_id, error);
	g_autofree guint8 *buffer = g_malloc(DRAIN_CHUNK);
	gssize n = -1;

	while (stream != NULL &&
	       (n = g_input_stream_read(stream, buffer, DRAIN_CHUNK, cancellable, error)) > 0)
		continue;
	return n == 0;
}

/* ---- the entries ---- */

static gssize
skeleton_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	return cam_skeleton_reader_read(user_data, buffer, size, error);
}

static gboolean
call_for_entry(CamSkeletonReader *skeleton, CamTarReader *reader, const CamTarEntry *tar,
	       CamLayerEntryFunc func, gpointer user_data, GError **error)
{
	g_auto(CamSkeletonObject) object = { 0 };
	g_autofree char *path = NULL;
	CamLayerEntry entry;
	gboolean found;

	if (!cam_layer_entry_from_tar(&entry, tar, &path, error))
		return FALSE;
	if (cam_layer_entry_is_file_at_root(tar))
		return TRUE;
	if (cam_layer_entry_has_object(&entry)) {
		g_autoptr(GError) local = NULL;

		if (!cam_skeleton_reader_take_object(skeleton, &object, &found, &local)) {
			/* Skeletons of before have no object of what AUFS left at the root. */
			if (g_str_has_prefix(tar->path, AUFS_PREFIX))
				return TRUE;
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
		if (!found || object.size != tar->stored_size)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "the layer's skeleton is damaged at %s", tar->path);
		cam_tar_reader_content_is_absent(reader);
		entry.object = &object.object;
		entry.content = object.has_content ? &object.content : NULL;
	}
	return func(&entry, user_data, error);
}

gboolean
cam_store_foreach_layer_entry(CamStore *self, const char *diff_id, CamLayerEntryFunc func,
			      gpointer user_data, GError **error)
{
	static const CamTarSource source = { .read = skeleton_read };
	g_autoptr(CamSkeletonReader) skeleton = cam_layer_open_skeleton(self, diff_id, error);
	g_autoptr(CamTarReader) reader = NULL;
	const CamTarEntry *tar;
	GError *local = NULL;

	if (skeleton == NULL)
		return FALSE;
	reader = cam_tar_reader_new(&source, skeleton);
	/* Whether to take it was decided by the import. */
	cam_tar_reader_allow_ambiguous(reader);
	while ((tar = cam_tar_reader_next(reader, &local)) != NULL)
		if (!call_for_entry(skeleton, reader, tar, func, user_data, error))
			return FALSE;
	if (local == NULL)
		return TRUE;
	g_propagate_error(error, local);
	return cam_error_translate(error, "layer %s", diff_id);
}
