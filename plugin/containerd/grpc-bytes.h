/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between GLib and gRPC, without copying. For those who include gRPC's headers. */
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* (transfer full): to be destroyed with grpc_byte_buffer_destroy() */
grpc_byte_buffer *cam_grpc_buffer_from_bytes(GBytes *bytes);
/* NULL for a message that cannot be unpacked. @buffer stays the caller's. */
GBytes *cam_grpc_buffer_to_bytes(grpc_byte_buffer *buffer);
/* Valid UTF-8 without control characters, whatever the peer sent. */
char *cam_grpc_slice_to_text(grpc_slice slice);

G_END_DECLS
