/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/memo.h"
#include "scanners/engine/scanner.h"

G_BEGIN_DECLS

/**
 * CamTreeWalk: finds what scanners want, tree by tree, remembering each.
 */
typedef struct {
	const CamScanner *const *scanners; /* NULL-terminated */
	const char *generation;		   /* names and versions of @scanners */
	CamMemo *memo;
	CamScanLimits limits; /* none is zero */
	guint64 trees_visited, trees_remembered;
	guint links_followed; /* of the tree that was walked last */
} CamTreeWalk;

/* "dpkg 1, os-release 1": changes when any scanner does. */
char *cam_scanners_generation(const CamScanner *const *scanners);

/* The paths that any scanner wants, sorted by bytes. (element-type filename) */
GPtrArray *
cam_tree_walk_find(CamTreeWalk *self, CamRootfs *rootfs, GCancellable *cancellable, GError **error);

/* Runs every scanner on what it wants and collects what they find. What a scanner once made of the
 * same files is remembered. */
CamInventory *
cam_tree_walk_scan(CamTreeWalk *self, CamRootfs *rootfs, GCancellable *cancellable, GError **error);

G_END_DECLS
