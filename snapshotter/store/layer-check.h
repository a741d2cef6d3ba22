/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * cam_layer_check:
 * @fd: a skeleton as it was written, not compressed
 *
 * Reads the layer once more with libarchive and compares entry by entry with our own reader: what
 * two readers see differently, one of them may not have checked. Contents are left out, so it
 * costs what the headers cost. A difference is %CAM_ERROR_INVALID_ARGUMENT.
 */
gboolean cam_layer_check(int fd, GError **error);

G_END_DECLS
