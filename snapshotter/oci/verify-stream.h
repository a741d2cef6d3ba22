/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/digest.h"

G_BEGIN_DECLS

/**
 * cam_verify_stream_new:
 * @base: (transfer none): the bytes
 * @digest: what they must hash to
 * @size: how many they must be, or -1 if that is not known
 *
 * A stream that reads @base and fails with %CAM_ERROR_DATA_LOSS, at the latest where the end
 * would be reported, if size or digest differ. A reader that sees the end (a read of 0 bytes)
 * may trust all that it read.
 */
GInputStream *
cam_verify_stream_new(GInputStream *base, const char *digest, gint64 size, GError **error);

G_END_DECLS
