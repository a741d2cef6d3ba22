/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/tree-history.h"

G_BEGIN_DECLS

/* One name of a tree as it is to be mounted. Valid during the call only. */
typedef struct {
	guint32 parent; /* index of the directory; that of the root is 0 */
	guint32 index;	/* of the file or directory itself, counted from the root as they appear */
	gboolean is_link; /* @index appeared before: this is another name of it */
	const char *name; /* the root's is "" */
	const char *path; /* from the root, without leading "/" */
	const CamStat *stat;
	gint64 mtime;		 /* nanoseconds since 1970 */
	const CamSha256 *object; /* identity of a file */
} CamLowerEntry;

typedef struct {
	/* Every name, directories before what they hold. */
	gboolean (*visit)(const CamLowerEntry *entry, gpointer user_data, GError **error);
	/* (nullable): every directory once more, after what it holds. */
	gboolean (*leave)(const CamLowerEntry *directory, gpointer user_data, GError **error);
} CamLowerVisitor;

/**
 * cam_lower_tree_walk:
 * @rootfs: what is there
 * @history: (nullable): times and hard links; without it times are 0 and every name is a file
 *
 * RESOURCE_EXHAUSTED for trees that are deeper than paths can be long.
 */
gboolean
cam_lower_tree_walk(CamRootfs *rootfs, CamTreeHistory *history, const CamLowerVisitor *visitor,
		    gpointer user_data, GCancellable *cancellable, GError **error);

G_END_DECLS
