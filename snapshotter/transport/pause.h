/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Sleeps; a cancellation ends it at once and is %CAM_ERROR_CANCELLED. */
gboolean cam_pause(guint milliseconds, GCancellable *cancellable, GError **error);

/* The pause before attempt @attempt (1 is the first repetition): doubling from half a second,
 * never above 8 s. */
guint cam_pause_for_attempt(guint attempt);

G_END_DECLS
