/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/**
 * cam_image_cache_open:
 * @diff_ids: base first
 *
 * The image of a chain of layers: made when it is first asked for, kept beside the store under its
 * chainID, removed by gc. Several processes may ask at once.
 *
 * Returns: a descriptor, for reading; -1 with @error. It stays good when gc removes the image.
 */
int cam_image_cache_open(CamStore *store, const char *const *diff_ids, gboolean hide_objects,
			 GCancellable *cancellable, GError **error);

G_END_DECLS
