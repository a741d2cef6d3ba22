/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/grpc-channel.h"

G_BEGIN_DECLS

/**
 * cam_content_stream_new:
 * @call: (transfer full): a running Content.Read
 * @first: (transfer full) (nullable): what was received of it already
 *
 * The bytes of a blob as they come. The cancellable is that of the call.
 */
GInputStream *cam_content_stream_new(CamGrpcCall *call, GBytes *first);

/* *@data: (nullable): the payload of the next answer of Content.Read, NULL at the end */
gboolean cam_content_stream_receive(CamGrpcCall *call, GBytes **data, GError **error);

G_END_DECLS
