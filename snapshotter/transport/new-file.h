/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/base/fd.h"

G_BEGIN_DECLS

/**
 * CamNewFile:
 *
 * A file that is not there until it is whole: it has no name while it is written (O_TMPFILE), or
 * a hidden one where the file system knows no such files. Freeing one that was not put in place
 * leaves nothing.
 */
typedef struct _CamNewFile CamNewFile;

/* @path: below @dirfd; its directory exists */
CamNewFile *cam_new_file_open(int dirfd, const char *path, guint mode, GError **error);
int cam_new_file_get_fd(CamNewFile *self);
/* Writes out and names the file. @replace: FALSE: what is there already stays, which is no error.
 */
gboolean cam_new_file_put(CamNewFile *self, gboolean replace, GError **error);
void cam_new_file_free(CamNewFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamNewFile, cam_new_file_free)

G_END_DECLS
