/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between a channel and its calls. */
#pragma once

#include <grpc/grpc.h>

#include "plugin/containerd/grpc-channel.h"

G_BEGIN_DECLS

grpc_channel *cam_grpc_channel_get_core(CamGrpcChannel *self);
/* Sets %CAM_ERROR_UNAVAILABLE with what the system says about the socket, else with @details. */
gboolean
cam_grpc_channel_set_unavailable(CamGrpcChannel *self, const char *details, GError **error);

G_END_DECLS
