/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/layer-skeleton.h"
#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/*
 * The commit of a layer: its tree as the lowest layer of an image, its skeleton, and under their
 * checksums the objects of entries that the layer itself replaced or removed, which no tree has
 * but the skeleton needs. Notes say by which rule the tree was made ("u"), and why the layer cannot
 * be the lowest one ("s"), if so.
 */
#define CAM_COMMIT_TREE	    "tree"
#define CAM_COMMIT_SKELETON "skeleton"
#define CAM_COMMIT_REPLACED "replaced"
#define CAM_COMMIT_REFUSED  "cambium.refused"

/* The records of a layer's skeleton. NOT_FOUND. */
CamSkeletonReader *cam_layer_open_skeleton(CamStore *store, const char *diff_id, GError **error);
/* (transfer full): the checksum of what @name is in the layer's commit: of a file, or the contents
 * (and @metadata) of a directory. */
char *cam_layer_resolve(CamStore *store, const char *diff_id, const char *name, char **metadata,
			GVariant **notes, GError **error);

G_END_DECLS
