/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/publish/fixed-layer.h"

G_BEGIN_DECLS

/**
 * cam_fixed_image_new:
 *
 * The image that has @layer on top of @original: its config, its manifest and, for an image that
 * came from an index which the store has, its index are blobs of the store afterwards. It has no
 * name there yet: @name is that of its manifest, `repository@digest`. Its `base_name` is the
 * original's name. Depends on the arguments alone.
 */
CamImage *cam_fixed_image_new(CamStore *store, const CamImage *original, const CamFixedLayer *layer,
			      GError **error);

G_END_DECLS
