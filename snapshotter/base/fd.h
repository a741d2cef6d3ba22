/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* An owned file descriptor that closes itself: `g_auto(CamFd) fd = -1;` */
typedef int CamFd;

static inline int
cam_fd_steal(CamFd *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

void cam_fd_close(CamFd fd);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(CamFd, cam_fd_close, -1)

/**
 * cam_openat_beneath:
 * @dirfd: the directory that @path may not leave
 * @flags: as for openat(2); O_CLOEXEC is always added
 *
 * openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS: a `..`, an absolute path or a symbolic
 * link that leads out is %CAM_ERROR_PERMISSION_DENIED.
 */
int cam_openat_beneath(int dirfd, const char *path, int flags, guint mode, GError **error);

/* The same with RESOLVE_IN_ROOT: absolute paths and links are taken relative to @dirfd. */
int cam_openat_in_root(int dirfd, const char *path, int flags, guint mode, GError **error);

/* Writes all of it, restarting after EINTR and short writes. */
gboolean cam_write_all(int fd, gconstpointer data, gsize size, GError **error);

/**
 * cam_open_regular_at:
 * @dirfd: where a relative @path begins; links are followed as open(2) does
 *
 * Opens a file for reading that must be a regular one: a FIFO, socket, device or directory is
 * %CAM_ERROR_FAILED_PRECONDITION. Opened once and without waiting, so that what another party put
 * at @path can neither block the caller nor change between the check and the reading.
 */
int cam_open_regular_at(int dirfd, const char *path, GError **error);
/* The same with the confinement of cam_openat_beneath(), and no link at the end. */
int cam_open_regular_beneath(int dirfd, const char *path, GError **error);
/* The same with the confinement of cam_openat_in_root(); links within @dirfd are followed. */
int cam_open_regular_in_root(int dirfd, const char *path, GError **error);

/* Reads from @fd's position to the end; beyond @max_size bytes %CAM_ERROR_RESOURCE_EXHAUSTED.
 * @name stands in messages. */
GBytes *cam_read_fd(int fd, const char *name, gsize max_size, GError **error);
/* Reads a whole regular file below @dirfd, as cam_open_regular_at() and cam_read_fd(). */
GBytes *cam_read_file_at(int dirfd, const char *path, gsize max_size, GError **error);

/**
 * cam_write_file_at:
 *
 * Puts @bytes at @path durably and at once: temporary file beside it, fsync, rename. After a
 * crash there is the old content or the new.
 */
gboolean cam_write_file_at(int dirfd, const char *path, GBytes *bytes, guint mode, GError **error);

/* mkdir -p below @dirfd. */
gboolean cam_mkdirs_at(int dirfd, const char *path, guint mode, GError **error);

G_END_DECLS
