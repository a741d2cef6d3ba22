/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CamFileStamp: whether a file is still what it was when it was looked at first. */
#include "snapshotter/store/file-stamp.h"

#include <errno.h>

#define NSEC_PER_SEC G_GINT64_CONSTANT(1000000000)
#define MAX_SECONDS  (G_MAXINT64 / NSEC_PER_SEC - 1)

gint64
cam_timespec_to_nanoseconds(const struct timespec *time)
{
	if (time->tv_sec > MAX_SECONDS || time->tv_sec < -MAX_SECONDS)
		return (time->tv_sec < 0 ? -MAX_SECONDS : MAX_SECONDS) * NSEC_PER_SEC;
	return time->tv_sec * NSEC_PER_SEC + time->tv_nsec;
}

void
cam_file_stamp_set(CamFileStamp *self, const struct stat *st)
{
	*self = (CamFileStamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (guint64) st->st_size,
		.mtime = cam_timespec_to_nanoseconds(&st->st_mtim),
		.ctime = cam_timespec_to_nanoseconds(&st->st_ctim),
	};
}

gboolean
cam_file_stamp_equal(const CamFileStamp *self, const struct stat *st)
{
	CamFileStamp now;

	cam_file_stamp_set(&now, st);
	return self->device == now.device && self->inode == now.inode && self->size == now.size &&
	       self->mtime == now.mtime && self->ctime == now.ctime;
}

gboolean
cam_file_stamp_check(const CamFileStamp *self, int fd, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot look at a file");
	return cam_file_stamp_equal(self, &st) ||
	       cam_set_error(error, CAM_ERROR_ABORTED, "it changed while it was read; try again");
}
