/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * CamStreamOpener:
 *
 * Opens something at byte @offset. Failures that may pass are the opener's to retry.
 */
typedef GInputStream *(*CamStreamOpener)(goffset offset, gpointer user_data,
					 GCancellable *cancellable, GError **error);

/**
 * cam_resuming_stream_new:
 * @offset: where to begin
 * @size: of the whole thing, or -1; an end before it counts as a broken connection
 * @destroy: (nullable): frees @user_data with the stream
 *
 * A stream that opens its source when it is first read, and again where it stood when reading
 * breaks. It gives up after some failures in a row that brought no byte, and after some time-outs
 * whatever they brought, with %CAM_ERROR_UNAVAILABLE. Knows nothing of HTTP.
 */
GInputStream *cam_resuming_stream_new(goffset offset, gint64 size, CamStreamOpener open,
				      gpointer user_data, GDestroyNotify destroy);

G_END_DECLS
