/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamLayerBuilder: what was read of a layer's tar becomes skeleton, objects, tree and rows. What is
 * handed in waits in a queue, in the order of the tar, until a pool has hashed and written its
 * object; then it goes to the skeleton and to the tree. Nothing is visible before the end: one
 * OSTree transaction with the layer's ref, then one SQLite transaction with its row. A crash
 * between the two leaves a ref without a row, which gc removes and the next builder of the same
 * layer meets. Where the tar comes from is the business of others.
 */
#include "snapshotter/store/layer-builder.h"

#include <errno.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/compression.h"
#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/layer-private.h"
#include "snapshotter/store/layer-skeleton.h"
#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"
#include "snapshotter/store/tree-builder.h"

#define MAX_QUEUE  512
#define MAX_RAW	   (256 * 1024)
#define COPY_CHUNK (256 * 1024)

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

struct _CamLayerBuilder {
	CamStore *store;
	CamLayerContentFunc content;
	gpointer user_data;
	GCancellable *cancellable;

	OstreeRepo *repo;
	GByteArray *raw;
	GQueue queue; /* Item */
	CamObjectWriter *writer;
	CamSkeletonWriter *skeleton;
	CamFd skeleton_fd;
	CamLayerTree *tree;
	GError *refused;      /* (nullable): the layer cannot be the lowest one */
	GHashTable *replaced; /* (element-type CamSha256): objects that have no place in the tree */
	CamLayerInfo *info;
};

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

void
cam_layer_builder_free(CamLayerBuilder *self)
{
	/* The threads first: they use what follows. */
	g_clear_pointer(&self->writer, cam_object_writer_free);
	g_queue_clear_full(&self->queue, item_free);
	g_clear_pointer(&self->raw, g_byte_array_unref);
	g_clear_pointer(&self->skeleton, cam_skeleton_writer_free);
	g_clear_pointer(&self->tree, cam_layer_tree_free);
	g_clear_pointer(&self->replaced, g_hash_table_unref);
	g_clear_error(&self->refused);
	cam_fd_close(self->skeleton_fd);
	/* Aborting is nothing after a commit; the leftovers of the dead go either way. */
	if (self->repo != NULL)
		cam_repo_abort(self->repo);
	g_clear_object(&self->repo);
	g_clear_object(&self->cancellable);
	g_clear_pointer(&self->info, cam_layer_info_free);
	g_free(self);
}

static void
keep_object(gpointer user_data, const CamLayerRecord *record)
{
	CamLayerBuilder *self = user_data;

	if (record->stat.type != CAM_NODE_DIRECTORY)
		g_hash_table_add(self->replaced, g_memdup2(&record->object, sizeof(CamSha256)));
}

CamLayerBuilder *
cam_layer_builder_new(CamStore *store, CamLayerContentFunc content, gpointer user_data,
		      GCancellable *cancellable, GError **error)
{
	g_autoptr(CamLayerBuilder) self = g_new0(CamLayerBuilder, 1);

	self->store = store;
	self->content = content;
	self->user_data = user_data;
	self->cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL;
	g_queue_init(&self->queue);
	self->skeleton_fd = cam_store_open_tmpfile(store, error);
	if (self->skeleton_fd < 0)
		return NULL;
	OstreeRepo *shared = cam_store_get_repo(store, error);
	int tmpfd = shared != NULL ? cam_store_get_tmp_dirfd(store, NULL, error) : -1;
	if (tmpfd < 0)
		return NULL;
	self->repo = cam_repo_begin(shared, cancellable, error);
	if (self->repo == NULL)
		return NULL;
	self->raw = g_byte_array_new();
	self->skeleton = cam_skeleton_writer_new(self->skeleton_fd);
	self->writer = cam_object_writer_new(self->repo, tmpfd, error);
	if (self->writer == NULL)
		return NULL;
	self->tree = cam_layer_tree_new(TRUE);
	self->replaced = g_hash_table_new_full(cam_sha256_hash, cam_sha256_equal, g_free, NULL);
	cam_layer_tree_set_drop_func(self->tree, keep_object, self);
	self->info = g_new0(CamLayerInfo, 1);
	return g_steal_pointer(&self);
}

/* ---- the queue ---- */

static gboolean
record_object(CamLayerBuilder *self, Item *item, GError **error)
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
		self->info->new_bytes += item->job->linked ? 0 : item->job->size;
	}
	item->entry.object = &item->job->object;
	return cam_skeleton_writer_add_object(self->skeleton, &record, error);
}

static gboolean
finish_item(CamLayerBuilder *self, Item *item, GError **error)
{
	if (!cam_skeleton_writer_add_raw(self->skeleton, item->raw->data, item->raw->len, error))
		return FALSE;
	if (!item->has_entry)
		return TRUE;
	if (item->job != NULL && (!cam_object_writer_wait(self->writer, item->job, error) ||
				  !record_object(self, item, error)))
		return cam_error_translate(error, "%s", item->path);
	if (self->refused == NULL &&
	    !cam_layer_tree_add(self->tree, &item->entry, &self->refused) &&
	    self->refused->code != (int) CAM_ERROR_INVALID_ARGUMENT) {
		g_propagate_error(error, g_steal_pointer(&self->refused));
		return FALSE;
	}
	/* Other layers below may make it possible: the merge decides. */
	if (self->refused != NULL && item->job != NULL)
		g_hash_table_add(self->replaced, g_memdup2(&item->job->object, sizeof(CamSha256)));
	return TRUE;
}

/* Hands on what is ready at the front, and the front in any case if the queue is longer than
 * @allowed. */
static gboolean
drain(CamLayerBuilder *self, guint allowed, GError **error)
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
push_item(CamLayerBuilder *self)
{
	Item *item = g_new0(Item, 1);

	item->raw = g_steal_pointer(&self->raw);
	self->raw = g_byte_array_new();
	g_queue_push_tail(&self->queue, item);
	return item;
}

gboolean
cam_layer_builder_add_raw(CamLayerBuilder *self, gconstpointer data, gsize size, GError **error)
{
	g_byte_array_append(self->raw, data, (guint) size);
	if (self->raw->len < MAX_RAW)
		return TRUE;
	push_item(self);
	return drain(self, MAX_QUEUE, error);
}

/* ---- entries ---- */

static gboolean
start_job(CamLayerBuilder *self, const CamTarEntry *tar, Item *item, GError **error)
{
	const CamLayerEntry *entry = &item->entry;
	g_autoptr(CamObjectJob) job = cam_object_job_new();

	job->uid = entry->uid;
	job->gid = entry->gid;
	job->mode = cam_layer_entry_object_mode(entry);
	job->xattrs = cam_layer_entry_object_xattrs(entry);
	if (S_ISLNK(job->mode))
		job->symlink = g_strdup(entry->link_target);
	else if (entry->type == CAM_NODE_REGULAR &&
		 !self->content(self->user_data, tar, job, error))
		return FALSE;
	item->job = g_steal_pointer(&job);
	cam_object_writer_push(self->writer, item->job);
	return TRUE;
}

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

gboolean
cam_layer_builder_add_entry(CamLayerBuilder *self, const CamTarEntry *tar, GError **error)
{
	g_autofree char *path = NULL;
	CamLayerEntry entry;
	Item *item;

	self->info->entries++;
	if (tar->type == CAM_TAR_REGULAR && tar->size > 0)
		self->info->files++;
	if (!cam_layer_entry_from_tar(&entry, tar, &path, error))
		return FALSE;
	if (cam_layer_entry_is_file_at_root(tar))
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

void
cam_layer_builder_reserve(CamLayerBuilder *self, CamObjectJob *job, gsize size)
{
	cam_object_writer_reserve(self->writer, job, size);
}

/* ---- the end ---- */

gboolean
cam_layer_builder_finish(CamLayerBuilder *self, guint64 tar_size, GError **error)
{
	self->info->size = tar_size;
	push_item(self);
	if (!drain(self, 0, error))
		return FALSE;
	if (self->refused == NULL)
		cam_layer_tree_finish(self->tree, &self->refused);
	return cam_skeleton_writer_finish(self->skeleton, tar_size, error);
}

static GInputStream *
skeleton_stream(CamLayerBuilder *self, GError **error)
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
write_skeleton(CamLayerBuilder *self, GError **error)
{
	g_autoptr(GInputStream) records = skeleton_stream(self, error);
	g_autoptr(GInputStream) packed = NULL;
	g_autoptr(CamObjectJob) job = cam_object_job_new();
	char checksum[65];

	if (records == NULL)
		return NULL;
	packed = cam_compress_stream_new(records, CAM_COMPRESSION_ZSTD, error);
	job->fd = packed != NULL ? cam_store_open_tmpfile(self->store, error) : -1;
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
add_replaced(CamLayerBuilder *self, OstreeMutableTree *root, const char *metadata, GError **error)
{
	g_autoptr(OstreeMutableTree) replaced = NULL;
	GHashTableIter iter;
	gpointer object;

	if (g_hash_table_size(self->replaced) == 0)
		return TRUE;
	if (!ostree_mutable_tree_ensure_dir(root, CAM_COMMIT_REPLACED, &replaced, error))
		return FALSE;
	ostree_mutable_tree_set_metadata_checksum(replaced, metadata);
	g_hash_table_iter_init(&iter, self->replaced);
	while (g_hash_table_iter_next(&iter, &object, NULL)) {
		char hex[65];

		cam_sha256_to_hex(object, hex);
		if (!ostree_mutable_tree_replace_file(replaced, hex, hex, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
write_commit(CamLayerBuilder *self, const char *contents, const char *metadata,
	     const char *skeleton, GError **error)
{
	g_autofree char *ref = cam_store_layer_ref(self->info->diff_id);
	g_autoptr(OstreeMutableTree) root = ostree_mutable_tree_new();
	g_autoptr(OstreeMutableTree) tree = NULL;
	g_autoptr(GVariant) notes = NULL;
	GVariantDict dict;

	g_variant_dict_init(&dict, NULL);
	g_variant_dict_insert(&dict, CAM_COMMIT_RULE, "u", CAM_TREE_RULE);
	if (self->refused != NULL)
		g_variant_dict_insert(&dict, CAM_COMMIT_REFUSED, "s", self->refused->message);
	notes = g_variant_ref_sink(g_variant_dict_end(&dict));
	if (!ostree_mutable_tree_ensure_dir(root, CAM_COMMIT_TREE, &tree, error) ||
	    !ostree_mutable_tree_replace_file(root, CAM_COMMIT_SKELETON, skeleton, error) ||
	    !add_replaced(self, root, metadata, error))
		return cam_repo_error(error, "cannot write the layer's commit");
	ostree_mutable_tree_set_metadata_checksum(root, metadata);
	ostree_mutable_tree_set_metadata_checksum(tree, metadata);
	ostree_mutable_tree_set_contents_checksum(tree, contents);
	return cam_repo_commit_tree(self->repo, root, ref, notes, self->cancellable, error);
}

static gboolean
write_layer(CamLayerBuilder *self, GError **error)
{
	g_autofree char *contents = NULL, *metadata = NULL;
	g_autofree char *skeleton = write_skeleton(self, error);
	g_autoptr(CamTreeBuilder) builder = cam_tree_builder_new(self->repo, NULL, NULL);

	if (skeleton == NULL ||
	    !cam_tree_builder_lay_over(builder, self->tree, NULL, NULL, &contents, &metadata,
				       error) ||
	    !write_commit(self, contents, metadata, skeleton, error) ||
	    !cam_object_writer_publish(self->writer, error))
		return FALSE;
	if (!ostree_repo_commit_transaction(self->repo, NULL, self->cancellable, error))
		return cam_repo_error(error, "cannot finish the layer");
	return TRUE;
}

/* Every file's digest, from the records: memory does not grow with their number. */
static gboolean
insert_contents(CamLayerBuilder *self, CamDatabase *state, GError **error)
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
write_rows(CamLayerBuilder *self, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);

	if (!cam_database_begin(state, error))
		return FALSE;
	if (insert_contents(self, state, error) && cam_layers_insert(state, self->info, error) &&
	    cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

CamLayerInfo *
cam_layer_builder_commit(CamLayerBuilder *self, const char *diff_id, GError **error)
{
	self->info->diff_id = g_strdup(diff_id);
	if (!write_layer(self, error) || !write_rows(self, error))
		return NULL;
	return g_steal_pointer(&self->info);
}
