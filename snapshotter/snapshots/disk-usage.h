/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * cam_disk_usage:
 * @size: (out): bytes of the blocks that files and directories occupy
 * @inodes: (out)
 *
 * What a directory and all below it take on disk; a file with several names counts once. What
 * disappears meanwhile does not count.
 */
gboolean cam_disk_usage(int dirfd, const char *path, guint64 *size, guint64 *inodes,
			GCancellable *cancellable, GError **error);

G_END_DECLS
