/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/layer/layer-writer.h"
#include "rebuild/pkgmgr/dpkg-config.h"

G_BEGIN_DECLS

/**
 * cam_upper_diff:
 * @upper: upper directory of an overlay mount on @lower
 * @merged: the mount; must stay until @tar was written
 * @lower: the tree below
 * @made: (nullable): paths that were only made to be mounted on
 * @masks: (nullable) (element-type CamDpkgMask): files that were written for the time of the run;
 *     one that still is as it was written then is no difference
 *
 * Adds to @tar what differs between the mounted tree and @lower: content, mode, owner and the
 * extended attributes that a layer holds; a file that was rewritten as it was is no difference.
 * The upper directory says where to look, never what to take: all is read from the mount. Opaque
 * directories become explicit whiteouts. Files that are hard links of each other stay so.
 */
gboolean
cam_upper_diff(int upper, int merged, CamRootfs *lower, const char *const *made,
	       const GPtrArray *masks, CamLayerTar *tar, GCancellable *cancellable, GError **error);

G_END_DECLS
