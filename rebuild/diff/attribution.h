/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/owned-paths.h"
#include "rebuild/diff/tree-diff.h"

G_BEGIN_DECLS

/**
 * CamEvidence: all that paths are judged by.
 */
typedef struct {
	CamRootfs *before, *after;
	const GPtrArray *packages; /* (element-type CamPackageChange) */
	CamOwnedPaths *owned_before, *owned_after;
	const GPtrArray *paths; /* (element-type CamPathChange) */
	GHashTable *by_path;	/* path → CamPathChange; of two for one path the later */
} CamEvidence;

/**
 * cam_attribute_paths:
 * @paths: (element-type CamPathChange), as cam_diff_trees() made them
 * @packages: (element-type CamPackageChange)
 * @unexplained: (out): how many paths no package change explains
 *
 * Sets package and reason of each path that a package change explains, and the note of others where
 * there is something to say.
 */
gboolean cam_attribute_paths(GPtrArray *paths, const GPtrArray *packages, CamRootfs *before,
			     CamRootfs *after, guint *unexplained, GCancellable *cancellable,
			     GError **error);

/* Says that @package (nullable) explains @change. */
void
cam_path_change_explain(CamPathChange *change, const CamPackageChange *package, const char *reason);

/* (nullable): what the link at @path, to @target, leads to in the tree after, if a changed package
 * owns that. */
const CamOwnedPath *
cam_leads_to_owned(const CamEvidence *evidence, const char *path, const char *target);

G_END_DECLS
