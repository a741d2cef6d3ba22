/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who can get at the folders of a store: checked whenever it is opened. */
#include "snapshotter/store/store-folders.h"

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

/* Takes @excess off the mode of @fd. */
static gboolean
narrow(const Check *self, const char *name, int fd, const struct stat *st, mode_t excess,
       GError **error)
{
	mode_t mode = st->st_mode & 07777 & ~excess;
	const char *slash = *name != '\0' ? "/" : "";

	if ((st->st_mode & excess) == 0)
		return TRUE;
	if ((self->read_only || fchmod(fd, mode) != 0) && self->exposed)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "%s%s%s is open to other users (mode %04o): make it %04o",
				     self->path, slash, name, st->st_mode & 07777, mode);
	if (self->exposed)
		g_message("%s%s%s was open to other users (mode %04o); it is %04o now", self->path,
			  slash, name, st->st_mode & 07777, mode);
	return TRUE;
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
	tell_of_parents(&self);
	return TRUE;
}
