/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/layer/layer-writer.h"

G_BEGIN_DECLS

/**
 * cam_upper_diff:
 * @upper: upper directory of an overlay mount on @lower
 * @merged: the mount; must stay until @tar was written
 * @lower: the tree below
 * @made: (nullable): paths that were only made to be mounted on
 *
 * Adds to @tar what differs between the mounted tree and @lower: content, mode, owner and the
 * extended attributes that a layer holds; a file that was rewritten as it was is no difference.
 * The upper directory says where to look, never what to take: all is read from the mount. Opaque
 * directories become explicit whiteouts. Files that are hard links of each other stay so.
 */
gboolean cam_upper_diff(int upper, int merged, CamRootfs *lower, const char *const *made,
			CamLayerTar *tar, GCancellable *cancellable, GError **error);

G_END_DECLS
