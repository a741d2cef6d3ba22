/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_apt_cache_lock:
 *
 * Waits until no other process works on the cache, then sweeps what a killed one left behind. The
 * lock lasts until the descriptor is closed.
 *
 * Returns: a descriptor (CamFd), or -1 with @error
 */
int cam_apt_cache_lock(const char *cache, GCancellable *cancellable, GError **error);

G_END_DECLS
