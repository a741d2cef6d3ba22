/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamStore itself: the directory, its locks, its temporary directories, its state database and
 * the lazily opened OSTree repository. What is kept inside (blobs, layers, trees, images) is the
 * business of the other files of this folder.
 */
#include "snapshotter/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/mount-table.h"
#include "snapshotter/store/store-folders.h"
#include "snapshotter/store/store-lock.h"
#include "snapshotter/store/store-private.h"

struct _CamStore {
	GObject parent_instance;

	char *path;
	CamFd dirfd;
	gboolean read_only; /* the file system, or the directory's mode */
	CamStoreLock *lock;

	GMutex state_mutex;
	CamDatabase *state;

	GMutex mutex; /* guards what is made when it is first needed */
	OstreeRepo *repo;
	CamFd tmp_dirfd;
	char *tmp_path;
};

G_DEFINE_FINAL_TYPE(CamStore, cam_store, G_TYPE_OBJECT)

/* Scripts are only ever appended; see cam_database_open(). */
static const char *const migrations[] = {
	"CREATE TABLE images ("
	"  name TEXT PRIMARY KEY,"
	"  manifest_digest TEXT NOT NULL,"
	"  config_digest TEXT NOT NULL,"
	"  index_digest TEXT,"
	"  source TEXT,"
	"  base_name TEXT,"
	"  imported_at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE layers ("
	"  diff_id TEXT PRIMARY KEY,"
	"  size INTEGER NOT NULL,"
	"  entries INTEGER NOT NULL,"
	"  files INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE layer_blobs ("
	"  digest TEXT PRIMARY KEY,"
	"  diff_id TEXT NOT NULL,"
	"  media_type TEXT NOT NULL,"
	"  size INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX layer_blobs_diff_id ON layer_blobs (diff_id);"
	/* Identity of a file object → sha256 of its content alone. */
	"CREATE TABLE content ("
	"  object BLOB PRIMARY KEY,"
	"  sha256 BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE leases (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE lease_digests ("
	"  lease TEXT NOT NULL REFERENCES leases (id) ON DELETE CASCADE,"
	"  digest TEXT NOT NULL,"
	"  PRIMARY KEY (lease, digest)) WITHOUT ROWID;",
	"CREATE TABLE chains ("
	"  chain_id TEXT PRIMARY KEY,"
	"  parent TEXT," /* NULL: of one layer */
	"  diff_id TEXT NOT NULL) WITHOUT ROWID;"
	/* What is done once. */
	"CREATE TABLE marks (name TEXT PRIMARY KEY) WITHOUT ROWID;"
	"INSERT INTO marks SELECT '" CAM_MARK_CHAINS "' WHERE NOT EXISTS (SELECT 1 FROM images);",
	NULL,
};

static void
cam_store_finalize(GObject *object)
{
	CamStore *self = CAM_STORE(object);

	if (self->tmp_path != NULL)
		cam_remove_tree_at(AT_FDCWD, self->tmp_path, NULL);
	g_clear_object(&self->repo);
	g_clear_pointer(&self->state, cam_database_close);
	g_clear_pointer(&self->lock, cam_store_lock_free);
	g_free(self->tmp_path);
	g_free(self->path);
	cam_fd_close(self->tmp_dirfd);
	cam_fd_close(self->dirfd);
	g_mutex_clear(&self->mutex);
	g_mutex_clear(&self->state_mutex);
	G_OBJECT_CLASS(cam_store_parent_class)->finalize(object);
}

static void
cam_store_class_init(CamStoreClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_store_finalize;
}

static void
cam_store_init(CamStore *self)
{
	self->dirfd = -1;
	self->tmp_dirfd = -1;
	g_mutex_init(&self->mutex);
	g_mutex_init(&self->state_mutex);
}

/* What makes a directory a store; making it again is harmless. */
static gboolean
make_directories(int dirfd, GError **error)
{
	static const char *const names[] = { "blobs/sha256", "blobs/sha512", "tmp", "cache" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (!cam_mkdirs_at(dirfd, names[i], CAM_STORE_MODE, error))
			return FALSE;
	return TRUE;
}

static gboolean
open_directory(CamStore *self, gboolean create, GError **error)
{
	if (create && g_mkdir_with_parents(self->path, CAM_STORE_MODE) != 0)
		return cam_set_error_errno(error, errno, "cannot make the store %s", self->path);
	self->dirfd = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dirfd < 0 && errno == ENOENT)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "there is no store at %s; import an image to make one, or "
				     "name another with --store",
				     self->path);
	if (self->dirfd < 0)
		return cam_set_error_errno(error, errno, "cannot open the store %s", self->path);
	if (faccessat(self->dirfd, "state.db", F_OK, 0) == 0)
		return TRUE;
	if (!create)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "%s is not a Cambium store (it has no state.db)", self->path);
	return make_directories(self->dirfd, error);
}

static gboolean
open_state(gpointer data, GError **error)
{
	CamStore *self = data;
	g_autofree char *path = g_build_filename(self->path, "state.db", NULL);

	self->state = cam_database_open(path, migrations, error);
	return self->state != NULL;
}

CamStore *
cam_store_open(const char *path, gboolean create, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamStore) self = g_object_new(CAM_TYPE_STORE, NULL);

	self->path = g_canonicalize_filename(path, NULL);
	if (!open_directory(self, create, error))
		return NULL;
	self->read_only = faccessat(self->dirfd, ".", W_OK, AT_EACCESS) != 0 &&
			  (errno == EROFS || errno == EACCES);
	if (!cam_store_folders_check(self->dirfd, self->path, self->read_only, error))
		return NULL;
	self->lock = cam_store_lock_new(self->dirfd, self->path, self->read_only);
	/* Even to read it takes a little space. */
	if (!cam_store_remove_with_reserve(self, open_state, self, error)) {
		if (error != NULL && g_error_matches(*error, CAM_ERROR, CAM_ERROR_DATA_LOSS))
			cam_error_translate(error,
					    "move the store %s away and import its images again",
					    self->path);
		return NULL;
	}
	if (!self->read_only)
		cam_store_make_reserve(self);
	return g_steal_pointer(&self);
}

const char *
cam_store_get_path(CamStore *self)
{
	return self->path;
}

int
cam_store_get_dirfd(CamStore *self)
{
	return self->dirfd;
}

GMutexLocker *
cam_store_lock_state(CamStore *self, CamDatabase **state)
{
	*state = self->state;
	return g_mutex_locker_new(&self->state_mutex);
}

char *
cam_store_layer_ref(const char *diff_id)
{
	return g_strconcat(CAM_STORE_LAYER_REFS "/", cam_digest_hex(diff_id), NULL);
}

char *
cam_store_rootfs_ref(const char *chain_id)
{
	return g_strconcat(CAM_STORE_ROOTFS_REFS "/", cam_digest_hex(chain_id), NULL);
}

/* ---- locks ---- */

struct _CamStoreHold {
	CamStore *store;
	GThread *thread; /* that took it */
	CamFd fd;
};

CamStoreHold *
cam_store_hold(CamStore *self, GCancellable *cancellable, GError **error)
{
	int fd = cam_store_lock_share(self->lock, cancellable, error);

	if (fd < 0)
		return NULL;
	CamStoreHold *hold = g_new0(CamStoreHold, 1);
	hold->store = g_object_ref(self);
	hold->thread = g_thread_self();
	hold->fd = fd;
	cam_store_lock_count(self->lock, hold->thread, 1);
	return hold;
}

void
cam_store_release(CamStoreHold *hold)
{
	if (hold == NULL)
		return;
	cam_store_lock_count(hold->store->lock, hold->thread, -1);
	cam_fd_close(hold->fd);
	g_object_unref(hold->store);
	g_free(hold);
}

int
cam_store_lock_sweep(CamStore *self, GCancellable *cancellable, GError **error)
{
	return cam_store_lock_exclude(self->lock, cancellable, error);
}

/* ---- temporary directories: each is locked by the process that owns it ---- */

/* Removes tmp/@name if no process has it locked. */
static gboolean
sweep_one(CamStore *self, int tmpfd, const char *name, GError **error)
{
	g_auto(CamFd) fd = openat(tmpfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_autofree char *path = g_build_filename(self->path, "tmp", name, NULL);

	/* What cannot be opened has no owner: owners hold a lock on a descriptor. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
		return TRUE;
	/* What stays mounted is set aside with the rest. */
	if (fd >= 0)
		(void) cam_mount_sweep(path, NULL);
	return cam_store_discard(self, tmpfd, name, error);
}

void
cam_store_sweep_tmp(CamStore *self)
{
	g_autofree char *path = g_build_filename(self->path, "tmp", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_auto(CamFd) tmpfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name;

	while (dir != NULL && tmpfd >= 0 && (name = g_dir_read_name(dir)) != NULL) {
		g_autoptr(GError) problem = NULL;

		if (!sweep_one(self, tmpfd, name, &problem))
			g_message("%s/%s is left behind: %s", path, name, problem->message);
	}
}

/* A sweep may take a new directory before it is locked; then it has no links any more. */
static gboolean
lock_tmp(int fd)
{
	struct stat st;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static gboolean
make_tmp(CamStore *self, GError **error)
{
	for (guint attempt = 0; attempt < 100; attempt++) {
		g_autofree char *name = g_strdup_printf("%d-%08x", (int) getpid(), g_random_int());
		g_autofree char *path = g_build_filename(self->path, "tmp", name, NULL);

		if (mkdir(path, CAM_STORE_MODE) != 0 && errno != EEXIST)
			return cam_set_error_errno(error, errno, "cannot make %s", path);
		g_auto(CamFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && lock_tmp(fd)) {
			self->tmp_dirfd = cam_fd_steal(&fd);
			self->tmp_path = g_steal_pointer(&path);
			return TRUE;
		}
	}
	return cam_set_error(error, CAM_ERROR_ABORTED,
			     "cannot make a temporary directory in %s/tmp; try again", self->path);
}

/* Under the mutex. */
static gboolean
ensure_tmp(CamStore *self, GError **error)
{
	if (self->tmp_path != NULL)
		return TRUE;
	if (self->read_only)
		return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				     "the store %s cannot be written to", self->path);
	cam_store_sweep_tmp(self);
	return make_tmp(self, error);
}

int
cam_store_get_tmp_dirfd(CamStore *self, char **path, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	if (!ensure_tmp(self, error))
		return -1;
	if (path != NULL)
		*path = g_strdup(self->tmp_path);
	return self->tmp_dirfd;
}

int
cam_store_open_tmpfile(CamStore *self, GError **error)
{
	int dirfd = cam_store_get_tmp_dirfd(self, NULL, error);
	int fd;

	if (dirfd < 0)
		return -1;
	fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot make a temporary file in the store");
	return fd;
}

/* ---- the repository ---- */

/* Made aside and put in place whole: other processes see all of it or nothing, and so does the next
 * one after a crash. If another was faster, its repository is the one. */
static gboolean
make_repo(CamStore *self, const char *path, GError **error)
{
	OstreeRepoMode mode = geteuid() == 0 ? OSTREE_REPO_MODE_BARE : OSTREE_REPO_MODE_BARE_USER;
	g_autofree char *fresh = NULL;
	g_autoptr(GFile) file = NULL;
	g_autoptr(OstreeRepo) repo = NULL;

	if (!ensure_tmp(self, error))
		return FALSE;
	fresh = g_build_filename(self->tmp_path, "new-repo", NULL);
	file = g_file_new_for_path(fresh);
	repo = ostree_repo_new(file);
	if (!ostree_repo_create(repo, mode, NULL, error))
		return cam_error_translate(error, "cannot make the OSTree repository %s", path);
	if (chmod(fresh, CAM_STORE_MODE) != 0)
		return cam_set_error_errno(error, errno, "cannot make %s", path);
	if (rename(fresh, path) != 0 && errno != EEXIST && errno != ENOTEMPTY)
		return cam_set_error_errno(error, errno, "cannot make %s", path);
	return TRUE;
}

static OstreeRepo *
open_repo(CamStore *self, GError **error)
{
	g_autofree char *path = g_build_filename(self->path, "repo", NULL);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(OstreeRepo) repo = ostree_repo_new(file);

	if (!g_file_test(path, G_FILE_TEST_EXISTS) && !make_repo(self, path, error))
		return NULL;
	if (ostree_repo_open(repo, NULL, error))
		return g_steal_pointer(&repo);
	cam_error_translate(error, "cannot open the OSTree repository %s", path);
	return NULL;
}

OstreeRepo *
cam_store_get_repo(CamStore *self, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	if (self->repo == NULL)
		self->repo = open_repo(self, error);
	return self->repo;
}
