/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between GBytes and gRPC's buffers: both are counted, so nothing is copied. */
#include "plugin/containerd/grpc-bytes.h"

#include <grpc/byte_buffer_reader.h>

static void
unref_bytes(gpointer bytes)
{
	g_bytes_unref(bytes);
}

grpc_byte_buffer *
cam_grpc_buffer_from_bytes(GBytes *bytes)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(bytes, &size);
	grpc_slice slice = grpc_slice_new_with_user_data((gpointer) data, size, unref_bytes,
							 g_bytes_ref(bytes));
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

	grpc_slice_unref(slice);
	return buffer;
}

static void
unref_slice(gpointer data)
{
	grpc_slice *slice = data;

	grpc_slice_unref(*slice);
	g_free(slice);
}

GBytes *
cam_grpc_buffer_to_bytes(grpc_byte_buffer *buffer)
{
	grpc_byte_buffer_reader reader;
	/* On the heap, because short slices hold their bytes themselves. */
	grpc_slice *slice;

	if (!grpc_byte_buffer_reader_init(&reader, buffer))
		return NULL;
	slice = g_new(grpc_slice, 1);
	*slice = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return g_bytes_new_with_free_func(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice),
					  unref_slice, slice);
}

char *
cam_grpc_slice_to_text(grpc_slice slice)
{
	char *text = g_utf8_make_valid((const char *) GRPC_SLICE_START_PTR(slice),
				       (gssize) GRPC_SLICE_LENGTH(slice));

	for (char *c = text; *c != '\0'; c++) {
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	}
	return text;
}
