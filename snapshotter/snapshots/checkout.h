/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/tree-history.h"

G_BEGIN_DECLS

/**
 * cam_checkout_tree:
 * @objects: descriptor of the object store's directory
 * @link: whether an object's own mode, owner and attributes are those of the file (OSTree's mode
 *     `bare`), so that hard links to it will do; otherwise files are copied
 * @path: absolute; an existing, empty directory
 *
 * Makes a merged tree visible as files without help of the kernel. Which names are one file is
 * kept: of files that are alike without being one, all but the first are copied. Lost are the times
 * of regular files (they are those of the object: 1970), their link counts, and hard links between
 * other kinds of files. Device nodes need root.
 */
gboolean cam_checkout_tree(CamRootfs *rootfs, CamTreeHistory *history, int objects, gboolean link,
			   const char *path, GCancellable *cancellable, GError **error);

G_END_DECLS
