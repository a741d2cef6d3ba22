/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where chains are shown to other processes. Owns the folder lower/ of the store:
 *
 *   lower/ID/tree     the EROFS image mounted
 *   lower/ID/treeN    the checkout, by rule N of merged trees
 *   lower/ID/merged   on kernels that would otherwise impose options on the overlay above: the
 * image and the objects put together, read-only
 *
 * A checkout is made under another name and renamed when it is complete. Which chains are wanted is
 * the snapshotter's business.
 */
#include "snapshotter/snapshots/lower-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/mount-table.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/snapshots/image-cache.h"
#include "snapshotter/snapshots/lower.h"

#define FOLDER "lower"
#define TREE   "tree"
/* A checkout of before, by another rule, stays beside it while snapshots stand on it. */
#define CHECKOUT  "tree" G_STRINGIFY(CAM_TREE_RULE)
#define MERGED	  "merged"
#define ID_LENGTH 32	 /* of 64 hex digits */
#define FRESH	  "new-" /* before the ID of a checkout that is not complete */

struct _CamLowerMounts {
	CamStore *store;
	char *folder;  /* absolute */
	char *objects; /* absolute */
	CamMountMethod method;
	CamDataLayers data; /* what cam_lower_show() will say */
	GMutex mutex;
	GCond changed;
	GHashTable *shown; /* set of ids */
	GHashTable *busy;  /* set of ids: another thread is at it */
};

static char *
make_id(const char *chain)
{
	return g_strndup(cam_digest_hex(chain), ID_LENGTH);
}

static char *
path_of(CamLowerMounts *self, const char *id, const char *name)
{
	return g_build_filename(self->folder, id, name, NULL);
}

/* Whether an overlay of another process could not stand on image and objects as they are. */
static gboolean
needs_merged(CamLowerMounts *self)
{
	return self->data == CAM_DATA_ORDINARY || self->data == CAM_DATA_METACOPY;
}

/* What of lower/ID is the tree for others. */
static const char *
top_name(CamLowerMounts *self)
{
	if (needs_merged(self))
		return MERGED;
	return self->method == CAM_MOUNT_CHECKOUT ? CHECKOUT : TREE;
}

CamLowerMounts *
cam_lower_mounts_new(CamStore *store, CamMountMethod method, GError **error)
{
	g_autoptr(CamLowerMounts) self = g_new0(CamLowerMounts, 1);

	self->store = g_object_ref(store);
	self->folder = g_build_filename(cam_store_get_path(store), FOLDER, NULL);
	self->objects = g_build_filename(cam_store_get_path(store), "repo", "objects", NULL);
	self->shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_mutex_init(&self->mutex);
	g_cond_init(&self->changed);
	self->method = cam_lower_choose_method(store, method);
	self->data = self->method == CAM_MOUNT_CHECKOUT ? CAM_DATA_NONE
							: cam_lower_get_abilities(store)->data;
	if (!cam_mkdirs_at(cam_store_get_dirfd(store), FOLDER, 0700, error) ||
	    !cam_mount_sweep(self->folder, error))
		return NULL;
	return g_steal_pointer(&self);
}

static void
unmount(const char *target)
{
	if (umount2(target, UMOUNT_NOFOLLOW) != 0 && errno == EBUSY)
		umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* What is mounted there is unmounted; files of a checkout stay. */
static void
unmount_id(CamLowerMounts *self, const char *id)
{
	g_autofree char *merged = path_of(self, id, MERGED);
	g_autofree char *tree = path_of(self, id, TREE);
	g_autofree char *directory = path_of(self, id, NULL);

	if (self->data == CAM_DATA_NONE)
		return;
	unmount(merged);
	unmount(tree);
	rmdir(merged);
	rmdir(tree);
	rmdir(directory);
}

void
cam_lower_mounts_free(CamLowerMounts *self)
{
	GHashTableIter iter;
	gpointer id;

	if (!self)
		return;
	g_hash_table_iter_init(&iter, self->shown);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		unmount_id(self, id);
	g_hash_table_unref(self->shown);
	g_hash_table_unref(self->busy);
	g_mutex_clear(&self->mutex);
	g_cond_clear(&self->changed);
	g_free(self->folder);
	g_free(self->objects);
	g_object_unref(self->store);
	g_free(self);
}

/* ---- showing ---- */

/* Image and objects as one read-only tree. */
static gboolean
mount_merged(CamLowerMounts *self, const char *id, int objects, GError **error)
{
	g_autofree char *tree = path_of(self, id, TREE);
	g_autofree char *merged = path_of(self, id, MERGED);
	g_auto(CamFd) lower = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CamOverlay overlay = { lower, objects, -1, -1, self->data, FALSE };

	if (lower < 0)
		return cam_set_error_errno(error, errno, "cannot open %s", tree);
	if (mkdir(merged, 0755) != 0 && errno != EEXIST)
		return cam_set_error_errno(error, errno, "cannot make %s", merged);
	return cam_overlay_mount(&overlay, merged, error);
}

static gboolean
show_image(CamLowerMounts *self, const char *id, const char *const *diff_ids, int objects,
	   GCancellable *cancellable, GError **error)
{
	g_autofree char *below = g_build_filename(FOLDER, id, TREE, NULL);
	g_autofree char *tree = path_of(self, id, TREE);
	CamDataLayers data;

	if (!cam_mkdirs_at(cam_store_get_dirfd(self->store), FOLDER, 0700, error) ||
	    !cam_mkdirs_at(cam_store_get_dirfd(self->store), below, 0755, error) ||
	    !cam_lower_show(self->store, diff_ids, self->method, objects, tree, &data, cancellable,
			    error))
		return FALSE;
	return !needs_merged(self) || mount_merged(self, id, objects, error);
}

static gboolean
is_filled(const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);

	return dir && g_dir_read_name(dir);
}

static gboolean
show_checkout(CamLowerMounts *self, const char *id, const char *const *diff_ids, int objects,
	      GCancellable *cancellable, GError **error)
{
	int dirfd = cam_store_get_dirfd(self->store);
	g_autofree char *done = path_of(self, id, CHECKOUT);
	g_autofree char *below = g_build_filename(FOLDER, id, NULL);
	g_autofree char *done_below = g_build_filename(below, CHECKOUT, NULL);
	g_autofree char *fresh_id = g_strconcat(FRESH, id, NULL);
	g_autofree char *fresh = g_build_filename(FOLDER, fresh_id, NULL);
	g_autofree char *fresh_tree = g_build_filename(fresh, CHECKOUT, NULL);
	g_autofree char *target = path_of(self, fresh_id, CHECKOUT);
	CamDataLayers data;

	if (is_filled(done))
		return TRUE;
	if (!cam_store_discard(self->store, dirfd, done_below, error) ||
	    !cam_store_discard(self->store, dirfd, fresh, error) ||
	    !cam_mkdirs_at(dirfd, FOLDER, 0700, error) ||
	    !cam_mkdirs_at(dirfd, below, 0755, error) ||
	    !cam_mkdirs_at(dirfd, fresh_tree, 0755, error))
		return FALSE;
	if (!cam_lower_show(self->store, diff_ids, self->method, objects, target, &data,
			    cancellable, error)) {
		cam_remove_tree_at(dirfd, fresh, NULL);
		return FALSE;
	}
	if (rename(target, done) != 0)
		return cam_set_error_errno(error, errno, "cannot make %s", done);
	cam_remove_tree_at(dirfd, fresh, NULL);
	return TRUE;
}

static gboolean
show(CamLowerMounts *self, const char *id, const char *const *diff_ids, GCancellable *cancellable,
     GError **error)
{
	g_auto(CamFd) objects = cam_lower_open_objects(self->store, error);

	if (objects < 0)
		return FALSE;
	if (self->method == CAM_MOUNT_CHECKOUT)
		return show_checkout(self, id, diff_ids, objects, cancellable, error);
	if (show_image(self, id, diff_ids, objects, cancellable, error))
		return TRUE;
	unmount_id(self, id);
	return FALSE;
}

/* Under the mutex. An administrator may have unmounted what was shown. */
static gboolean
is_shown(CamLowerMounts *self, const char *id)
{
	g_autofree char *top = path_of(self, id, top_name(self));
	struct statx st;

	return g_hash_table_contains(self->shown, id) &&
	       (self->data == CAM_DATA_NONE ||
		(statx(AT_FDCWD, top, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
		 (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)));
}

gboolean
cam_lower_mounts_show(CamLowerMounts *self, const char *const *diff_ids, const char *chain,
		      GCancellable *cancellable, GError **error)
{
	g_autofree char *id = make_id(chain);
	gboolean good;

	g_mutex_lock(&self->mutex);
	while (g_hash_table_contains(self->busy, id))
		g_cond_wait(&self->changed, &self->mutex);
	good = is_shown(self, id);
	if (!good) {
		g_hash_table_add(self->busy, g_strdup(id));
		g_mutex_unlock(&self->mutex);
		good = show(self, id, diff_ids, cancellable, error);
		g_mutex_lock(&self->mutex);
		g_hash_table_remove(self->busy, id);
		if (good)
			g_hash_table_add(self->shown, g_strdup(id));
		g_cond_broadcast(&self->changed);
	}
	g_mutex_unlock(&self->mutex);
	return good;
}

gboolean
cam_lower_mounts_make(CamLowerMounts *self, const char *const *diff_ids, GCancellable *cancellable,
		      GError **error)
{
	if (self->data == CAM_DATA_NONE)
		return TRUE;
	g_auto(CamFd) image = cam_image_cache_open(
		self->store, diff_ids, self->data == CAM_DATA_ORDINARY, cancellable, error);
	return image >= 0;
}

gboolean
cam_lower_mounts_is_shown(CamLowerMounts *self, const char *chain)
{
	g_autofree char *id = make_id(chain);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	return g_hash_table_contains(self->shown, id);
}

/* ---- hiding ---- */

static void
remove_id(CamLowerMounts *self, const char *id)
{
	g_autofree char *below = g_build_filename(FOLDER, id, NULL);

	unmount_id(self, id);
	/* Stops at file systems that are still mounted. */
	cam_remove_tree_at(cam_store_get_dirfd(self->store), below, NULL);
}

void
cam_lower_mounts_hide(CamLowerMounts *self, const char *chain)
{
	g_autofree char *id = make_id(chain);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	while (g_hash_table_contains(self->busy, id))
		g_cond_wait(&self->changed, &self->mutex);
	g_hash_table_remove(self->shown, id);
	/* An earlier process may have left it. */
	remove_id(self, id);
}

void
cam_lower_mounts_sweep(CamLowerMounts *self, GHashTable *chains)
{
	g_autoptr(GDir) dir = g_dir_open(self->folder, 0, NULL);
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	GHashTableIter iter;
	gpointer chain;
	const char *name;

	g_hash_table_iter_init(&iter, chains);
	while (g_hash_table_iter_next(&iter, &chain, NULL))
		g_hash_table_add(ids, make_id(chain));
	while (dir && (name = g_dir_read_name(dir))) {
		const char *id = g_str_has_prefix(name, FRESH) ? name + strlen(FRESH) : name;

		if (g_hash_table_contains(ids, name) || g_hash_table_contains(self->busy, id))
			continue;
		remove_id(self, name);
		g_hash_table_remove(self->shown, name);
	}
}

/* ---- paths ---- */

char *
cam_lower_mounts_lowerdir(CamLowerMounts *self, const char *chain)
{
	g_autofree char *id = make_id(chain);
	g_autofree char *path = path_of(self, id, top_name(self));

	/* Two colons: what follows is looked into for content only. */
	return self->data == CAM_DATA_FREE ? g_strconcat(path, "::", self->objects, NULL)
					   : g_steal_pointer(&path);
}

char *
cam_lower_mounts_directory(CamLowerMounts *self, const char *chain)
{
	g_autofree char *id = make_id(chain);

	if (self->data == CAM_DATA_FREE)
		return NULL;
	return path_of(self, id, top_name(self));
}

char *
cam_lower_mounts_root(CamLowerMounts *self, const char *chain)
{
	g_autofree char *id = make_id(chain);

	return path_of(self, id, self->method == CAM_MOUNT_CHECKOUT ? CHECKOUT : TREE);
}

char *
cam_lower_mounts_parse(CamLowerMounts *self, const char *path)
{
	gsize length = strlen(self->folder);

	if (!g_str_has_prefix(path, self->folder) || path[length] != '/' ||
	    strlen(path + length + 1) < ID_LENGTH)
		return NULL;
	return g_strndup(path + length + 1, ID_LENGTH);
}
