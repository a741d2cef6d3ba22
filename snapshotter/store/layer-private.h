/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/layer-skeleton.h"
#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/* The commit of a layer: its tree, its skeleton, and how many of its hard links lead to lower
 * layers ("t"). */
#define CAM_COMMIT_TREE	      "tree"
#define CAM_COMMIT_SKELETON   "skeleton"
#define CAM_COMMIT_UNRESOLVED "cambium.unresolved-links"

/* The records of a layer's skeleton. NOT_FOUND. */
CamSkeletonReader *cam_layer_open_skeleton(CamStore *store, const char *diff_id, GError **error);
/* (transfer full): the checksum of what @name is in the layer's commit: of a file, or the contents
 * (and @metadata) of a directory. */
char *cam_layer_resolve(CamStore *store, const char *diff_id, const char *name, char **metadata,
			GVariant **notes, GError **error);

G_END_DECLS
