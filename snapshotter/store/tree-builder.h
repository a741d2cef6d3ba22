/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ostree.h>

#include "snapshotter/store/layer-tree.h"

G_BEGIN_DECLS

/* The tree of the layer @index below the one that is laid over, 0 being the next: (transfer none)
 * (nullable): NULL without error where there is none. */
typedef CamLayerTree *(*CamTreeParentFunc)(gpointer user_data, guint index, GError **error);

/**
 * CamTreeBuilder:
 *
 * Lays the tree of a layer over an OSTree tree, as an overlayfs of the two shows it. Works on
 * metadata alone; directories that the layer does not touch are not read.
 */
typedef struct _CamTreeBuilder CamTreeBuilder;

/* Writes into the open transaction of @repo. @parent: (nullable): where there are no layers below
 */
CamTreeBuilder *
cam_tree_builder_new(OstreeRepo *repo, CamTreeParentFunc parent, gpointer user_data);
/**
 * cam_tree_builder_lay_over:
 * @lower_contents, @lower_metadata: (nullable): checksums of the root below, or none
 * @layer: objects of files that a hard link changed are written, and their records then name them
 *
 * INVALID_ARGUMENT where containerd cannot unpack the layer on what is below.
 */
gboolean cam_tree_builder_lay_over(CamTreeBuilder *self, CamLayerTree *layer,
				   const char *lower_contents, const char *lower_metadata,
				   char **contents, char **metadata, GError **error);
void cam_tree_builder_free(CamTreeBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTreeBuilder, cam_tree_builder_free)

G_END_DECLS
