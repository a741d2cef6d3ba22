/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/snapshot-db.h"

G_BEGIN_DECLS

/**
 * CamSnapshotBase: what a snapshot stands on: layers of the store, merged, and on top of them the
 * upper directories of ancestors that are not in the store yet.
 */
typedef struct {
	GPtrArray *layers; /* diffIDs, base first, NULL-terminated */
	char *chain;	   /* (nullable): their chainID; NULL for none */
	GArray *uses;	   /* (element-type CamSnapshotUse): the top first */
	gint64 blocker;	   /* 0, or the ancestor whose upper directory must become a layer first */
} CamSnapshotBase;

void cam_snapshot_base_clear(CamSnapshotBase *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamSnapshotBase, cam_snapshot_base_clear)

/**
 * cam_snapshot_base_plan:
 * @parent: id of a committed snapshot, or 0
 * @max_uses: how many upper directories may be named
 *
 * For a snapshot that is to be made on @parent.
 */
gboolean cam_snapshot_base_plan(CamSnapshotDb *db, gint64 parent, guint max_uses,
				CamSnapshotBase *out, GError **error);

/* For one that exists, as it was planned then. A layer that was applied to it since, above upper
 * directories, makes the lowest of them the blocker. */
gboolean cam_snapshot_base_load(CamSnapshotDb *db, const CamSnapshotRow *row, CamSnapshotBase *out,
				GError **error);

G_END_DECLS
