/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/**
 * cam_image_cache_open:
 * @diff_ids: base first
 *
 * The image of a chain of layers: made when it is first asked for, kept beside the store under its
 * chainID, removed by cam_image_cache_prune(). Several processes may ask at once.
 *
 * Returns: a descriptor, for reading; -1 with @error. It stays good when the image is pruned.
 */
int cam_image_cache_open(CamStore *store, const char *const *diff_ids, gboolean hide_objects,
			 GCancellable *cancellable, GError **error);

/**
 * cam_image_cache_prune:
 * @is_live: whether the chainID (as a digest) is still wanted
 * @dry_run: only count
 * @bytes: (out): that were or would be freed
 */
gboolean
cam_image_cache_prune(int store_dirfd,
		      gboolean (*is_live)(const char *chain_id, gpointer user_data),
		      gpointer user_data, gboolean dry_run, guint64 *bytes, GError **error);

G_END_DECLS
