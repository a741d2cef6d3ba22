/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/wire.h"
#include "proto/snapshots.pb-c.h"

G_BEGIN_DECLS

/* Snapshots and mounts as messages, and back. Messages are freed with cam_wire_free(). */

Cam__Snapshots__Info *cam_snapshot_message_new(const CamSnapshotInfo *info);
/* @mounts: (element-type CamSnapshotMount)
 * Returns: (nullable) (transfer full): *@n messages */
Cam__Types__Mount **cam_mount_messages_new(const GPtrArray *mounts, gsize *n);
/* (transfer full) (element-type CamSnapshotMount) */
GPtrArray *cam_mount_messages_get(gsize n, Cam__Types__Mount *const *messages);

G_END_DECLS
