/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Import of one layer: streams, the reading of the tar, limits and digests. Two threads read ahead
 * (blob digest and inflating; diffID), this one parses; what comes of it is layer-builder.c's.
 */
#include "snapshotter/store/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/compression.h"
#include "snapshotter/store/digest-stream.h"
#include "snapshotter/store/layer-builder.h"
#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/store-private.h"

#define DEFAULT_MAX_SIZE    (64 * G_GUINT64_CONSTANT(1073741824))
#define DEFAULT_MAX_ENTRIES 4000000
#define DEFAULT_MAX_RATIO   1000
#define RATIO_FREE_SIZE	    (64 * 1024 * 1024)

#define READAHEAD_CHUNKS 6
#define SPOOL_ABOVE	 (4 * 1024 * 1024) /* larger files do not stay in memory */
#define COPY_CHUNK	 (256 * 1024)

typedef struct {
	CamStore *store;
	CamLayerLimits limits;
	guint64 compressed_size; /* 0: not known */
	GCancellable *cancellable;

	CamDigestStream *blob, *plain;
	GInputStream *inflated, *ahead, *input;
	CamTarReader *reader;
	CamLayerBuilder *builder;

	guint8 head[8]; /* the layer's first bytes, once inflated */
	guint64 entries;
	guint64 total; /* bytes of all files, holes included */
} LayerImport;

static void
layer_import_clear(LayerImport *self)
{
	/* The threads first: they use what follows. */
	if (self->input != NULL)
		g_input_stream_close(self->input, NULL, NULL);
	if (self->ahead != NULL)
		g_input_stream_close(self->ahead, NULL, NULL);
	g_clear_pointer(&self->builder, cam_layer_builder_free);
	g_clear_pointer(&self->reader, cam_tar_reader_free);
	g_clear_object(&self->input);
	g_clear_object(&self->plain);
	g_clear_object(&self->ahead);
	g_clear_object(&self->inflated);
	g_clear_object(&self->blob);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LayerImport, layer_import_clear)

/* ---- set-up ---- */

static gboolean
open_streams(LayerImport *self, GInputStream *blob, const CamDescriptor *descriptor,
	     CamProgress *progress, guint phase, GError **error)
{
	g_autoptr(CamHasher) hasher = descriptor != NULL
					      ? cam_hasher_new_for(descriptor->digest, error)
					      : cam_hasher_new();

	if (hasher == NULL)
		return FALSE;
	self->blob = cam_digest_stream_new(blob, g_steal_pointer(&hasher), progress, phase);
	/* What a media type promises and what registries hold differ often enough: as containerd
	 * does, the first bytes decide. */
	self->inflated =
		cam_decompress_stream_new(G_INPUT_STREAM(self->blob), CAM_COMPRESSION_AUTO);
	self->ahead = cam_readahead_stream_new(self->inflated, READAHEAD_CHUNKS);
	self->plain = cam_digest_stream_new(self->ahead, cam_hasher_new(), NULL, 0);
	self->input = cam_readahead_stream_new(G_INPUT_STREAM(self->plain), READAHEAD_CHUNKS);
	return TRUE;
}

static gboolean
check_growth(LayerImport *self, guint64 size, GError **error)
{
	if (size > self->limits.max_size)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the layer is larger than the %" G_GUINT64_FORMAT
				     " bytes allowed",
				     self->limits.max_size);
	if (self->compressed_size > 0 && size > RATIO_FREE_SIZE &&
	    size / self->compressed_size >= self->limits.max_ratio)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the layer inflates to more than %u times its size, as a bomb "
				     "would",
				     self->limits.max_ratio);
	return TRUE;
}

static gssize
source_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	LayerImport *self = user_data;
	gssize n = g_input_stream_read(self->input, buffer, size, self->cancellable, error);

	if (n < 0) {
		cam_error_translate(error, NULL);
		return -1;
	}
	if (cam_tar_reader_get_position(self->reader) == 0)
		memcpy(self->head, buffer, MIN((gsize) n, sizeof self->head));
	return check_growth(self, cam_tar_reader_get_position(self->reader) + (guint64) n, error)
		       ? n
		       : -1;
}

static gboolean
source_raw(gpointer user_data, gconstpointer data, gsize size, GError **error)
{
	LayerImport *self = user_data;

	return cam_layer_builder_add_raw(self->builder, data, size, error);
}

/* ---- content ---- */

/* The next @size stored bytes, into memory. */
static gboolean
read_into(LayerImport *self, guint8 *target, guint64 size, GError **error)
{
	while (size > 0) {
		gssize n = cam_tar_reader_read(self->reader, target, (gsize) size, error);

		if (n < 0)
			return FALSE;
		target += n;
		size -= (guint64) n;
	}
	return TRUE;
}

static gboolean
spool(LayerImport *self, int fd, guint64 offset, guint64 size, GError **error)
{
	g_autofree guint8 *chunk = g_malloc(COPY_CHUNK);

	if (lseek(fd, (off_t) offset, SEEK_SET) < 0)
		return cam_set_error_errno(error, errno, "cannot write a temporary file");
	while (size > 0) {
		gssize n = cam_tar_reader_read(self->reader, chunk, (gsize) MIN(size, COPY_CHUNK),
					       error);

		if (n < 0 || !cam_write_all(fd, chunk, (gsize) n, error))
			return FALSE;
		size -= (guint64) n;
	}
	return TRUE;
}

/* The pieces of the file that the tar has: one for a file that is not sparse. */
static gboolean
read_content(gpointer user_data, const CamTarEntry *tar, CamObjectJob *job, GError **error)
{
	LayerImport *self = user_data;
	CamTarExtent whole = { 0, tar->size };
	const CamTarExtent *extents = tar->extents != NULL ? tar->extents : &whole;
	guint n = tar->extents != NULL ? tar->n_extents : 1;

	job->size = tar->size;
	if (tar->size > SPOOL_ABOVE) {
		cam_layer_builder_reserve(self->builder, job, SPOOL_ABOVE);
		job->fd = cam_store_open_tmpfile(self->store, error);
		if (job->fd < 0)
			return FALSE;
		if (ftruncate(job->fd, (off_t) tar->size) != 0)
			return cam_set_error_errno(error, errno, "cannot write a temporary file");
	} else {
		cam_layer_builder_reserve(self->builder, job, (gsize) tar->size);
		job->data = tar->extents != NULL ? g_malloc0(tar->size) : g_malloc(tar->size);
	}
	for (guint i = 0; i < n; i++) {
		gboolean ok = job->fd >= 0 ? spool(self, job->fd, extents[i].offset,
						   extents[i].length, error)
					   : read_into(self, job->data + extents[i].offset,
						       extents[i].length, error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

/* ---- entries ---- */

static gboolean
count_entry(LayerImport *self, const CamTarEntry *tar, GError **error)
{
	if (++self->entries > self->limits.max_entries)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the layer has more than the %" G_GUINT64_FORMAT
				     " entries allowed",
				     self->limits.max_entries);
	if (!g_uint64_checked_add(&self->total, self->total, tar->size))
		self->total = G_MAXUINT64;
	/* Holes are not in the tar, but they are in the object. */
	return check_growth(self, self->total, error);
}

static gboolean
read_entries(LayerImport *self, GError **error)
{
	const CamTarEntry *tar;
	GError *local = NULL;

	while ((tar = cam_tar_reader_next(self->reader, &local)) != NULL) {
		if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
			return cam_error_translate(error, NULL);
		if (!count_entry(self, tar, error) ||
		    !cam_layer_builder_add_entry(self->builder, tar, error))
			return FALSE;
		if (cam_layer_entry_is_without_node(tar))
			cam_tar_reader_content_is_raw(self->reader);
	}
	if (local != NULL) {
		g_propagate_error(error, local);
		return FALSE;
	}
	return cam_layer_builder_finish(self->builder, cam_tar_reader_get_position(self->reader),
					error);
}

/* ---- the end ---- */

/* Compares what was read with what was promised. (transfer full): the diffID. */
static char *
check_digests(LayerImport *self, const CamDescriptor *descriptor, const char *diff_id,
	      GError **error)
{
	guint64 size = cam_digest_stream_get_count(self->blob);
	g_autofree char *digest = cam_digest_stream_finish(self->blob);
	g_autofree char *plain = cam_digest_stream_finish(self->plain);

	if (descriptor != NULL && (guint64) descriptor->size != size)
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "the layer's blob %s has %" G_GUINT64_FORMAT
			      " bytes instead of %" G_GINT64_FORMAT,
			      descriptor->digest, size, descriptor->size);
	else if (descriptor != NULL && !g_str_equal(descriptor->digest, digest))
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "the layer's blob hashes to %s instead of %s", digest,
			      descriptor->digest);
	else if (diff_id != NULL && !g_str_equal(diff_id, plain))
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "the uncompressed layer hashes to %s instead of the diffID %s", plain,
			      diff_id);
	else
		return g_steal_pointer(&plain);
	return NULL;
}

static void
set_limits(LayerImport *self, const CamLayerLimits *limits)
{
	if (limits != NULL)
		self->limits = *limits;
	if (self->limits.max_size == 0)
		self->limits.max_size = DEFAULT_MAX_SIZE;
	if (self->limits.max_entries == 0)
		self->limits.max_entries = DEFAULT_MAX_ENTRIES;
	if (self->limits.max_ratio == 0)
		self->limits.max_ratio = DEFAULT_MAX_RATIO;
}

/* What is no tar may be compressed in a way that this does not read. */
static gboolean
name_compression(const LayerImport *self, GError **error)
{
	static const struct {
		const char *name, *magic;
		gsize size;
	} others[] = {
		{ "xz",
		  "\xfd"
		  "7zXZ\0",
		  6 },
		{ "bzip2", "BZh", 3 },
		{ "lz4", "\x04\x22\x4d\x18", 4 },
		{ "lzip", "LZIP", 4 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		if (memcmp(self->head, others[i].magic, others[i].size) != 0)
			continue;
		g_clear_error(error);
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "the layer is compressed with %s, which is not supported: "
				     "layers are gzip, zstd or not compressed; convert the image",
				     others[i].name);
	}
	return FALSE;
}

static CamLayerInfo *
import(LayerImport *self, const CamDescriptor *descriptor, const char *diff_id, GError **error)
{
	static const CamTarSource source = { .read = source_read, .raw = source_raw };
	g_autoptr(CamLayerInfo) info = NULL;
	g_autofree char *digest = NULL;

	self->reader = cam_tar_reader_new(&source, self);
	if (self->limits.allow_ambiguous)
		cam_tar_reader_allow_ambiguous(self->reader);
	if (!read_entries(self, error)) {
		if (cam_tar_reader_get_position(self->reader) <= CAM_TAR_BLOCK_SIZE)
			name_compression(self, error);
		return NULL;
	}
	digest = check_digests(self, descriptor, diff_id, error);
	if (digest == NULL)
		return NULL;
	info = cam_layer_builder_commit(self->builder, digest, error);
	if (info == NULL || (descriptor != NULL &&
			     !cam_store_add_layer_blob(self->store, digest, descriptor, error)))
		return NULL;
	return g_steal_pointer(&info);
}

CamLayerInfo *
cam_store_import_layer(CamStore *self, GInputStream *blob, const CamDescriptor *descriptor,
		       const char *diff_id, const CamLayerLimits *limits, CamProgress *progress,
		       GCancellable *cancellable, GError **error)
{
	g_autoptr(CamStoreHold) hold = cam_store_hold(self, cancellable, error);
	g_autofree char *phase_text =
		descriptor != NULL
			? g_strdup_printf("layer %.12s", cam_digest_hex(descriptor->digest))
			: g_strdup("new layer");
	g_auto(LayerImport) layer = {
		.store = self,
		.cancellable = cancellable,
		.compressed_size = descriptor != NULL ? (guint64) descriptor->size : 0,
	};
	CamLayerInfo *info = NULL;
	guint phase;

	if (hold == NULL)
		return NULL;
	set_limits(&layer, limits);
	phase = cam_progress_begin(progress, phase_text, layer.compressed_size, CAM_PROGRESS_BYTES);
	layer.builder = cam_layer_builder_new(self, read_content, &layer, cancellable, error);
	if (layer.builder != NULL && open_streams(&layer, blob, descriptor, progress, phase, error))
		info = import(&layer, descriptor, diff_id, error);
	cam_progress_end(progress, phase);
	return info;
}
