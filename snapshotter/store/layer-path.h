/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/layer-tree.h"

G_BEGIN_DECLS

/* The directory or other thing at @path, which has no links on the way; NULL where there is none,
 * with *@blocked (nullable) set where the way leads through what is no directory. */
CamLayerNode *cam_layer_path_get(CamLayerNode *root, const char *path, gboolean *blocked);

/**
 * cam_layer_path_resolve:
 * @budget: bytes of names that may still be looked at; links can be nested to great cost
 *
 * (transfer full): @path without the symbolic links of the tree at @root, bounded by it, as
 * continuity's fs.RootPath() finds it: what does not exist keeps its name. INVALID_ARGUMENT where
 * the way leads through a file, or goes round in circles.
 */
char *cam_layer_path_resolve(CamLayerNode *root, const char *path, guint64 *budget, GError **error);

G_END_DECLS
