/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * CamPace: how slow a peer may be.
 */
typedef struct {
	guint window;	/* milliseconds over which its rate is measured */
	guint min_rate; /* bytes a second */
	guint longest;	/* milliseconds for a whole document; see cam_paced_stream_limit() */
} CamPace;

/**
 * cam_paced_stream_new:
 * @base: (transfer full)
 *
 * A stream that fails with %G_IO_ERROR_TIMED_OUT where @base stays below the rate. Only the time
 * spent waiting for @base counts, not what the reader does between two reads.
 */
GInputStream *cam_paced_stream_new(GInputStream *base, const CamPace *pace);

/* From now on all of @stream, which is a document, has to come within pace->longest. Another kind
 * of stream is left alone. */
void cam_paced_stream_limit(GInputStream *stream);

G_END_DECLS
