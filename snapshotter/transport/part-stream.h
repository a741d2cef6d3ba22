/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/transport/resuming-stream.h"

G_BEGIN_DECLS

/**
 * cam_part_stream_new:
 * @dirfd, @name: where the part of a download is kept; it survives the process
 * @size: of the whole thing, or -1
 * @wait: whether to wait for another process that holds the part. Without it the stream then
 *     works without a part.
 *
 * A stream from byte 0 that first reads the part that an earlier run left, then goes on from
 * @open where it ends, adding to the part. It does not verify: the reader does, over all bytes,
 * and unlinks a part that was wrong or is no longer needed.
 */
GInputStream *
cam_part_stream_new(int dirfd, const char *name, gint64 size, gboolean wait, CamStreamOpener open,
		    gpointer user_data, GDestroyNotify destroy, GError **error);

/* fsyncs the part. FALSE with FAILED_PRECONDITION if the stream works without one. */
gboolean cam_part_stream_sync(GInputStream *self, GError **error);

G_END_DECLS
