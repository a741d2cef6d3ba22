/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Counted, from any thread: gRPC's own threads run between the first and the last. What gRPC has
 * to say goes to g_debug() instead of standard error. */
void cam_grpc_library_hold(void);
void cam_grpc_library_release(void);

G_END_DECLS
