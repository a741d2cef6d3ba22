/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * cam_mount_sweep:
 * @directory: absolute path
 *
 * Unmounts whatever is mounted at or below @directory in this mount name space, the last mounted
 * first: what a process that was killed left behind. Nothing mounted is no error; a mount that
 * is in use is detached. Without CAP_SYS_ADMIN PERMISSION_DENIED, if there is something.
 */
gboolean cam_mount_sweep(const char *directory, GError **error);

/* Whether an option of a mount in this mount name space names the path @path as a whole, as
 * overlayfs's upperdir does. */
gboolean cam_mount_table_has_option(const char *name, const char *path);

/* Whether @path is named as a whole anywhere in the table, as one of several lowerdirs too, or is
 * what a bind mount shows. */
gboolean cam_mount_table_mentions(const char *path);

G_END_DECLS
