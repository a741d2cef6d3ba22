/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Space for removing: a database writes before it can forget, and a disk without a free byte would
 * stay full. The file "reserve" is given up for that, and made again when there is room.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/store/store-private.h"

#define RESERVE	     "reserve"
#define RESERVE_SIZE (2 * 1024 * 1024) /* indexes and logs of two databases, and some pages */

static gboolean
is_whole(int dirfd)
{
	struct stat st;

	return fstatat(dirfd, RESERVE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == RESERVE_SIZE;
}

void
cam_store_make_reserve(CamStore *self)
{
	int dirfd = cam_store_get_dirfd(self);
	g_auto(CamFd) fd = -1;

	if (is_whole(dirfd))
		return;
	fd = openat(dirfd, RESERVE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* A part of it would keep space from others and be of no use. */
	if (fd >= 0 && posix_fallocate(fd, 0, RESERVE_SIZE) != 0)
		(void) !ftruncate(fd, 0);
}

gboolean
cam_store_release_reserve(CamStore *self)
{
	g_auto(CamFd) fd =
		openat(cam_store_get_dirfd(self), RESERVE, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	/* Some file systems give blocks back when the change is on the disk. */
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && ftruncate(fd, 0) == 0 &&
	       fsync(fd) == 0;
}

gboolean
cam_store_remove_with_reserve(CamStore *self, CamStoreRemoval remove, gpointer data, GError **error)
{
	g_autoptr(GError) problem = NULL;

	if (remove(data, &problem))
		return TRUE;
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED) &&
	    cam_store_release_reserve(self))
		return remove(data, error);
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}
