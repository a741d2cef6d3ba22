/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who can get at the folders and files of a store: checked whenever it is opened. */
#include "snapshotter/store/store-folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"

#define OTHERS	     (S_IRWXG | S_IRWXO)
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

typedef struct {
	const char *path;
	gboolean read_only;
	gboolean exposed; /* others can get into the store's directory */
} Check;

static gboolean
check_owner(const Check *self, const char *name, const struct stat *st, GError **error)
{
	if (st->st_uid == geteuid())
		return TRUE;
	return cam_set_error(
		error, CAM_ERROR_PERMISSION_DENIED,
		"%s%s%s belongs to user %u, who can change what is in it; work as that "
		"user, or choose another store",
		self->path, *name != '\0' ? "/" : "", name, (guint) st->st_uid);
}

/* What becomes of a mode with @excess: @mended or refused, where it matters. */
static gboolean
tell(const Check *self, const char *name, const struct stat *st, mode_t excess, gboolean mended,
     GError **error)
{
	mode_t mode = st->st_mode & 07777 & ~excess;
	const char *slash = *name != '\0' ? "/" : "";

	if (!self->exposed)
		return TRUE;
	if (!mended)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "%s%s%s is open to other users (mode %04o): make it %04o",
				     self->path, slash, name, st->st_mode & 07777, mode);
	g_message("%s%s%s was open to other users (mode %04o); it is %04o now", self->path, slash,
		  name, st->st_mode & 07777, mode);
	return TRUE;
}

/* Takes @excess off the mode of @fd. */
static gboolean
narrow(const Check *self, const char *name, int fd, const struct stat *st, mode_t excess,
       GError **error)
{
	return (st->st_mode & excess) == 0 ||
	       tell(self, name, st, excess,
		    !self->read_only && fchmod(fd, st->st_mode & 07777 & ~excess) == 0, error);
}

static gboolean
mend_folder(const Check *self, int dirfd, const char *name, GError **error)
{
	g_auto(CamFd) fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot open %s/%s", self->path, name);
	return narrow(self, name, fd, &st, OTHERS, error);
}

static gboolean
check_folder(const Check *self, int dirfd, const char *name, GError **error)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot look at %s/%s", self->path, name);
	if (!S_ISDIR(st.st_mode))
		return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				     "%s/%s is no directory of the store", self->path, name);
	return check_owner(self, name, &st, error) &&
	       ((st.st_mode & OTHERS) == 0 || mend_folder(self, dirfd, name, error));
}

/*
 * A file that everybody may read can be locked by everybody, for ever. It is not opened: closing it
 * would end the locks that this process has on it. Its folder is shut by now: other users cannot
 * exchange it any more.
 */
static gboolean
mend_file(const Check *self, int dirfd, const char *name, const struct stat *st, GError **error)
{
	gboolean mended =
		!self->read_only && fchmodat(dirfd, name, st->st_mode & 07777 & ~OTHERS, 0) == 0;

	return (st->st_mode & OTHERS_WRITE) == 0 || tell(self, name, st, OTHERS, mended, error);
}

/* A link that this user made himself is his choice. */
static gboolean
check_file(const Check *self, int dirfd, const char *name, GError **error)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot look at %s/%s", self->path, name);
	if (S_ISDIR(st.st_mode))
		return TRUE;
	return check_owner(self, name, &st, error) &&
	       (!S_ISREG(st.st_mode) || (st.st_mode & OTHERS) == 0 ||
		mend_file(self, dirfd, name, &st, error));
}

/* Databases, locks and whatever else lies beside the folders. */
static gboolean
check_files(const Check *self, int dirfd, GError **error)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	gboolean ok = TRUE;

	if (directory == NULL) {
		cam_set_error_errno(error, errno, "cannot list the store %s", self->path);
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	while (ok && (entry = readdir(directory)) != NULL)
		ok = check_file(self, dirfd, entry->d_name, error);
	closedir(directory);
	return ok;
}

/* Whether others than root and this user can rename what is in it. */
static gboolean
is_open_to_others(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return TRUE;
	return (st->st_mode & OTHERS_WRITE) != 0 && (st->st_mode & S_ISVTX) == 0;
}

/* Not refused: who runs it knows who is in the group. */
static void
tell_of_parents(const Check *self)
{
	g_autofree char *parent = g_path_get_dirname(self->path);

	while (TRUE) {
		g_autofree char *next = g_path_get_dirname(parent);
		struct stat st;

		if (stat(parent, &st) == 0 && is_open_to_others(&st))
			g_message("other users can replace the store %s: %s belongs to user %u and "
				  "has mode %04o",
				  self->path, parent, (guint) st.st_uid, st.st_mode & 07777);
		if (g_str_equal(next, parent))
			return;
		g_free(parent);
		parent = g_steal_pointer(&next);
	}
}

gboolean
cam_store_folders_check(int dirfd, const char *path, gboolean read_only, GError **error)
{
	static const char *const names[] = { "aside", "blobs",	   "cache", "erofs",
					     "lower", "snapshots", "repo",  "tmp" };
	Check self = { path, read_only, FALSE };
	struct stat st;

	if (fstat(dirfd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot look at the store %s", path);
	self.exposed = (st.st_mode & OTHERS) != 0;
	if (!check_owner(&self, "", &st, error) ||
	    !narrow(&self, "", dirfd, &st, OTHERS_WRITE, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (!check_folder(&self, dirfd, names[i], error))
			return FALSE;
	if (!check_files(&self, dirfd, error))
		return FALSE;
	tell_of_parents(&self);
	return TRUE;
}
