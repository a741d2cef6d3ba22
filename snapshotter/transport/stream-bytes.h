/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* All that @stream still has; beyond @max_size bytes %CAM_ERROR_RESOURCE_EXHAUSTED. @what names it
 * in errors. */
GBytes *cam_stream_read_bytes(GInputStream *stream, gsize max_size, const char *what,
			      GCancellable *cancellable, GError **error);

/* Copies all that @stream still has to @fd. */
gboolean
cam_stream_copy_to_fd(GInputStream *stream, int fd, GCancellable *cancellable, GError **error);

G_END_DECLS
