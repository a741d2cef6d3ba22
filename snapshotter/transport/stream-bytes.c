/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams to their end: into memory, where they are small documents, or into a file.
 */
#include "snapshotter/transport/stream-bytes.h"

#include "snapshotter/base/fd.h"

#define READ_SIZE (16 * 1024)
#define COPY_SIZE (256 * 1024)

GBytes *
cam_stream_read_bytes(GInputStream *stream, gsize max_size, const char *what,
		      GCancellable *cancellable, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 buffer[READ_SIZE];

	for (;;) {
		gssize n = g_input_stream_read(stream, buffer, sizeof buffer, cancellable, error);

		if (n < 0) {
			cam_error_translate(error, "cannot read %s", what);
			return NULL;
		}
		if (n == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
		if ((gsize) n > max_size - bytes->len) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "%s has more than %zu bytes", what, max_size);
			return NULL;
		}
		g_byte_array_append(bytes, buffer, (guint) n);
	}
}

gboolean
cam_stream_copy_to_fd(GInputStream *stream, int fd, GCancellable *cancellable, GError **error)
{
	g_autofree char *buffer = g_malloc(COPY_SIZE);

	for (;;) {
		gssize n = g_input_stream_read(stream, buffer, COPY_SIZE, cancellable, error);

		if (n < 0)
			return cam_error_translate(error, NULL);
		if (n == 0)
			return TRUE;
		if (!cam_write_all(fd, buffer, (gsize) n, error))
			return FALSE;
	}
}
