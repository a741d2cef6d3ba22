/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamObjectLinks: hard links from files to objects of a bare repository, whose form is libostree's
 * "objects/xx/….file" (ostree-repo, bare mode: the file itself, with owner, mode and attributes).
 */
#include "snapshotter/store/object-link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/store/file-writers.h"
#include "snapshotter/store/xattr.h"

typedef struct {
	char name[65]; /* the object's, in the directory */
	CamFileStamp stamp;
} Link;

struct _CamObjectLinks {
	int parent;
	CamFd dirfd;
	char *name; /* of the directory in the parent */
	OstreeRepo *repo;
	GMutex mutex;
	GArray *links; /* Link */
	gint useless;  /* this file system or repository takes none */
};

CamObjectLinks *
cam_object_links_new(int dirfd, OstreeRepo *repo)
{
	CamObjectLinks *self = g_new0(CamObjectLinks, 1);

	self->parent = dirfd;
	self->dirfd = -1;
	self->repo = g_object_ref(repo);
	self->links = g_array_new(FALSE, FALSE, sizeof(Link));
	self->useless = ostree_repo_get_mode(repo) != OSTREE_REPO_MODE_BARE;
	g_mutex_init(&self->mutex);
	return self;
}

void
cam_object_links_free(CamObjectLinks *self)
{
	/* What cannot be removed now goes with the store's temporary directory. */
	if (self->dirfd >= 0)
		(void) cam_remove_tree_at(self->parent, self->name, NULL);
	cam_fd_close(self->dirfd);
	g_free(self->name);
	g_object_unref(self->repo);
	g_array_unref(self->links);
	g_mutex_clear(&self->mutex);
	g_free(self);
}

static int
get_directory(CamObjectLinks *self, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	if (self->dirfd >= 0)
		return self->dirfd;
	do {
		g_free(self->name);
		self->name = g_strdup_printf("links-%08x", g_random_int());
	} while (mkdirat(self->parent, self->name, 0700) != 0 && errno == EEXIST);
	self->dirfd =
		openat(self->parent, self->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (self->dirfd < 0)
		cam_set_error_errno(error, errno, "cannot make a temporary directory");
	return self->dirfd;
}

/* ---- is the file what the object is? ---- */

/* A process that can still write to the file would write to the object. *@match becomes
 * FALSE without a proof that there is none. */
static gboolean
check_writers(int fd, gboolean *match, GError **error)
{
	switch (cam_file_get_writers(fd)) {
	case CAM_WRITERS_NONE:
		return TRUE;
	case CAM_WRITERS_UNKNOWN:
		*match = FALSE;
		return TRUE;
	case CAM_WRITERS_SOME:
		break;
	}
	return cam_set_error(error, CAM_ERROR_ABORTED,
			     "it is open for writing; try again when it is closed");
}

static gboolean
has_value(int fd, const char *name, GVariant *expected)
{
	gsize n = g_variant_n_children(expected);

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) attribute = g_variant_get_child_value(expected, i);
		g_autoptr(GVariant) key = g_variant_get_child_value(attribute, 0);
		g_autoptr(GVariant) value = g_variant_get_child_value(attribute, 1);
		gsize size;
		gconstpointer data = g_variant_get_fixed_array(value, &size, 1);
		g_autofree char *found = NULL;

		if (!g_str_equal(g_variant_get_bytestring(key), name))
			continue;
		found = g_malloc(size + 1);
		return fgetxattr(fd, name, found, size + 1) == (ssize_t) size &&
		       (size == 0 || memcmp(found, data, size) == 0);
	}
	return FALSE;
}

/* Exactly @expected, overlayfs's own apart: *@n_own of them. */
static gboolean
match_xattrs(const char *names, gsize size, int fd, GVariant *expected, guint *n_own)
{
	gsize n = 0;

	*n_own = 0;
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		if (g_str_has_prefix(name, CAM_XATTR_OVERLAY))
			(*n_own)++;
		else if (has_value(fd, name, expected))
			n++;
		else
			return FALSE;
	}
	return n == g_variant_n_children(expected);
}

/* Taking attributes off is a change too: the file gets a new stamp, if it is else as it was. */
static gboolean
strip_xattrs(CamObjectJob *job, const char *names, gsize size, gboolean *match, GError **error)
{
	CamFileStamp before = job->stamp;
	struct stat st;

	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		if (g_str_has_prefix(name, CAM_XATTR_OVERLAY) && fremovexattr(job->fd, name) != 0 &&
		    errno != ENODATA)
			*match = FALSE;
	if (fstat(job->fd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot look at a file");
	cam_file_stamp_set(&job->stamp, &st);
	before.ctime = job->stamp.ctime;
	return cam_file_stamp_equal(&before, &st) ||
	       cam_set_error(error, CAM_ERROR_ABORTED, "it changed while it was read; try again");
}

static gboolean
match_file(CamObjectJob *job, const struct stat *st, gboolean *match, GError **error)
{
	g_autofree char *names = NULL;
	guint n_own;
	gsize size;

	*match = st->st_mode == job->mode && st->st_uid == job->uid && st->st_gid == job->gid;
	if (!*match)
		return check_writers(job->fd, match, error);
	if (!cam_xattr_list(job->fd, &names, &size, error))
		return FALSE;
	*match = match_xattrs(names, size, job->fd, job->xattrs, &n_own);
	if (!check_writers(job->fd, match, error))
		return FALSE;
	return !*match || n_own == 0 || strip_xattrs(job, names, size, match, error);
}

/* ---- linking ---- */

#define OBJECT_PATH_SIZE 80

static void
object_path(const char *name, char path[OBJECT_PATH_SIZE])
{
	g_snprintf(path, OBJECT_PATH_SIZE, "objects/%.2s/%s.file", name, name + 2);
}

static gboolean
link_file(CamObjectLinks *self, const CamObjectJob *job, Link *link, CamLinkResult *result,
	  GError **error)
{
	int dirfd = get_directory(self, error);
	struct stat st;
	char proc[40];

	if (dirfd < 0)
		return FALSE;
	g_snprintf(proc, sizeof proc, "/proc/self/fd/%d", job->fd);
	if (linkat(AT_FDCWD, proc, dirfd, link->name, AT_SYMLINK_FOLLOW) != 0) {
		/* Of two equal files one is enough. */
		*result = errno == EEXIST ? CAM_LINK_PRESENT : CAM_LINK_REFUSED;
		if (errno == EXDEV)
			g_atomic_int_set(&self->useless, TRUE);
		return errno == EEXIST || errno == EXDEV || errno == EMLINK || errno == EPERM ||
		       errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot link object %s", link->name);
	}
	/* The link has changed the file's ctime. */
	if (fstat(job->fd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot look at object %s", link->name);
	cam_file_stamp_set(&link->stamp, &st);
	*result = CAM_LINK_MADE;
	g_mutex_lock(&self->mutex);
	g_array_append_vals(self->links, link, 1);
	g_mutex_unlock(&self->mutex);
	return TRUE;
}

gboolean
cam_object_links_add(CamObjectLinks *self, CamObjectJob *job, CamLinkResult *result, GError **error)
{
	char path[OBJECT_PATH_SIZE];
	gboolean match;
	struct stat st;
	Link link;

	*result = CAM_LINK_REFUSED;
	if (fstat(job->fd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot look at a file");
	if (!cam_file_stamp_equal(&job->stamp, &st))
		return cam_set_error(error, CAM_ERROR_ABORTED,
				     "it changed while it was read; try again");
	cam_sha256_to_hex(&job->object, link.name);
	object_path(link.name, path);
	if (faccessat(ostree_repo_get_dfd(self->repo), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		*result = CAM_LINK_PRESENT;
	if (*result == CAM_LINK_PRESENT || g_atomic_int_get(&self->useless))
		return TRUE;
	return match_file(job, &st, &match, error) &&
	       (!match || link_file(self, job, &link, result, error));
}

/* ---- putting in place ---- */

static gboolean
check_unchanged(CamObjectLinks *self, GError **error)
{
	for (guint i = 0; i < self->links->len; i++) {
		const Link *link = &g_array_index(self->links, Link, i);
		struct stat st;

		if (fstatat(self->dirfd, link->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return cam_set_error_errno(error, errno, "cannot look at object %s",
						   link->name);
		if (!cam_file_stamp_equal(&link->stamp, &st))
			return cam_set_error(error, CAM_ERROR_ABORTED,
					     "a file changed while the directory was read; try "
					     "again");
	}
	return TRUE;
}

/* An object that exists by now stays: it may be in use. */
static gboolean
put_in_place(CamObjectLinks *self, const char *name, GError **error)
{
	int repo = ostree_repo_get_dfd(self->repo);
	char path[OBJECT_PATH_SIZE], folder[16];

	object_path(name, path);
	g_snprintf(folder, sizeof folder, "objects/%.2s", name);
	for (guint attempt = 0; attempt < 2; attempt++) {
		if (renameat2(self->dirfd, name, repo, path, RENAME_NOREPLACE) == 0 ||
		    errno == EEXIST)
			return TRUE;
		if (errno != ENOENT || (mkdirat(repo, folder, 0777) != 0 && errno != EEXIST))
			break;
	}
	return cam_set_error_errno(error, errno, "cannot put object %s in place", name);
}

gboolean
cam_object_links_publish(CamObjectLinks *self, GError **error)
{
	if (self->links->len == 0)
		return TRUE;
	if (!check_unchanged(self, error))
		return FALSE;
	if (syncfs(self->dirfd) != 0)
		return cam_set_error_errno(error, errno, "cannot write to the disk");
	for (guint i = 0; i < self->links->len; i++)
		if (!put_in_place(self, g_array_index(self->links, Link, i).name, error))
			return FALSE;
	g_array_set_size(self->links, 0);
	return TRUE;
}
