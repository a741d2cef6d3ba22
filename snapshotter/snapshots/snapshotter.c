/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The snapshotter itself: opening and closing, and the requests that only look at what is known or
 * forget it. How snapshots come to be is snapshot-create.c's, what they hold snapshot-content.c's.
 */
#include "snapshotter/snapshots/snapshotter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "snapshotter/base/mount-table.h"
#include "snapshotter/snapshots/disk-usage.h"
#include "snapshotter/snapshots/snapshot-filter.h"
#include "snapshotter/snapshots/snapshotter-private.h"

#define FOLDER	     "snapshots"
#define DATABASE     "snapshots.db"
#define LOCK	     "snapshots.lock"
#define ADOPT_AFTER  1000 /* milliseconds */
#define OPTIONS_MAX  3500 /* bytes of mount(2)'s 4096, the rest for the other options */
#define USE_LENGTH   16	  /* of "/ID/fs:" behind the folder */
#define MAX_USES_MIN 8

G_DEFINE_FINAL_TYPE(CamSnapshotter, cam_snapshotter, G_TYPE_OBJECT)

static void
cam_snapshotter_finalize(GObject *object)
{
	CamSnapshotter *self = CAM_SNAPSHOTTER(object);

	cam_snapshotter_close(self);
	g_clear_pointer(&self->db, cam_snapshot_db_close);
	g_clear_object(&self->store);
	g_free(self->folder);
	cam_fd_close(self->folder_fd);
	cam_fd_close(self->lock);
	g_mutex_clear(&self->mutex);
	g_mutex_clear(&self->adopt_mutex);
	G_OBJECT_CLASS(cam_snapshotter_parent_class)->finalize(object);
}

static void
cam_snapshotter_class_init(CamSnapshotterClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_snapshotter_finalize;
}

static void
cam_snapshotter_init(CamSnapshotter *self)
{
	self->folder_fd = -1;
	self->lock = -1;
	g_mutex_init(&self->mutex);
	g_mutex_init(&self->adopt_mutex);
}

char *
cam_snapshotter_below(gint64 id, const char *name)
{
	return g_strdup_printf("%" G_GINT64_FORMAT "%s%s", id, name ? "/" : "", name ? name : "");
}

char *
cam_snapshotter_path(CamSnapshotter *self, gint64 id, const char *name)
{
	g_autofree char *below = cam_snapshotter_below(id, name);

	return g_build_filename(self->folder, below, NULL);
}

/* ---- opening and closing ---- */

/* The folder belongs to one process at a time. */
static gboolean
take_lock(CamSnapshotter *self, GError **error)
{
	self->lock = openat(cam_store_get_dirfd(self->store), LOCK,
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (self->lock < 0)
		return cam_set_error_errno(error, errno, "cannot open %s in store %s", LOCK,
					   cam_store_get_path(self->store));
	if (flock(self->lock, LOCK_EX | LOCK_NB) == 0)
		return TRUE;
	if (errno != EWOULDBLOCK)
		return cam_set_error_errno(error, errno, "cannot lock the snapshots of store %s",
					   cam_store_get_path(self->store));
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "another process serves the snapshots of store %s already; stop it, "
			     "or choose another store",
			     cam_store_get_path(self->store));
}

static gboolean
open_folder(CamSnapshotter *self, GError **error)
{
	int dirfd = cam_store_get_dirfd(self->store);

	self->folder = g_build_filename(cam_store_get_path(self->store), FOLDER, NULL);
	self->max_uses =
		(guint) MAX(OPTIONS_MAX / (strlen(self->folder) + USE_LENGTH), MAX_USES_MIN);
	if (!cam_mkdirs_at(dirfd, FOLDER, 0700, error))
		return FALSE;
	self->folder_fd = openat(dirfd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return self->folder_fd >= 0 ||
	       cam_set_error_errno(error, errno, "cannot open %s", self->folder);
}

static gboolean
open_database(gpointer data, GError **error)
{
	CamSnapshotter *self = data;
	g_autofree char *path = g_build_filename(cam_store_get_path(self->store), DATABASE, NULL);

	self->db = cam_snapshot_db_open(path, error);
	return self->db != NULL;
}

CamSnapshotter *
cam_snapshotter_open(CamStore *store, const CamSnapshotterOptions *options,
		     GCancellable *cancellable, GError **error)
{
	static const CamSnapshotterOptions defaults = { .method = CAM_MOUNT_AUTO };
	g_autoptr(CamSnapshotter) self = g_object_new(CAM_TYPE_SNAPSHOTTER, NULL);

	if (!options)
		options = &defaults;
	self->store = g_object_ref(store);
	self->limits = options->limits;
	if (!take_lock(self, error) || !open_folder(self, error))
		return NULL;
	if (!cam_store_remove_with_reserve(store, open_database, self, error))
		return NULL;
	self->lowers = cam_lower_mounts_new(store, options->method, error);
	if (!self->lowers || !cam_snapshotter_repair(self, cancellable, error))
		return NULL;
	self->adoption = cam_adoption_new(
		self, options->adopt_after ? options->adopt_after : ADOPT_AFTER, error);
	if (!self->adoption)
		return NULL;
	cam_adoption_wake(self->adoption);
	return g_steal_pointer(&self);
}

CamStore *
cam_snapshotter_get_store(CamSnapshotter *self)
{
	return self->store;
}

void
cam_snapshotter_close(CamSnapshotter *self)
{
	g_clear_pointer(&self->adoption, cam_adoption_free);
	g_clear_pointer(&self->lowers, cam_lower_mounts_free);
}

void
cam_snapshotter_settle(CamSnapshotter *self)
{
	cam_adoption_settle(self->adoption);
}

void
cam_snapshotter_expect_differ(CamSnapshotter *self, gboolean expected)
{
	g_atomic_int_set(&self->expect_differ, expected);
}

/* ---- what the store keeps for snapshots ---- */

char *
cam_snapshotter_lease_id(gint64 id)
{
	return g_strdup_printf(CAM_SNAPSHOT_LEASES "%" G_GINT64_FORMAT, id);
}

gboolean
cam_snapshotter_lease(CamSnapshotter *self, const CamSnapshotRow *row, GError **error)
{
	g_autofree char *lease = cam_snapshotter_lease_id(row->id);
	g_autoptr(GPtrArray) digests = g_ptr_array_new();

	for (char **layer = row->layers; *layer; layer++)
		g_ptr_array_add(digests, *layer);
	if (row->chain)
		g_ptr_array_add(digests, row->chain);
	g_ptr_array_add(digests, NULL);
	return digests->len == 1 ||
	       cam_store_add_lease(self->store, lease, (const char *const *) digests->pdata, 0,
				   error);
}

/* Whoever asks for this chain is answered from now on, whatever his namespace. */
static gboolean
make_known(CamSnapshotter *self, const CamSnapshotRow *row, GError **error)
{
	g_auto(CamSnapshotBase) base = { 0 };

	return cam_snapshot_base_plan(self->db, row->id, self->max_uses, &base, error) &&
	       cam_store_add_chain(self->store, (const char *const *) base.layers->pdata, error);
}

gboolean
cam_snapshotter_lease_changed(CamSnapshotter *self, const GArray *ids, GError **error)
{
	for (guint i = 0; i < ids->len; i++) {
		g_autoptr(CamSnapshotRow) row =
			cam_snapshot_db_get(self->db, g_array_index(ids, gint64, i), error);

		if (!row || !cam_snapshotter_lease(self, row, error) ||
		    (row->chain && !make_known(self, row, error)))
			return FALSE;
	}
	return TRUE;
}

/* The chainID of @row, NULL without error while there is none. */
static gboolean
find_chain(CamSnapshotter *self, const CamSnapshotRow *row, char **chain, GError **error)
{
	g_autoptr(CamSnapshotRow) parent = NULL;

	*chain = NULL;
	if (row->parent) {
		parent = cam_snapshot_db_get(self->db, row->parent, error);
		if (!parent)
			return FALSE;
	}
	if (row->has_upper || (parent && !parent->chain))
		return TRUE;
	*chain = parent ? g_strdup(parent->chain) : NULL;
	for (char **layer = row->layers; *layer; layer++) {
		char *next = cam_chain_id(*chain, *layer);

		g_free(*chain);
		*chain = next;
	}
	return TRUE;
}

gboolean
cam_snapshotter_update_chain(CamSnapshotter *self, gint64 id, GArray *changed, GError **error)
{
	g_autoptr(GArray) waiting = g_array_new(FALSE, FALSE, sizeof(gint64));

	g_array_append_val(waiting, id);
	while (waiting->len > 0) {
		gint64 next = g_array_index(waiting, gint64, waiting->len - 1);
		g_autoptr(CamSnapshotRow) row = cam_snapshot_db_get(self->db, next, error);
		g_autofree char *chain = NULL;
		g_autoptr(GArray) children = NULL;

		g_array_set_size(waiting, waiting->len - 1);
		if (!row || !find_chain(self, row, &chain, error))
			return FALSE;
		g_array_append_val(changed, next);
		if (!chain)
			continue;
		children = cam_snapshot_db_children(self->db, next, error);
		if (!children || !cam_snapshot_db_set_chain(self->db, next, chain, error))
			return FALSE;
		g_array_append_vals(waiting, children->data, children->len);
	}
	return TRUE;
}

/* ---- looking ---- */

CamSnapshotInfo *
cam_snapshotter_stat(CamSnapshotter *self, const char *key, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return cam_snapshot_db_stat(self->db, key, error);
}

/* In the order that they have. */
static void
keep_matching(GPtrArray *infos, const CamSnapshotFilter *filter)
{
	guint kept = 0;

	for (guint i = 0; i < infos->len; i++) {
		gpointer info = infos->pdata[i];

		if (!cam_snapshot_filter_matches(filter, info))
			continue;
		infos->pdata[i] = infos->pdata[kept];
		infos->pdata[kept++] = info;
	}
	g_ptr_array_set_size(infos, (gint) kept);
}

GPtrArray *
cam_snapshotter_list(CamSnapshotter *self, const char *const *filters, GError **error)
{
	g_autoptr(CamSnapshotFilter) filter = cam_snapshot_filter_parse(filters, error);
	g_autoptr(GPtrArray) infos = NULL;

	if (!filter)
		return NULL;
	g_mutex_lock(&self->mutex);
	infos = cam_snapshot_db_list(self->db, error);
	g_mutex_unlock(&self->mutex);
	if (infos)
		keep_matching(infos, filter);
	return g_steal_pointer(&infos);
}

gboolean
cam_snapshotter_usage(CamSnapshotter *self, const char *key, guint64 *size, guint64 *inodes,
		      GCancellable *cancellable, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) row = cam_snapshot_db_find(self->db, key, error);
	g_autofree char *fs = NULL;

	g_clear_pointer(&locker, g_mutex_locker_free);
	if (!row)
		return FALSE;
	*size = row->size;
	*inodes = row->inodes;
	if (row->kind != CAM_SNAPSHOT_ACTIVE)
		return TRUE;
	fs = cam_snapshotter_below(row->id, "fs");
	return cam_disk_usage(self->folder_fd, fs, size, inodes, cancellable, error);
}

/* ---- labels ---- */

/* Takes @path, "labels" or "labels.KEY", from @from to @labels. */
static gboolean
copy_path(GHashTable *labels, GHashTable *from, const char *path, GError **error)
{
	const char *key = g_str_has_prefix(path, "labels.") ? path + strlen("labels.") : NULL;
	const char *value = key && from ? g_hash_table_lookup(from, key) : NULL;
	GHashTableIter iter;
	gpointer name, text;

	if (value) {
		g_hash_table_insert(labels, g_strdup(key), g_strdup(value));
	} else if (key) {
		g_hash_table_remove(labels, key);
	} else if (g_str_equal(path, "labels")) {
		g_hash_table_remove_all(labels);
		if (!from)
			return TRUE;
		g_hash_table_iter_init(&iter, from);
		while (g_hash_table_iter_next(&iter, &name, &text))
			g_hash_table_insert(labels, g_strdup(name), g_strdup(text));
	} else {
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "cannot update %s of a snapshot: only labels can change",
				     path);
	}
	return TRUE;
}

static gboolean
update(CamSnapshotter *self, gint64 id, GHashTable *labels, GError **error)
{
	if (!cam_snapshot_db_begin(self->db, error))
		return FALSE;
	if (cam_snapshot_db_set_labels(self->db, id, labels, error) &&
	    cam_snapshot_db_commit(self->db, error))
		return TRUE;
	cam_snapshot_db_rollback(self->db);
	return FALSE;
}

CamSnapshotInfo *
cam_snapshotter_update(CamSnapshotter *self, const char *name, GHashTable *labels,
		       const char *const *paths, GError **error)
{
	static const char *const all[] = { "labels", NULL };
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) row = cam_snapshot_db_find(self->db, name, error);
	g_autoptr(CamSnapshotInfo) info = row ? cam_snapshot_db_stat(self->db, name, error) : NULL;

	if (!info)
		return NULL;
	for (paths = paths && *paths ? paths : all; *paths; paths++)
		if (!copy_path(info->labels, labels, *paths, error))
			return NULL;
	if (!update(self, row->id, info->labels, error))
		return NULL;
	return cam_snapshot_db_stat(self->db, name, error);
}

/* ---- forgetting ---- */

void
cam_snapshotter_drop_directory(CamSnapshotter *self, gint64 id)
{
	g_autofree char *below = cam_snapshotter_below(id, NULL);
	g_autoptr(GError) error = NULL;

	/* What stays is found by the next cleanup. */
	if (!cam_store_discard(self->store, self->folder_fd, below, &error))
		g_warning("cannot remove %s/%s: %s", self->folder, below, error->message);
}

void
cam_snapshotter_drop_uppers(CamSnapshotter *self, const GArray *ids)
{
	for (guint i = 0; i < ids->len; i++) {
		gint64 id = g_array_index(ids, gint64, i);
		g_autofree char *path = cam_snapshotter_path(self, id, "fs");

		/* A snapshot that was committed may still be mounted as it was before. */
		if (!cam_mount_table_mentions(path))
			cam_snapshotter_drop_directory(self, id);
	}
}

GArray *
cam_snapshotter_idle_uppers(CamSnapshotter *self, const GArray *uses)
{
	GArray *idle = g_array_new(FALSE, FALSE, sizeof(gint64));

	for (guint i = 0; i < uses->len; i++) {
		gint64 id = g_array_index(uses, CamSnapshotUse, i).upper;
		g_autoptr(CamSnapshotRow) row = cam_snapshot_db_get(self->db, id, NULL);
		gboolean used = TRUE;

		if (row && !row->has_upper && cam_snapshot_db_is_used(self->db, id, &used, NULL) &&
		    !used)
			g_array_append_val(idle, id);
	}
	return idle;
}

typedef struct {
	CamSnapshotter *snapshotter;
	const CamSnapshotRow *row;
} Removal;

static gboolean
delete_row(gpointer data, GError **error)
{
	const Removal *self = data;

	return cam_snapshot_db_remove(self->snapshotter->db, self->row->id, error);
}

/* Removing a row takes space on the disk. Where there is none, and others were faster to take what
 * the store keeps for that, what the snapshot has is removed first. */
static gboolean
delete_row_somehow(CamSnapshotter *self, const CamSnapshotRow *row, GError **error)
{
	g_autofree char *fs = cam_snapshotter_below(row->id, "fs");
	g_autoptr(GError) problem = NULL;
	Removal removal = { self, row };

	if (cam_store_remove_with_reserve(self->store, delete_row, &removal, &problem))
		return TRUE;
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED) && row->has_upper &&
	    cam_remove_tree_at(self->folder_fd, fs, NULL))
		return delete_row(&removal, error);
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* Under the mutex. */
static gboolean
remove_row(CamSnapshotter *self, const CamSnapshotRow *row, GError **error)
{
	g_autofree char *lease = cam_snapshotter_lease_id(row->id);
	gboolean has_children;

	if (!cam_snapshot_db_has_children(self->db, row->id, &has_children, error))
		return FALSE;
	if (has_children)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "cannot remove snapshot %s while others stand on it",
				     row->name);
	if (!delete_row_somehow(self, row, error))
		return FALSE;
	if (row->layers[0])
		cam_store_remove_lease(self->store, lease, NULL);
	return TRUE;
}

/* Under the mutex: hides the tree of a chain that no snapshot is any more. */
static void
hide_unused(CamSnapshotter *self, const char *chain)
{
	gboolean has = TRUE;

	if (cam_snapshot_db_has_chain(self->db, chain, &has, NULL) && !has)
		cam_lower_mounts_hide(self->lowers, chain);
}

gboolean
cam_snapshotter_remove(CamSnapshotter *self, const char *key, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) row = cam_snapshot_db_find(self->db, key, error);
	g_auto(CamSnapshotBase) base = { 0 };
	g_autoptr(GArray) idle = NULL;

	if (!row || !cam_snapshot_base_load(self->db, row, &base, error) ||
	    !remove_row(self, row, error))
		return FALSE;
	if (base.chain && row->layers[0])
		hide_unused(self, base.chain);
	idle = cam_snapshotter_idle_uppers(self, base.uses);
	g_clear_pointer(&locker, g_mutex_locker_free);
	if (base.uses->len > 0)
		cam_adoption_wake(self->adoption);
	else
		cam_adoption_touch(self->adoption);
	cam_snapshotter_drop_directory(self, row->id);
	cam_snapshotter_drop_uppers(self, idle);
	cam_store_make_reserve(self->store);
	return TRUE;
}

gboolean
cam_snapshotter_cleanup(CamSnapshotter *self, GCancellable *cancellable, GError **error)
{
	return cam_snapshotter_sweep(self, cancellable, error);
}
