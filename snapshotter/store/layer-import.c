/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Import of one layer. Two threads read ahead (blob digest and inflating; diffID), this one parses,
 * a pool hashes and writes objects. What was parsed waits in a queue, in the order of the tar,
 * until its object is known; then it goes to the skeleton and to the tree. Nothing is visible
 * before the end: one OSTree transaction with the layer's ref, then one SQLite transaction with its
 * row. A crash between the two leaves a ref without a row, which gc removes and the next import
 * meets.
 */
#include "snapshotter/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/compression.h"
#include "snapshotter/store/digest-stream.h"
#include "snapshotter/store/layer-check.h"
#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/layer-private.h"
#include "snapshotter/store/layer-skeleton.h"
#include "snapshotter/store/object-writer.h"
#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"
#include "snapshotter/store/tree-builder.h"

#define DEFAULT_MAX_SIZE    (64 * G_GUINT64_CONSTANT(1073741824))
#define DEFAULT_MAX_ENTRIES 4000000
#define DEFAULT_MAX_RATIO   1000
#define RATIO_FREE_SIZE	    (64 * 1024 * 1024)

#define READAHEAD_CHUNKS 6
#define SPOOL_ABOVE	 (4 * 1024 * 1024) /* larger files do not stay in memory */
#define MAX_QUEUE	 512
#define MAX_RAW		 (256 * 1024)
#define COPY_CHUNK	 (256 * 1024)

/* Something of the tar whose turn in skeleton and tree is yet to come. */
typedef struct {
	GByteArray *raw;    /* the bytes in front of it */
	gboolean has_entry; /* else only bytes */
	CamLayerEntry entry;
	char *path, *link_target;
	CamObjectJob *job; /* (nullable) */
	guint64 stored_size;
	GArray *extents; /* (nullable) */
} Item;

typedef struct {
	CamStore *store;
	CamLayerLimits limits;
	guint64 compressed_size; /* 0: not known */
	GCancellable *cancellable;

	OstreeRepo *repo;
	CamDigestStream *blob, *plain;
	GInputStream *inflated, *ahead, *input;
	CamTarReader *reader;
	GByteArray *raw;
	GQueue queue; /* Item */
	CamObjectWriter *writer;
	CamSkeletonWriter *skeleton;
	CamFd skeleton_fd;
	CamTreeBuilder *tree;

	guint64 total; /* bytes of all files, holes included */
	CamLayerInfo *info;
} LayerImport;

static void
item_free(gpointer data)
{
	Item *item = data;

	g_clear_pointer(&item->raw, g_byte_array_unref);
	g_clear_pointer(&item->entry.xattrs, g_variant_unref);
	g_clear_pointer(&item->job, cam_object_job_free);
	g_clear_pointer(&item->extents, g_array_unref);
	g_free(item->path);
	g_free(item->link_target);
	g_free(item);
}

static void
layer_import_clear(LayerImport *self)
{
	/* The threads first: they use what follows. */
	if (self->input != NULL)
		g_input_stream_close(self->input, NULL, NULL);
	if (self->ahead != NULL)
		g_input_stream_close(self->ahead, NULL, NULL);
	g_clear_pointer(&self->writer, cam_object_writer_free);
	g_queue_clear_full(&self->queue, item_free);
	g_clear_pointer(&self->reader, cam_tar_reader_free);
	g_clear_pointer(&self->raw, g_byte_array_unref);
	g_clear_pointer(&self->skeleton, cam_skeleton_writer_free);
	g_clear_pointer(&self->tree, cam_tree_builder_free);
	g_clear_object(&self->input);
	g_clear_object(&self->plain);
	g_clear_object(&self->ahead);
	g_clear_object(&self->inflated);
	g_clear_object(&self->blob);
	cam_fd_close(cam_fd_steal(&self->skeleton_fd));
	/* Aborting is nothing after a commit; the leftovers of the dead go either way. */
	if (self->repo != NULL)
		cam_repo_abort(self->repo);
	g_clear_object(&self->repo);
	g_clear_pointer(&self->info, cam_layer_info_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LayerImport, layer_import_clear)

/* ---- set-up ---- */

static int
open_tmpfile(CamStore *store, GError **error)
{
	int dirfd = cam_store_get_tmp_dirfd(store, NULL, error);
	int fd;

	if (dirfd < 0)
		return -1;
	fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot make a temporary file in the store");
	return fd;
}

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
	return check_growth(self, cam_tar_reader_get_position(self->reader) + (guint64) n, error)
		       ? n
		       : -1;
}

/* ---- the queue ---- */

static gboolean
record_object(LayerImport *self, Item *item, GError **error)
{
	g_auto(CamSkeletonObject) record = {
		.object = item->job->object,
		.has_content = item->entry.type == CAM_NODE_REGULAR,
		.content = item->job->content,
		.size = item->stored_size,
		.extents = g_steal_pointer(&item->extents),
	};

	if (item->job->is_new) {
		self->info->new_objects++;
		self->info->new_bytes += item->job->size;
	}
	item->entry.object = &item->job->object;
	return cam_skeleton_writer_add_object(self->skeleton, &record, error);
}

static gboolean
finish_item(LayerImport *self, Item *item, GError **error)
{
	if (!cam_skeleton_writer_add_raw(self->skeleton, item->raw->data, item->raw->len, error))
		return FALSE;
	if (!item->has_entry)
		return TRUE;
	if (item->job != NULL && (!cam_object_writer_wait(self->writer, item->job, error) ||
				  !record_object(self, item, error)))
		return cam_error_translate(error, "%s", item->path);
	if (item->entry.is_whiteout || item->entry.is_opaque)
		return TRUE;
	return cam_tree_builder_add(self->tree, &item->entry, error);
}

/* Hands on what is ready at the front, and the front in any case if the queue is longer than
 * @allowed. */
static gboolean
drain(LayerImport *self, guint allowed, GError **error)
{
	Item *item;

	while ((item = g_queue_peek_head(&self->queue)) != NULL) {
		if (item->job != NULL && !cam_object_job_is_done(item->job) &&
		    g_queue_get_length(&self->queue) <= allowed)
			return TRUE;
		if (!finish_item(self, item, error))
			return FALSE;
		item_free(g_queue_pop_head(&self->queue));
	}
	return TRUE;
}

static Item *
push_item(LayerImport *self)
{
	Item *item = g_new0(Item, 1);

	item->raw = g_steal_pointer(&self->raw);
	self->raw = g_byte_array_new();
	g_queue_push_tail(&self->queue, item);
	return item;
}

static gboolean
source_raw(gpointer user_data, gconstpointer data, gsize size, GError **error)
{
	LayerImport *self = user_data;

	g_byte_array_append(self->raw, data, (guint) size);
	if (self->raw->len < MAX_RAW)
		return TRUE;
	push_item(self);
	return drain(self, MAX_QUEUE, error);
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
read_content(LayerImport *self, const CamTarEntry *tar, CamObjectJob *job, GError **error)
{
	CamTarExtent whole = { 0, tar->size };
	const CamTarExtent *extents = tar->extents != NULL ? tar->extents : &whole;
	guint n = tar->extents != NULL ? tar->n_extents : 1;

	job->size = tar->size;
	if (tar->size > SPOOL_ABOVE) {
		cam_object_writer_reserve(self->writer, job, SPOOL_ABOVE);
		job->fd = open_tmpfile(self->store, error);
		if (job->fd < 0)
			return FALSE;
		if (ftruncate(job->fd, (off_t) tar->size) != 0)
			return cam_set_error_errno(error, errno, "cannot write a temporary file");
	} else {
		cam_object_writer_reserve(self->writer, job, (gsize) tar->size);
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

static gboolean
start_job(LayerImport *self, const CamTarEntry *tar, Item *item, GError **error)
{
	const CamLayerEntry *entry = &item->entry;
	g_autoptr(CamObjectJob) job = cam_object_job_new();

	job->uid = entry->uid;
	job->gid = entry->gid;
	job->mode = cam_layer_entry_object_mode(entry);
	job->xattrs = cam_layer_entry_object_xattrs(entry);
	if (S_ISLNK(job->mode))
		job->symlink = g_strdup(entry->link_target);
	else if (entry->type == CAM_NODE_REGULAR && !read_content(self, tar, job, error))
		return FALSE;
	item->job = g_steal_pointer(&job);
	cam_object_writer_push(self->writer, item->job);
	return TRUE;
}

/* ---- entries ---- */

static void
own_entry(Item *item, const CamLayerEntry *entry, char *path)
{
	item->has_entry = TRUE;
	item->entry = *entry;
	item->path = path != NULL ? path : g_strdup(entry->path);
	item->link_target = g_strdup(entry->link_target);
	item->entry.path = item->path;
	item->entry.link_target = item->link_target;
	if (entry->xattrs != NULL)
		item->entry.xattrs = g_variant_ref(entry->xattrs);
}

static gboolean
count_entry(LayerImport *self, const CamTarEntry *tar, GError **error)
{
	if (++self->info->entries > self->limits.max_entries)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "the layer has more than the %" G_GUINT64_FORMAT
				     " entries allowed",
				     self->limits.max_entries);
	if (!g_uint64_checked_add(&self->total, self->total, tar->size))
		self->total = G_MAXUINT64;
	if (tar->type == CAM_TAR_REGULAR && tar->size > 0)
		self->info->files++;
	/* Holes are not in the tar, but they are in the object. */
	return check_growth(self, self->total, error);
}

static gboolean
take_entry(LayerImport *self, const CamTarEntry *tar, GError **error)
{
	g_autofree char *path = NULL;
	CamLayerEntry entry;
	gboolean skip;
	Item *item;

	if (!count_entry(self, tar, error) ||
	    !cam_layer_entry_from_tar(&entry, tar, &path, &skip, error))
		return FALSE;
	/* No tree holds these, so nothing would keep their content. */
	if ((skip || entry.is_whiteout || entry.is_opaque) && tar->stored_size > 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s: a whiteout that has content", tar->path);
	if (skip)
		return TRUE;
	item = push_item(self);
	own_entry(item, &entry, g_steal_pointer(&path));
	item->stored_size = tar->stored_size;
	if (tar->extents != NULL) {
		item->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
		g_array_append_vals(item->extents, tar->extents, tar->n_extents);
	}
	if (cam_layer_entry_has_object(&item->entry) && !start_job(self, tar, item, error))
		return cam_error_translate(error, "%s", tar->path);
	return drain(self, MAX_QUEUE, error);
}

static gboolean
read_entries(LayerImport *self, GError **error)
{
	const CamTarEntry *tar;
	GError *local = NULL;

	while ((tar = cam_tar_reader_next(self->reader, &local)) != NULL) {
		if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
			return cam_error_translate(error, NULL);
		if (!take_entry(self, tar, error))
			return FALSE;
	}
	if (local != NULL) {
		g_propagate_error(error, local);
		return FALSE;
	}
	self->info->size = cam_tar_reader_get_position(self->reader);
	push_item(self);
	return drain(self, 0, error) &&
	       cam_skeleton_writer_finish(self->skeleton, self->info->size, error);
}

/* ---- the end ---- */

static gboolean
check_digests(LayerImport *self, const CamDescriptor *descriptor, const char *diff_id,
	      GError **error)
{
	guint64 size = cam_digest_stream_get_count(self->blob);
	g_autofree char *digest = cam_digest_stream_finish(self->blob);

	if (descriptor != NULL && (guint64) descriptor->size != size)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "the layer's blob %s has %" G_GUINT64_FORMAT
				     " bytes instead of %" G_GINT64_FORMAT,
				     descriptor->digest, size, descriptor->size);
	if (descriptor != NULL && !g_str_equal(descriptor->digest, digest))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "the layer's blob hashes to %s instead of %s", digest,
				     descriptor->digest);
	self->info->diff_id = cam_digest_stream_finish(self->plain);
	if (diff_id != NULL && !g_str_equal(diff_id, self->info->diff_id))
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "the uncompressed layer hashes to %s instead of the diffID %s",
				     self->info->diff_id, diff_id);
	return TRUE;
}

static GInputStream *
skeleton_stream(LayerImport *self, GError **error)
{
	if (lseek(self->skeleton_fd, 0, SEEK_SET) == 0)
		return g_unix_input_stream_new(self->skeleton_fd, FALSE);
	cam_set_error_errno(error, errno, "cannot read a temporary file");
	return NULL;
}

static gboolean
copy_to_fd(GInputStream *stream, int fd, guint64 *size, GCancellable *cancellable, GError **error)
{
	g_autofree guint8 *chunk = g_malloc(COPY_CHUNK);
	gssize n;

	*size = 0;
	while ((n = g_input_stream_read(stream, chunk, COPY_CHUNK, cancellable, error)) > 0) {
		if (!cam_write_all(fd, chunk, (gsize) n, error))
			return FALSE;
		*size += (guint64) n;
	}
	return n == 0 || cam_error_translate(error, NULL);
}

/* The skeleton, compressed, as a file object. */
static char *
write_skeleton(LayerImport *self, GError **error)
{
	g_autoptr(GInputStream) records = skeleton_stream(self, error);
	g_autoptr(GInputStream) packed = NULL;
	g_autoptr(CamObjectJob) job = cam_object_job_new();
	char checksum[65];

	if (records == NULL)
		return NULL;
	packed = cam_compress_stream_new(records, CAM_COMPRESSION_ZSTD, error);
	job->fd = packed != NULL ? open_tmpfile(self->store, error) : -1;
	if (job->fd < 0 || !copy_to_fd(packed, job->fd, &job->size, self->cancellable, error))
		return NULL;
	job->mode = S_IFREG | 0644;
	job->xattrs = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0));
	cam_object_writer_push(self->writer, job);
	if (!cam_object_writer_wait(self->writer, job, error))
		return NULL;
	cam_sha256_to_hex(&job->object, checksum);
	return g_strdup(checksum);
}

static gboolean
write_commit(LayerImport *self, const char *contents, const char *metadata, const char *skeleton,
	     GError **error)
{
	g_autofree char *ref = cam_store_layer_ref(self->info->diff_id);
	g_autoptr(OstreeMutableTree) root = ostree_mutable_tree_new();
	g_autoptr(OstreeMutableTree) tree = NULL;
	g_autoptr(GVariant) notes = NULL;
	GVariantDict dict;

	g_variant_dict_init(&dict, NULL);
	g_variant_dict_insert(&dict, CAM_COMMIT_UNRESOLVED, "t",
			      cam_tree_builder_get_unresolved(self->tree));
	notes = g_variant_ref_sink(g_variant_dict_end(&dict));
	if (!ostree_mutable_tree_ensure_dir(root, CAM_COMMIT_TREE, &tree, error) ||
	    !ostree_mutable_tree_replace_file(root, CAM_COMMIT_SKELETON, skeleton, error))
		return cam_repo_error(error, "cannot write the layer's commit");
	ostree_mutable_tree_set_metadata_checksum(root, metadata);
	ostree_mutable_tree_set_metadata_checksum(tree, metadata);
	ostree_mutable_tree_set_contents_checksum(tree, contents);
	return cam_repo_commit_tree(self->repo, root, ref, notes, self->cancellable, error);
}

static gboolean
write_layer(LayerImport *self, GError **error)
{
	g_autofree char *contents = NULL, *metadata = NULL;
	g_autofree char *skeleton = write_skeleton(self, error);

	if (skeleton == NULL ||
	    !cam_tree_builder_write(self->tree, &contents, &metadata, self->cancellable, error) ||
	    !write_commit(self, contents, metadata, skeleton, error))
		return FALSE;
	if (!ostree_repo_commit_transaction(self->repo, NULL, self->cancellable, error))
		return cam_repo_error(error, "cannot finish the layer");
	return TRUE;
}

/* Every file's digest, from the records: memory does not grow with their number. */
static gboolean
insert_contents(LayerImport *self, CamDatabase *state, GError **error)
{
	g_autoptr(CamStatement) insert = cam_database_prepare(
		state, "INSERT OR IGNORE INTO content (object, sha256) VALUES (?, ?)", error);
	g_autoptr(GInputStream) stream = insert != NULL ? skeleton_stream(self, error) : NULL;
	gboolean found = TRUE;

	if (stream == NULL)
		return FALSE;
	g_autoptr(CamSkeletonReader) reader = cam_skeleton_reader_new(stream);
	while (found) {
		g_auto(CamSkeletonObject) object = { 0 };

		if (!cam_skeleton_reader_skip(reader, error) ||
		    !cam_skeleton_reader_take_object(reader, &object, &found, error))
			return FALSE;
		if (!found || !object.has_content)
			continue;
		cam_statement_bind_blob(insert, 1, object.object.bytes, CAM_SHA256_SIZE);
		cam_statement_bind_blob(insert, 2, object.content.bytes, CAM_SHA256_SIZE);
		if (!cam_statement_run(insert, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
insert_layer(LayerImport *self, CamDatabase *state, GError **error)
{
	g_autoptr(CamStatement) insert =
		cam_database_prepare(state,
				     "INSERT OR REPLACE INTO layers (diff_id, size, entries, files)"
				     " VALUES (?, ?, ?, ?)",
				     error);

	if (insert == NULL)
		return FALSE;
	cam_statement_bind_text(insert, 1, self->info->diff_id);
	cam_statement_bind_int(insert, 2, (gint64) self->info->size);
	cam_statement_bind_int(insert, 3, (gint64) self->info->entries);
	cam_statement_bind_int(insert, 4, (gint64) self->info->files);
	return cam_statement_run(insert, error);
}

static gboolean
write_rows(LayerImport *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);

	if (!cam_database_begin(state, error))
		return FALSE;
	if (insert_contents(self, state, error) && insert_layer(self, state, error) &&
	    cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
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

static gboolean
begin(LayerImport *self, GError **error)
{
	self->skeleton_fd = open_tmpfile(self->store, error);
	if (self->skeleton_fd < 0)
		return FALSE;
	OstreeRepo *shared = cam_store_get_repo(self->store, error);
	if (shared == NULL)
		return FALSE;
	self->repo = cam_repo_begin(shared, self->cancellable, error);
	if (self->repo == NULL)
		return FALSE;
	self->raw = g_byte_array_new();
	self->skeleton = cam_skeleton_writer_new(self->skeleton_fd);
	self->writer = cam_object_writer_new(self->repo);
	self->tree = cam_tree_builder_new(self->repo, NULL, NULL, error);
	cam_tree_builder_set_lenient(self->tree);
	self->info = g_new0(CamLayerInfo, 1);
	return TRUE;
}

static gboolean
import(LayerImport *self, const CamDescriptor *descriptor, const char *diff_id, GError **error)
{
	static const CamTarSource source = { .read = source_read, .raw = source_raw };

	self->reader = cam_tar_reader_new(&source, self);
	return read_entries(self, error) && check_digests(self, descriptor, diff_id, error) &&
	       (self->limits.allow_ambiguous || cam_layer_check(self->skeleton_fd, error)) &&
	       write_layer(self, error) && write_rows(self, error);
}

CamLayerInfo *
cam_store_import_layer(CamStore *self, GInputStream *blob, const CamDescriptor *descriptor,
		       const char *diff_id, const CamLayerLimits *limits, CamProgress *progress,
		       GCancellable *cancellable, GError **error)
{
	g_auto(LayerImport) layer = {
		.store = self,
		.cancellable = cancellable,
		.compressed_size = descriptor != NULL ? (guint64) descriptor->size : 0,
		.skeleton_fd = -1,
		.queue = G_QUEUE_INIT,
	};
	g_autoptr(CamStoreHold) hold = cam_store_hold(self, cancellable, error);
	g_autofree char *phase_text =
		descriptor != NULL
			? g_strdup_printf("layer %.12s", cam_digest_hex(descriptor->digest))
			: g_strdup("new layer");
	guint phase;
	gboolean ok;

	if (hold == NULL)
		return NULL;
	set_limits(&layer, limits);
	phase = cam_progress_begin(progress, phase_text, layer.compressed_size, CAM_PROGRESS_BYTES);
	ok = begin(&layer, error) &&
	     open_streams(&layer, blob, descriptor, progress, phase, error) &&
	     import(&layer, descriptor, diff_id, error) &&
	     (descriptor == NULL ||
	      cam_store_add_layer_blob(self, layer.info->diff_id, descriptor, error));
	/* The threads that read must be gone before the caller sees its stream again. */
	CamLayerInfo *info = ok ? g_steal_pointer(&layer.info) : NULL;
	cam_progress_end(progress, phase);
	return info;
}
