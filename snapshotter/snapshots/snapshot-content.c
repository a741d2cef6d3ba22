/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How content gets into snapshots and out of them: layers that are applied, upper directories that
 * the store adopts, and what one snapshot has more than another.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/mount-table.h"
#include "snapshotter/snapshots/snapshotter-private.h"
#include "snapshotter/store/upper-layer.h"

/* ---- what mounts stand for ---- */

/* The id in "FOLDER/ID/fs…", 0 for another path. */
static gint64
parse_directory(CamSnapshotter *self, const char *path)
{
	gsize length = strlen(self->folder);
	char *end = NULL;
	gint64 id;

	if (!path || !g_str_has_prefix(path, self->folder) || path[length] != '/')
		return 0;
	id = g_ascii_strtoll(path + length + 1, &end, 10);
	return g_str_has_prefix(end, "/fs") ? id : 0;
}

static const CamSnapshotMount *
single_mount(GPtrArray *mounts)
{
	return mounts->len == 1 ? g_ptr_array_index(mounts, 0) : NULL;
}

static gboolean
is_bind(const CamSnapshotMount *mount, const char *option)
{
	return g_str_equal(mount->type, "bind") &&
	       g_strv_contains((const char *const *) mount->options, option);
}

/* Under the mutex: the active snapshot whose mounts these are; UNIMPLEMENTED if none of ours is. */
static CamSnapshotRow *
find_active(CamSnapshotter *self, GPtrArray *mounts, GError **error)
{
	const CamSnapshotMount *mount = single_mount(mounts);
	g_autoptr(CamSnapshotRow) row = NULL;
	gint64 id = 0;

	if (mount && g_str_equal(mount->type, "overlay"))
		id = parse_directory(self, cam_snapshot_mount_get_option(mount, "upperdir"));
	else if (mount && is_bind(mount, "rw"))
		id = parse_directory(self, mount->source);
	row = id ? cam_snapshot_db_get(self->db, id, NULL) : NULL;
	if (row && row->kind == CAM_SNAPSHOT_ACTIVE)
		return g_steal_pointer(&row);
	cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
		      "these mounts are of no active snapshot of this snapshotter");
	return NULL;
}

char *
cam_snapshotter_find_key(CamSnapshotter *self, GPtrArray *mounts, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) row = find_active(self, mounts, error);

	return row ? g_strdup(row->name) : NULL;
}

/* Under the mutex: the snapshot that a lower directory is the top of. */
static CamSnapshotRow *
find_by_directory(CamSnapshotter *self, const char *path, GError **error)
{
	gint64 id = parse_directory(self, path);
	g_autofree char *chain = id ? NULL : cam_lower_mounts_parse(self->lowers, path);

	if (id)
		return cam_snapshot_db_get(self->db, id, error);
	if (chain)
		return cam_snapshot_db_find_chain(self->db, chain, error);
	cam_set_error(error, CAM_ERROR_UNIMPLEMENTED, "%s is not of this snapshotter", path);
	return NULL;
}

/* Under the mutex: the snapshot that mounts show, committed or active; NULL without error for a
 * view of nothing. */
static gboolean
find_shown(CamSnapshotter *self, GPtrArray *mounts, CamSnapshotRow **row, GError **error)
{
	const CamSnapshotMount *mount = single_mount(mounts);

	*row = NULL;
	if (mounts->len == 0)
		return TRUE;
	*row = find_active(self, mounts, NULL);
	if (*row)
		return TRUE;
	if (mount && g_str_equal(mount->type, "overlay")) {
		const char *lower = cam_snapshot_mount_get_option(mount, "lowerdir");
		g_auto(GStrv) paths = g_strsplit(lower ? lower : "", ":", 2);

		*row = find_by_directory(self, paths[0] ? paths[0] : "", error);
	} else if (mount && is_bind(mount, "ro")) {
		*row = find_by_directory(self, mount->source, error);
	} else {
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "these mounts are not of this snapshotter");
	}
	if (*row && (*row)->kind == CAM_SNAPSHOT_VIEW)
		g_clear_pointer(row, cam_snapshot_row_free);
	else if (!*row)
		return FALSE;
	return TRUE;
}

/* ---- apply ---- */

static gboolean
has_content(CamSnapshotter *self, gint64 id)
{
	g_autofree char *path = cam_snapshotter_path(self, id, "fs");
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

	return !dir || g_dir_read_name(dir);
}

/* A layer that came before as this very blob is not read again. */
static CamLayerInfo *
get_layer(CamSnapshotter *self, GInputStream *blob, const CamDescriptor *descriptor,
	  GCancellable *cancellable, GError **error)
{
	g_autofree char *known = cam_store_layer_for_blob(self->store, descriptor->digest);

	return known ? cam_store_get_layer_info(self->store, known, error)
		     : cam_store_import_layer(self->store, blob, descriptor, NULL, &self->limits,
					      NULL, cancellable, error);
}

/* Under the mutex. */
static gboolean
record_layer(CamSnapshotter *self, GPtrArray *mounts, gint64 id, const char *diff_id,
	     GError **error)
{
	g_autoptr(CamSnapshotRow) row = find_active(self, mounts, NULL);
	g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(gint64));

	if (!row || row->id != id)
		return cam_set_error(error, CAM_ERROR_ABORTED,
				     "the snapshot that the layer was for is gone");
	if (!cam_snapshot_db_begin(self->db, error))
		return FALSE;
	g_array_append_val(changed, id);
	if (cam_snapshot_db_add_layer(self->db, id, diff_id, error) &&
	    cam_snapshotter_lease_changed(self, changed, error) &&
	    cam_snapshot_db_commit(self->db, error))
		return TRUE;
	cam_snapshot_db_rollback(self->db);
	return FALSE;
}

CamLayerInfo *
cam_snapshotter_apply(CamSnapshotter *self, GPtrArray *mounts, GInputStream *blob,
		      const CamDescriptor *descriptor, GCancellable *cancellable, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) row = find_active(self, mounts, error);
	g_autoptr(CamStoreHold) hold = NULL;
	g_autoptr(CamLayerInfo) info = NULL;

	g_clear_pointer(&locker, g_mutex_locker_free);
	if (!row)
		return NULL;
	cam_adoption_touch(self->adoption);
	/* What lies in the upper directory would come to lie above the layer. */
	if (has_content(self, row->id)) {
		cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
			      "snapshot %s holds files already: a layer cannot be laid below them",
			      row->name);
		return NULL;
	}
	hold = cam_store_hold(self->store, cancellable, error);
	info = hold ? get_layer(self, blob, descriptor, cancellable, error) : NULL;
	if (!info)
		return NULL;
	locker = g_mutex_locker_new(&self->mutex);
	if (!record_layer(self, mounts, row->id, info->diff_id, error))
		return NULL;
	cam_snapshotter_expect_differ(self, TRUE);
	cam_adoption_touch(self->adoption);
	return g_steal_pointer(&info);
}

/* ---- diff ---- */

/* What the snapshot itself consists of, if that is one thing. */
static GInputStream *
open_own(CamSnapshotter *self, const CamSnapshotRow *row, GError **error)
{
	g_autofree char *fs = cam_snapshotter_below(row->id, "fs");

	if (row->layers[0] && !row->layers[1] &&
	    (row->kind == CAM_SNAPSHOT_COMMITTED ? !row->has_upper : !has_content(self, row->id)))
		return cam_store_open_layer(self->store, row->layers[0], error);
	if (!row->layers[0]) {
		g_auto(CamFd) upper = openat(self->folder_fd, fs,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (upper >= 0)
			return cam_upper_layer_stream_new(upper, error);
		cam_set_error_errno(error, errno, "cannot open %s/%s", self->folder, fs);
		return NULL;
	}
	cam_set_error(error, CAM_ERROR_UNIMPLEMENTED, "snapshot %s has several layers", row->name);
	return NULL;
}

/* Snapshots of several name spaces may be one chain. */
static gboolean
stands_on(CamSnapshotter *self, const CamSnapshotRow *above, const CamSnapshotRow *below)
{
	g_autoptr(CamSnapshotRow) parent = NULL;

	if (above->parent == (below ? below->id : 0))
		return TRUE;
	if (!above->parent || !below || !below->chain)
		return FALSE;
	parent = cam_snapshot_db_get(self->db, above->parent, NULL);
	return parent && g_strcmp0(parent->chain, below->chain) == 0;
}

GInputStream *
cam_snapshotter_open_diff(CamSnapshotter *self, GPtrArray *lower, GPtrArray *upper,
			  GCancellable *cancellable, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) below = NULL, above = NULL;

	if (!find_shown(self, lower, &below, error) || !find_shown(self, upper, &above, error))
		return NULL;
	if (!above || !stands_on(self, above, below)) {
		cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
			      "one of these snapshots is not the parent of the other");
		return NULL;
	}
	return open_own(self, above, error);
}

/* ---- adoption ---- */

/* The layer that the snapshot is by its name, if the store has it: containerd names what it
 * unpacked by its chainID. */
static char *
find_named(CamSnapshotter *self, const CamSnapshotRow *row, const CamSnapshotRow *parent)
{
	const char *slash = strrchr(row->name, '/');
	const char *chain = slash ? slash + 1 : row->name;
	g_auto(GStrv) diff_ids = NULL;
	g_autofree char *own = NULL;

	if (row->layers[0] || !cam_digest_check(chain, NULL) ||
	    !cam_store_find_chain(self->store, chain, &diff_ids, NULL) || !diff_ids)
		return NULL;
	own = g_strdup(diff_ids[g_strv_length(diff_ids) - 1]);
	g_autofree char *whole = cam_chain_id(parent ? parent->chain : NULL, own);
	return g_str_equal(whole, chain) ? g_steal_pointer(&own) : NULL;
}

static char *
adopt_directory(CamSnapshotter *self, gint64 id, gboolean link, GCancellable *cancellable,
		GError **error)
{
	g_autofree char *fs = cam_snapshotter_below(id, "fs");
	g_auto(CamFd) upper =
		openat(self->folder_fd, fs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_autoptr(CamLayerInfo) info = NULL;
	g_autoptr(GInputStream) tar = NULL;

	if (upper < 0) {
		cam_set_error_errno(error, errno, "cannot open %s/%s", self->folder, fs);
		return NULL;
	}
	if (link) {
		info = cam_store_adopt_upper(self->store, upper, NULL, cancellable, error);
	} else {
		tar = cam_upper_layer_stream_new(upper, error);
		info = tar ? cam_store_import_layer(self->store, tar, NULL, NULL, NULL, NULL,
						    cancellable, error)
			   : NULL;
	}
	return info ? g_strdup(info->diff_id) : NULL;
}

/* A committed snapshot that has an upper directory, and its parent (nullable). Under the mutex. */
static CamSnapshotRow *
find_to_adopt(CamSnapshotter *self, gint64 id, CamSnapshotRow **parent, GError **error)
{
	g_autoptr(CamSnapshotRow) row = cam_snapshot_db_get(self->db, id, error);

	if (!row)
		return NULL;
	if (row->kind != CAM_SNAPSHOT_COMMITTED || !row->has_upper) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "snapshot %s has nothing to adopt",
			      row->name);
		return NULL;
	}
	*parent = row->parent ? cam_snapshot_db_get(self->db, row->parent, error) : NULL;
	if (row->parent && !*parent)
		return NULL;
	return g_steal_pointer(&row);
}

/* Under the mutex: the upper directory is the layer @diff_id from now on. */
static gboolean
record_adoption(CamSnapshotter *self, gint64 id, const char *diff_id, GError **error)
{
	g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(gint64));

	if (!cam_snapshot_db_begin(self->db, error))
		return FALSE;
	if (cam_snapshot_db_add_layer(self->db, id, diff_id, error) &&
	    cam_snapshot_db_set_upper(self->db, id, FALSE, error) &&
	    cam_snapshotter_update_chain(self, id, changed, error) &&
	    cam_snapshotter_lease_changed(self, changed, error) &&
	    cam_snapshot_db_commit(self->db, error))
		return TRUE;
	cam_snapshot_db_rollback(self->db);
	return FALSE;
}

/* What is to be adopted, and how. */
typedef struct {
	CamSnapshotRow *row;
	CamSnapshotRow *parent; /* (nullable) */
	gboolean visible;	/* somebody may see link counts change */
} Candidate;

static void
candidate_clear(Candidate *self)
{
	g_clear_pointer(&self->row, cam_snapshot_row_free);
	g_clear_pointer(&self->parent, cam_snapshot_row_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Candidate, candidate_clear)

/* From here to end_adoption() nobody can come to stand on the upper without being told. */
static gboolean
begin_adoption(CamSnapshotter *self, gint64 id, Candidate *candidate, GError **error)
{
	g_autofree char *path = cam_snapshotter_path(self, id, "fs");
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	candidate->row = find_to_adopt(self, id, &candidate->parent, error);
	if (!candidate->row || !cam_snapshot_db_is_used(self->db, id, &candidate->visible, error))
		return FALSE;
	/* Not above a directory, which may have to stay one: a layer there could not be mounted. */
	if (candidate->parent && !candidate->parent->chain)
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE,
				     "snapshot %s stands on one that is a directory still",
				     candidate->row->name);
	if (cam_mount_table_has_option("upperdir", path))
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE,
				     "snapshot %s is still mounted as it was written; unmount it",
				     candidate->row->name);
	candidate->visible = candidate->visible || cam_mount_table_mentions(path);
	self->adopting = id;
	return TRUE;
}

static void
end_adoption(CamSnapshotter *self)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	self->adopting = 0;
}

/* The diffID of the layer that the upper directory is. */
static char *
make_layer(CamSnapshotter *self, const Candidate *candidate, gboolean needed,
	   GCancellable *cancellable, GError **error)
{
	char *diff_id = find_named(self, candidate->row, candidate->parent);

	if (diff_id)
		return diff_id;
	if (candidate->visible && !needed) {
		cam_set_error(error, CAM_ERROR_UNAVAILABLE, "snapshot %s is in use",
			      candidate->row->name);
		return NULL;
	}
	diff_id =
		adopt_directory(self, candidate->row->id, !candidate->visible, cancellable, error);
	if (!diff_id)
		cam_error_translate(error, "snapshot %s", candidate->row->name);
	return diff_id;
}

static gboolean
finish_adoption(CamSnapshotter *self, gint64 id, const char *diff_id, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(GArray) unused = g_array_new(FALSE, FALSE, sizeof(gint64));
	/* It may have been removed meanwhile. */
	g_autoptr(CamSnapshotRow) row = cam_snapshot_db_get(self->db, id, error);
	gboolean used = TRUE;

	if (!row || !record_adoption(self, id, diff_id, error) ||
	    !cam_snapshot_db_is_used(self->db, id, &used, error))
		return FALSE;
	if (!used)
		g_array_append_val(unused, id);
	g_clear_pointer(&locker, g_mutex_locker_free);
	cam_snapshotter_drop_uppers(self, unused);
	return TRUE;
}

gboolean
cam_snapshotter_adopt(CamSnapshotter *self, gint64 id, gboolean needed, GCancellable *cancellable,
		      GError **error)
{
	g_autoptr(GMutexLocker) adopting = g_mutex_locker_new(&self->adopt_mutex);
	g_autoptr(CamStoreHold) hold = cam_store_hold(self->store, cancellable, error);
	g_auto(Candidate) candidate = { 0 };
	g_autofree char *diff_id = NULL;
	gboolean good;

	if (!hold || !begin_adoption(self, id, &candidate, error))
		return FALSE;
	diff_id = make_layer(self, &candidate, needed, cancellable, error);
	good = diff_id && finish_adoption(self, id, diff_id, error);
	end_adoption(self);
	return good;
}

gboolean
cam_snapshotter_make_lower(CamSnapshotter *self, gint64 id, GCancellable *cancellable,
			   GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_auto(CamSnapshotBase) base = { 0 };

	if (!cam_snapshot_base_plan(self->db, id, self->max_uses, &base, error))
		return FALSE;
	g_clear_pointer(&locker, g_mutex_locker_free);
	return !base.chain ||
	       cam_lower_mounts_make(self->lowers, (const char *const *) base.layers->pdata,
				     cancellable, error);
}
