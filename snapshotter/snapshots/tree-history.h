/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/**
 * CamTreeHistory:
 *
 * What the merged tree of a chain of layers does not keep: modification times and which names are
 * hard links of one file. It is replayed from the layers' entries, base first, and is asked beside
 * a walk through the merged tree. Not thread-safe.
 */
typedef struct _CamTreeHistory CamTreeHistory;

/* What is known of one path. It lives as long as the history. */
typedef struct {
	guint64 inode;	  /* equal for the names of one file, never 0 */
	guint names;	  /* how often it was named; 1 means that it has no other name */
	gint64 mtime;	  /* nanoseconds since 1970 */
	CamStat stat;	  /* as the layer has it */
	CamSha256 object; /* identity as in CamEntry; zeros where the layer does not say */
} CamTreeRecord;

CamTreeHistory *cam_tree_history_new(void);

/* Starts the next layer: whiteouts from here on act on what was there before. */
void cam_tree_history_next_layer(CamTreeHistory *self);
void cam_tree_history_add(CamTreeHistory *self, const CamLayerEntry *entry);

/* All layers of a chain. */
CamTreeHistory *cam_tree_history_load(CamStore *store, const char *const *diff_ids, GError **error);

/* A place in the tree: one directory or file, for walking down by names. */
typedef struct _CamTreePlace CamTreePlace;
/* Never NULL. */
const CamTreePlace *cam_tree_history_get_root(CamTreeHistory *self);
/* (nullable): where the history knows nothing of that name. @place may be NULL. */
const CamTreePlace *cam_tree_place_get_child(const CamTreePlace *place, const char *name);
/* (nullable): NULL for directories that no layer names. @place may be NULL. */
const CamTreeRecord *cam_tree_place_get_record(const CamTreePlace *place);

void cam_tree_history_free(CamTreeHistory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTreeHistory, cam_tree_history_free)

G_END_DECLS
