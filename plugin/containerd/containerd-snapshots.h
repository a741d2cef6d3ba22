/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

/* Snapshots as containerd's clients see them, whatever snapshotter has them. Names are those of the
 * namespace: the backend knows them by longer ones. CamSnapshotInfo is snapshotter.h's. */

/* NOT_FOUND. */
CamSnapshotInfo *
cam_containerd_stat_snapshot(CamContainerd *self, const char *name_space, const char *snapshotter,
			     const char *key, GCancellable *cancellable, GError **error);
/* @filters: (nullable): containerd's; (transfer full) (element-type CamSnapshotInfo) */
GPtrArray *cam_containerd_list_snapshots(CamContainerd *self, const char *name_space,
					 const char *snapshotter, const char *const *filters,
					 GCancellable *cancellable, GError **error);

G_END_DECLS
