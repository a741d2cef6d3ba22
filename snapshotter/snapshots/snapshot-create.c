/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How snapshots come to be: prepare and view make one on a committed parent, commit makes an active
 * one a committed one, and a layer that the store knows becomes a committed one at once.
 *
 * The order on disk: a directory is made before the transaction that names it ends, and removed
 * after the transaction that forgets it. What a crash leaves is a directory without a row.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/snapshots/disk-usage.h"
#include "snapshotter/snapshots/snapshotter-private.h"

static const char *
last_component(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? slash + 1 : key;
}

/* ---- directories ---- */

/*
 * The root directory of an overlay is that of its upper directory: it gets what the tree below has.
 * A tree that is not shown yet belongs to a snapshot that a layer is unpacked into: there it is the
 * layer that says what the root is.
 */
static void
copy_root(CamSnapshotter *self, const CamSnapshotBase *base, gint64 id)
{
	int dirfd = self->folder_fd;
	g_autofree char *name = cam_snapshotter_below(id, "fs");
	g_autofree char *path = NULL;
	struct stat st;

	if (base->uses->len > 0)
		path = cam_snapshotter_path(
			self, g_array_index(base->uses, CamSnapshotUse, 0).upper, "fs");
	else if (base->chain && cam_lower_mounts_is_shown(self->lowers, base->chain))
		path = cam_lower_mounts_root(self->lowers, base->chain);
	if (!path || stat(path, &st) != 0)
		return;
	struct timespec times[] = { st.st_atim, st.st_mtim };
	(void) !fchownat(dirfd, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
	fchmodat(dirfd, name, st.st_mode & 07777, 0);
	utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW);
}

static gboolean
make_directories(CamSnapshotter *self, gint64 id, GError **error)
{
	static const char *const names[] = { NULL, "fs", "work" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *below = cam_snapshotter_below(id, names[i]);

		/* Left by a crash: a transaction that did not end gave that number. */
		if (i == 0 && !cam_store_discard(self->store, self->folder_fd, below, error))
			return FALSE;
		if (mkdirat(self->folder_fd, below, i == 0 ? 0700 : 0755) != 0 ||
		    /* Whatever the umask is. */
		    fchmodat(self->folder_fd, below, i == 0 ? 0700 : 0755, 0) != 0)
			return cam_set_error_errno(error, errno, "cannot make %s/%s", self->folder,
						   below);
	}
	return TRUE;
}

/* ---- what the store knows ---- */

static gboolean
is_parent_chain(const CamSnapshotRow *parent, const char *chain)
{
	if (!parent || !chain)
		return !parent && !chain;
	return g_strcmp0(parent->chain, chain) == 0 ||
	       g_str_equal(last_component(parent->name), chain);
}

/* The diffID of the layer that makes @target out of @parent, or NULL without error. */
static char *
find_known(CamSnapshotter *self, const CamSnapshotRow *parent, const char *target, GError **error)
{
	g_auto(GStrv) diff_ids = NULL;
	g_autofree char *below = NULL;
	guint n;

	if (!cam_digest_check(target, NULL) ||
	    !cam_store_find_chain(self->store, target, &diff_ids, error) || !diff_ids)
		return NULL;
	n = g_strv_length(diff_ids);
	for (guint i = 0; i + 1 < n; i++) {
		char *chain = cam_chain_id(below, diff_ids[i]);

		g_free(below);
		below = chain;
	}
	return is_parent_chain(parent, below) ? g_strdup(diff_ids[n - 1]) : NULL;
}

/* Under the mutex. */
static gboolean
insert_known(CamSnapshotter *self, const char *name, gint64 parent, GHashTable *labels,
	     const char *diff_id, GError **error)
{
	g_autoptr(CamLayerInfo) info = cam_store_get_layer_info(self->store, diff_id, error);
	g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 id;

	if (!info || !cam_snapshot_db_begin(self->db, error))
		return FALSE;
	id = cam_snapshot_db_insert(self->db, name, parent, CAM_SNAPSHOT_ACTIVE, FALSE, NULL,
				    error);
	if (id && cam_snapshot_db_add_layer(self->db, id, diff_id, error) &&
	    cam_snapshot_db_seal(self->db, id, name, parent, info->size, info->entries, labels,
				 error) &&
	    cam_snapshotter_update_chain(self, id, changed, error) &&
	    cam_snapshotter_lease_changed(self, changed, error) &&
	    cam_snapshot_db_commit(self->db, error))
		return TRUE;
	cam_snapshot_db_rollback(self->db);
	return FALSE;
}

/*
 * The shortcut of containerd's remote snapshotters: the label says which chain the caller is about
 * to unpack on @parent. If the store has it, there is a committed snapshot with that label from now
 * on, and the caller, told ALREADY_EXISTS, looks for it. *@made is FALSE where the store has not.
 */
static gboolean
make_known(CamSnapshotter *self, const char *key, const CamSnapshotRow *parent, GHashTable *labels,
	   gboolean *made, GError **error)
{
	const char *target = labels ? g_hash_table_lookup(labels, CAM_SNAPSHOT_REF_LABEL) : NULL;
	gint64 parent_id = parent ? parent->id : 0;
	g_autoptr(GError) local = NULL;
	g_autofree char *present = NULL, *diff_id = NULL;

	*made = FALSE;
	if (!target)
		return TRUE;
	present = cam_snapshot_db_find_labelled(self->db, parent_id, CAM_SNAPSHOT_REF_LABEL, target,
						&local);
	if (!local && !present)
		diff_id = find_known(self, parent, target, &local);
	if (diff_id)
		insert_known(self, key, parent_id, labels, diff_id, &local);
	*made = !local && (present || diff_id);
	if (!local)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* ---- prepare and view ---- */

/* What is to be made; filled on the way. */
typedef struct {
	const char *key, *parent;
	CamSnapshotKind kind;
	GHashTable *labels;
	CamSnapshotBase base;
	CamSnapshotRow *row;
} Creation;

static void
creation_clear(Creation *self)
{
	cam_snapshot_base_clear(&self->base);
	cam_snapshot_row_free(self->row);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Creation, creation_clear)

/* NULL without error for no parent. */
static gboolean
find_parent(CamSnapshotter *self, const char *name, CamSnapshotRow **parent, GError **error)
{
	*parent = NULL;
	if (!name || *name == '\0')
		return TRUE;
	*parent = cam_snapshot_db_find(self->db, name, error);
	if (!*parent)
		return cam_error_translate(error, "parent");
	return (*parent)->kind == CAM_SNAPSHOT_COMMITTED ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "parent %s is not a committed snapshot", name);
}

/* Under the mutex: row and directories. */
static gboolean
insert_row(CamSnapshotter *self, Creation *creation, gint64 parent, GError **error)
{
	gboolean is_bare = !creation->base.chain && creation->base.uses->len == 0;
	/* A view of nothing needs a place to be seen too. */
	gboolean has_directory = creation->kind == CAM_SNAPSHOT_ACTIVE || is_bare;
	gint64 id;

	if (!cam_snapshot_db_begin(self->db, error))
		return FALSE;
	id = cam_snapshot_db_insert(self->db, creation->key, parent, creation->kind, has_directory,
				    creation->labels, error);
	if (id && cam_snapshot_db_set_uses(self->db, id, creation->base.uses, error) &&
	    (!has_directory || make_directories(self, id, error))) {
		creation->row = cam_snapshot_db_get(self->db, id, error);
		if (creation->row && cam_snapshot_db_commit(self->db, error))
			return TRUE;
	}
	cam_snapshot_db_rollback(self->db);
	/* The next one gets the same number: nobody may take its directory for this one's. */
	if (id && has_directory) {
		g_autofree char *below = cam_snapshotter_below(id, NULL);

		cam_store_discard(self->store, self->folder_fd, below, NULL);
	}
	return FALSE;
}

/* Under the mutex: the upper among them whose files are just getting a second name, or 0. */
static gint64
find_adopting(CamSnapshotter *self, const CamSnapshotBase *base)
{
	for (guint i = 0; i < base->uses->len; i++)
		if (g_array_index(base->uses, CamSnapshotUse, i).upper == self->adopting)
			return self->adopting;
	return 0;
}

/* One try. *@again is the ancestor to adopt before retrying: one that blocks, or one that is being
 * adopted now. */
static gboolean
try_create(CamSnapshotter *self, Creation *creation, gint64 *again, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(CamSnapshotRow) parent = NULL;
	gboolean made = FALSE;

	*again = 0;
	if (!find_parent(self, creation->parent, &parent, error))
		return FALSE;
	if (creation->kind == CAM_SNAPSHOT_ACTIVE &&
	    !make_known(self, creation->key, parent, creation->labels, &made, error))
		return FALSE;
	if (made) {
		cam_adoption_wake(self->adoption);
		return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
				     "the store has the layer that %s is for", creation->key);
	}
	cam_snapshot_base_clear(&creation->base);
	if (!cam_snapshot_base_plan(self->db, parent ? parent->id : 0, self->max_uses,
				    &creation->base, error))
		return FALSE;
	*again = creation->base.blocker;
	if (!*again && !cam_snapshot_key_is_extraction(creation->key))
		*again = find_adopting(self, &creation->base);
	return *again || insert_row(self, creation, parent ? parent->id : 0, error);
}

/* Whether the mounts may name a tree that is shown only when they are asked for again. */
static gboolean
may_show_later(CamSnapshotter *self, const Creation *creation)
{
	return creation->kind == CAM_SNAPSHOT_ACTIVE && g_atomic_int_get(&self->expect_differ) &&
	       cam_snapshot_key_is_extraction(creation->key);
}

/* The thread that adopts may have been faster. */
static gboolean
adopt_blocker(CamSnapshotter *self, gint64 id, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (cam_snapshotter_adopt(self, id, TRUE, cancellable, &local) ||
	    local->code == (int) CAM_ERROR_NOT_FOUND)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* Nobody shall stand on what is being adopted; but it need not succeed. */
static gboolean
make_way(CamSnapshotter *self, const Creation *creation, gint64 id, GCancellable *cancellable,
	 GError **error)
{
	if (creation->base.blocker)
		return adopt_blocker(self, id, cancellable, error);
	cam_adoption_touch(self->adoption);
	g_mutex_lock(&self->adopt_mutex);
	g_mutex_unlock(&self->adopt_mutex);
	return TRUE;
}

static GPtrArray *
create(CamSnapshotter *self, Creation *creation, GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) mounts = NULL;
	g_autoptr(CamStoreHold) hold = NULL;
	gint64 blocker = 0;

	if (*creation->key == '\0') {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "a snapshot needs a key");
		return NULL;
	}
	cam_adoption_touch(self->adoption);
	/* What is known now must still be there when it is leased. Waiting for gc is not done under
	 * the mutex. */
	if (creation->labels && g_hash_table_contains(creation->labels, CAM_SNAPSHOT_REF_LABEL)) {
		hold = cam_store_hold(self->store, cancellable, error);
		if (!hold)
			return NULL;
	}
	do {
		if ((blocker && !make_way(self, creation, blocker, cancellable, error)) ||
		    !try_create(self, creation, &blocker, error))
			return NULL;
	} while (blocker);
	mounts = cam_snapshotter_build_mounts(self, creation->row, &creation->base,
					      !may_show_later(self, creation), cancellable, error);
	/* A snapshot that cannot be mounted was not made. */
	if (mounts && creation->row->has_upper)
		copy_root(self, &creation->base, creation->row->id);
	else if (!mounts)
		cam_snapshotter_remove(self, creation->key, NULL);
	return g_steal_pointer(&mounts);
}

GPtrArray *
cam_snapshotter_prepare(CamSnapshotter *self, const char *key, const char *parent,
			GHashTable *labels, GCancellable *cancellable, GError **error)
{
	g_auto(Creation) creation = {
		.key = key, .parent = parent, .kind = CAM_SNAPSHOT_ACTIVE, .labels = labels
	};

	return create(self, &creation, cancellable, error);
}

GPtrArray *
cam_snapshotter_view(CamSnapshotter *self, const char *key, const char *parent, GHashTable *labels,
		     GCancellable *cancellable, GError **error)
{
	g_auto(Creation) creation = {
		.key = key, .parent = parent, .kind = CAM_SNAPSHOT_VIEW, .labels = labels
	};

	return create(self, &creation, cancellable, error);
}

/* ---- mounts ---- */

static gboolean
load_for_mounts(CamSnapshotter *self, const char *key, Creation *creation, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	cam_snapshot_row_free(creation->row);
	cam_snapshot_base_clear(&creation->base);
	creation->row = cam_snapshot_db_find(self->db, key, error);
	if (!creation->row)
		return FALSE;
	if (creation->row->kind == CAM_SNAPSHOT_COMMITTED)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "snapshot %s is committed: it is mounted through a view or an "
				     "active snapshot on it",
				     key);
	return cam_snapshot_base_load(self->db, creation->row, &creation->base, error);
}

/* A layer was applied above upper directories: they become layers, and the mounts are new. */
static gboolean
plan_anew(CamSnapshotter *self, const Creation *creation, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_auto(CamSnapshotBase) base = { 0 };

	if (!cam_snapshot_base_plan(self->db, creation->row->parent, self->max_uses, &base,
				    error) ||
	    !cam_snapshot_db_begin(self->db, error))
		return FALSE;
	if (cam_snapshot_db_set_uses(self->db, creation->row->id, base.uses, error) &&
	    cam_snapshot_db_commit(self->db, error))
		return TRUE;
	cam_snapshot_db_rollback(self->db);
	return FALSE;
}

GPtrArray *
cam_snapshotter_mounts(CamSnapshotter *self, const char *key, GCancellable *cancellable,
		       GError **error)
{
	g_auto(Creation) creation = { 0 };

	cam_adoption_touch(self->adoption);
	if (!load_for_mounts(self, key, &creation, error))
		return NULL;
	while (creation.base.blocker)
		if (!adopt_blocker(self, creation.base.blocker, cancellable, error) ||
		    !plan_anew(self, &creation, error) ||
		    !load_for_mounts(self, key, &creation, error))
			return NULL;
	return cam_snapshotter_build_mounts(self, creation.row, &creation.base, TRUE, cancellable,
					    error);
}

/* ---- commit ---- */

/* *@parent is the row's own parent, or @name where it was prepared without one. */
static gboolean
choose_parent(CamSnapshotter *self, const CamSnapshotRow *row, const char *name, gint64 *parent,
	      GError **error)
{
	g_autoptr(CamSnapshotRow) wanted = NULL;

	*parent = row->parent;
	if (!find_parent(self, name, &wanted, error))
		return FALSE;
	if (!wanted || wanted->id == row->parent)
		return TRUE;
	if (row->parent)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "snapshot %s was prepared on another parent than %s",
				     row->name, name);
	*parent = wanted->id;
	return TRUE;
}

typedef struct {
	guint64 size, inodes;
	gboolean has_upper; /* there is something in it */
} Content;

static gboolean
is_empty_directory(CamSnapshotter *self, gint64 id)
{
	g_autofree char *path = cam_snapshotter_path(self, id, "fs");
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

	return dir && !g_dir_read_name(dir);
}

/* What the snapshot holds itself. Walks the upper directory: not under the mutex. */
static gboolean
measure(CamSnapshotter *self, const CamSnapshotRow *row, Content *content, GError **error)
{
	g_autofree char *fs = cam_snapshotter_below(row->id, "fs");

	*content = (Content){ 0 };
	content->has_upper =
		row->has_upper && !(row->layers[0] && is_empty_directory(self, row->id));
	if (content->has_upper &&
	    !cam_disk_usage(self->folder_fd, fs, &content->size, &content->inodes, NULL, error))
		return FALSE;
	for (char **layer = row->layers; *layer; layer++) {
		g_autoptr(CamLayerInfo) info = cam_store_get_layer_info(self->store, *layer, error);

		if (!info)
			return FALSE;
		content->size += info->size;
		content->inodes += info->entries;
	}
	return TRUE;
}

/* Under the mutex. */
static gboolean
seal(CamSnapshotter *self, const CamSnapshotRow *row, const char *name, const char *parent_name,
     const Content *content, GHashTable *labels, GError **error)
{
	g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 parent;

	if (!choose_parent(self, row, parent_name, &parent, error) ||
	    !cam_snapshot_db_begin(self->db, error))
		return FALSE;
	if (cam_snapshot_db_seal(self->db, row->id, name, parent, content->size, content->inodes,
				 labels, error) &&
	    cam_snapshot_db_set_upper(self->db, row->id, content->has_upper, error) &&
	    cam_snapshotter_update_chain(self, row->id, changed, error) &&
	    cam_snapshotter_lease_changed(self, changed, error) &&
	    cam_snapshot_db_commit(self->db, error))
		return TRUE;
	cam_snapshot_db_rollback(self->db);
	return FALSE;
}

/* An active snapshot, for commit. */
static CamSnapshotRow *
find_active(CamSnapshotter *self, const char *key, GError **error)
{
	g_autoptr(CamSnapshotRow) row = cam_snapshot_db_find(self->db, key, error);

	if (row && row->kind != CAM_SNAPSHOT_ACTIVE) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			      "snapshot %s is not active: only what was prepared can be committed",
			      key);
		return NULL;
	}
	return g_steal_pointer(&row);
}

gboolean
cam_snapshotter_commit(CamSnapshotter *self, const char *name, const char *key, const char *parent,
		       GHashTable *labels, GError **error)
{
	g_autoptr(CamStoreHold) hold = NULL;
	g_autoptr(GMutexLocker) locker = NULL;
	g_autoptr(CamSnapshotRow) row = NULL, now = NULL;
	g_autoptr(GArray) uses = NULL, idle = NULL;
	Content content;

	if (*name == '\0')
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "a snapshot needs a name");
	if (g_str_equal(name, key))
		return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS, "snapshot %s already exists",
				     name);
	cam_adoption_touch(self->adoption);
	locker = g_mutex_locker_new(&self->mutex);
	row = find_active(self, key, error);
	uses = row ? cam_snapshot_db_get_uses(self->db, row->id, error) : NULL;
	if (!uses)
		return FALSE;
	g_clear_pointer(&locker, g_mutex_locker_free);
	if (!measure(self, row, &content, error))
		return FALSE;
	if (row->layers[0]) {
		hold = cam_store_hold(self->store, NULL, error);
		if (!hold)
			return FALSE;
	}
	locker = g_mutex_locker_new(&self->mutex);
	now = find_active(self, key, error);
	if (!now)
		return FALSE;
	if (now->id != row->id || g_strv_length(now->layers) != g_strv_length(row->layers))
		return cam_set_error(error, CAM_ERROR_ABORTED,
				     "snapshot %s changed while it was committed; try again", key);
	if (!seal(self, row, name, parent, &content, labels, error))
		return FALSE;
	idle = cam_snapshotter_idle_uppers(self, uses);
	g_clear_pointer(&locker, g_mutex_locker_free);
	cam_snapshotter_drop_uppers(self, idle);
	if (!content.has_upper)
		cam_snapshotter_drop_directory(self, row->id);
	cam_adoption_wake(self->adoption);
	return TRUE;
}
