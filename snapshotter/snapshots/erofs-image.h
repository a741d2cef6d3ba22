/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/tree-history.h"

G_BEGIN_DECLS

/**
 * cam_erofs_image_write:
 * @hide_objects: see cam_erofs_writer_hide_objects()
 *
 * Writes the EROFS image of a tree into @fd.
 */
gboolean cam_erofs_image_write(CamRootfs *rootfs, CamTreeHistory *history, gboolean hide_objects,
			       int fd, GCancellable *cancellable, GError **error);

G_END_DECLS
