/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_root_lock:
 * @dirfd: the store's directory
 * @root: its name, for the message
 *
 * Returns: a descriptor that keeps the root for this process until it is closed;
 *     %CAM_ERROR_FAILED_PRECONDITION names the process that has it
 */
int cam_root_lock(int dirfd, const char *root, GError **error);

G_END_DECLS
