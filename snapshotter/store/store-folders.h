/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* The mode of a store's folders. They hold files of images as they are, set-uid ones too: no other
 * user may reach them, whatever the mode of the directory that the store is in. */
#define CAM_STORE_MODE 0700

/**
 * cam_store_folders_check:
 * @dirfd: the store's directory
 * @read_only: modes that are too wide cannot be mended, which is %CAM_ERROR_FAILED_PRECONDITION
 *
 * A store, or a folder or file of it, that belongs to another user is %CAM_ERROR_PERMISSION_DENIED,
 * and so is a folder that is a link. Folders that others can read are closed, and so are a
 * directory and files that others can write to; all are logged. Files that others can read are
 * closed, too. Parents in which others can replace the store are logged.
 */
gboolean cam_store_folders_check(int dirfd, const char *path, gboolean read_only, GError **error);

G_END_DECLS
