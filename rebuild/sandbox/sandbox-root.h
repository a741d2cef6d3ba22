/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_sandbox_root_check:
 *
 * Makes sure that what the sandbox mounts on below @rootfd are real directories, making those
 * that are missing: a link there would make the mount land elsewhere.
 */
gboolean cam_sandbox_root_check(int rootfd, GError **error);

/**
 * cam_sandbox_root_resolve:
 * @path: absolute, as the sandbox sees it
 *
 * Where @path really lies below @rootfd, all links followed inside the tree; absolute. The last
 * component need not exist, but may not be a link that leads nowhere.
 */
char *cam_sandbox_root_resolve(int rootfd, const char *path, GError **error);

/**
 * cam_sandbox_mount_devices:
 * @devfd: the directory /dev of the tree
 *
 * Mounts a small file system of its own there with fresh device nodes: those of the host could be
 * damaged through a bind mount, and the file system that the tree is on may not allow devices.
 * Nothing but system calls, for use between fork and exec, in a mount name space of one's own in
 * which the tree's mount is private. FALSE with errno.
 */
gboolean cam_sandbox_mount_devices(int devfd);

G_END_DECLS
