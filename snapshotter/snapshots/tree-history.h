/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/layer-tree.h"

G_BEGIN_DECLS

/**
 * CamTreeHistory:
 *
 * What the merged tree of a chain of layers does not keep: modification times and which names are
 * hard links of one file. It is replayed from the layers' entries, base first, and is asked beside
 * a walk through the merged tree. Not thread-safe.
 */
typedef struct _CamTreeHistory CamTreeHistory;

/* What is known of one path: @names of 1 means that the file has no other name. It lives as long as
 * the history. */
typedef CamLayerRecord CamTreeRecord;

CamTreeHistory *cam_tree_history_new(void);

/* Lays the next layer over those that came before; empties it. */
void cam_tree_history_add_layer(CamTreeHistory *self, CamLayerTree *layer);

/* All layers of a chain. */
CamTreeHistory *cam_tree_history_load(CamStore *store, const char *const *diff_ids, GError **error);

/* A place in the tree: one directory or file, for walking down by names. */
typedef CamLayerNode CamTreePlace;
/* Never NULL. */
const CamTreePlace *cam_tree_history_get_root(CamTreeHistory *self);
/* (nullable): where the history knows nothing of that name. @place may be NULL. */
const CamTreePlace *cam_tree_place_get_child(const CamTreePlace *place, const char *name);
/* (nullable): NULL for directories that no layer names. @place may be NULL. */
const CamTreeRecord *cam_tree_place_get_record(const CamTreePlace *place);

void cam_tree_history_free(CamTreeHistory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTreeHistory, cam_tree_history_free)

G_END_DECLS
