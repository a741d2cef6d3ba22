/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ostree.h>

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/**
 * CamTreeBuilder:
 *
 * Lays the entries of a layer over a tree, as OCI image-spec layer.md and containerd do: parents
 * that are symbolic links are followed inside the tree, missing ones are made (0755 root), what is
 * in the way of an entry is replaced. Works on OSTree metadata alone; directories that are not
 * touched are not read.
 */
typedef struct _CamTreeBuilder CamTreeBuilder;

/* @contents, @metadata: (nullable): checksums of the root to start from, or none. */
CamTreeBuilder *
cam_tree_builder_new(OstreeRepo *repo, const char *contents, const char *metadata, GError **error);
/* A whiteout: it removes from the tree that the builder started from. All of a layer's whiteouts
 * come before its other entries: they never hide what their own layer brings. */
gboolean cam_tree_builder_hide(CamTreeBuilder *self, const CamLayerEntry *entry, GError **error);
/* Any other entry; @object says what it is but for directories and hard links. */
gboolean cam_tree_builder_add(CamTreeBuilder *self, const CamLayerEntry *entry, GError **error);
/* Leaves out, and counts, hard links whose target is not in the tree (it may be in a lower layer)
 * instead of refusing them. */
void cam_tree_builder_set_lenient(CamTreeBuilder *self);
guint64 cam_tree_builder_get_unresolved(CamTreeBuilder *self);
/* Writes the directories that changed into the repository's open transaction. */
gboolean cam_tree_builder_write(CamTreeBuilder *self, char **contents, char **metadata,
				GCancellable *cancellable, GError **error);
void cam_tree_builder_free(CamTreeBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTreeBuilder, cam_tree_builder_free)

G_END_DECLS
