/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/grpc-server.h"

G_BEGIN_DECLS

/**
 * CamSnapshotGate: whether a snapshot may be prepared.
 * @check: asked before, from any thread; may change @labels (never NULL). FALSE with an error,
 * which is what the client is told.
 */
typedef struct {
	gboolean (*check)(const char *key, const char *parent, GHashTable *labels,
			  gpointer user_data, GError **error);
	gpointer user_data; /* outlives the server */
} CamSnapshotGate;

/**
 * cam_snapshots_service_add:
 * @gate: (nullable): none: everything may be prepared
 *
 * containerd.services.snapshots.v1 for one snapshotter, whatever name the requests give it.
 */
void cam_snapshots_service_add(CamGrpcServer *server, CamSnapshotter *snapshotter,
			       const CamSnapshotGate *gate);

G_END_DECLS
