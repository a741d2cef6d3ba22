/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/diff-content.h"
#include "plugin/containerd/grpc-server.h"

G_BEGIN_DECLS

/**
 * cam_diff_service_add:
 * @content_data: what @content is called with; outlives the server
 *
 * containerd.services.diff.v1 for one snapshotter. What is not its business (other mounts, other
 * media types, layers with times changed) is UNIMPLEMENTED, so that containerd asks its next
 * differ.
 */
void cam_diff_service_add(CamGrpcServer *server, CamSnapshotter *snapshotter,
			  const CamDiffContent *content, gpointer content_data);

G_END_DECLS
