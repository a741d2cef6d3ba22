/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting between attempts. Owns the growth of pauses, so that everything in this folder is
 * equally patient.
 */
#include "snapshotter/transport/pause.h"

#include "snapshotter/oci/error.h"

#define FIRST_PAUSE_MS 500
#define MAX_DOUBLINGS  4

guint
cam_pause_for_attempt(guint attempt)
{
	return FIRST_PAUSE_MS << MIN(attempt > 0 ? attempt - 1 : 0, MAX_DOUBLINGS);
}

gboolean
cam_pause(guint milliseconds, GCancellable *cancellable, GError **error)
{
	GPollFD poll_fd;

	if (g_cancellable_make_pollfd(cancellable, &poll_fd)) {
		g_poll(&poll_fd, 1, (gint) MIN(milliseconds, (guint) G_MAXINT));
		g_cancellable_release_fd(cancellable);
	} else {
		g_usleep((gulong) milliseconds * 1000);
	}
	if (g_cancellable_set_error_if_cancelled(cancellable, error))
		return cam_error_translate(error, NULL);
	return TRUE;
}
