/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/stat.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamFileStamp: which file it was, and what changes when somebody writes to it.
 */
typedef struct {
	guint64 device, inode, size;
	gint64 mtime, ctime; /* nanoseconds since 1970 */
} CamFileStamp;

void cam_file_stamp_set(CamFileStamp *self, const struct stat *st);
gboolean cam_file_stamp_equal(const CamFileStamp *self, const struct stat *st);
/* %CAM_ERROR_ABORTED if @fd is not the file that it was, or has changed. */
gboolean cam_file_stamp_check(const CamFileStamp *self, int fd, GError **error);
/* Nanoseconds since 1970; what they cannot hold becomes the last time that a tar of ours can. */
gint64 cam_timespec_to_nanoseconds(const struct timespec *time);

G_END_DECLS
