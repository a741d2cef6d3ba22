/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/* A file or directory as its layer has it; the names of one file share it. */
typedef struct {
	guint names; /* of the file */
	/* A hard link's entry changed owner, mode or attributes: @object still has the old ones. */
	gboolean is_changed;
	gint64 mtime; /* nanoseconds since 1970 */
	CamStat stat;
	CamSha256 object; /* zeros where the layer does not say, and of directories */
} CamLayerRecord;

/* One name in the tree of a layer. */
typedef struct {
	/* (nullable): none of whiteouts, and of directories that no entry names */
	CamLayerRecord *record;
	GHashTable *children; /* (nullable) (element-type filename CamLayerNode) */
	guint is_directory : 1;
	guint is_whiteout : 1; /* hides the name in the layers below */
	guint is_opaque : 1;   /* hides what the directories below hold */
	guint is_implied : 1;  /* made for what lies in it, before an entry named it if any did */
	guint is_unpacked : 1; /* an entry named it: opaque marks of the lowest layer spare it */
} CamLayerNode;

/**
 * CamLayerTree:
 *
 * What containerd's applier makes of the entries of one layer: the upper directory of an overlay.
 * The rule stands in layer-tree.c.
 */
typedef struct _CamLayerTree CamLayerTree;

/* @lowest: the layer has none below it, and is unpacked into a plain directory: whiteouts and
 * opaque marks remove what the layer brought before them. */
CamLayerTree *cam_layer_tree_new(gboolean lowest);
void cam_layer_tree_free(CamLayerTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLayerTree, cam_layer_tree_free)

/* Told of each record whose object has no place in the tree: its last name goes, it only hides, or
 * it is about to be changed. */
typedef void (*CamLayerTreeDropFunc)(gpointer user_data, const CamLayerRecord *record);
void
cam_layer_tree_set_drop_func(CamLayerTree *self, CamLayerTreeDropFunc func, gpointer user_data);

/* The next entry, in the order of the tar. INVALID_ARGUMENT for what containerd refuses too; the
 * tree is of no use then. */
gboolean cam_layer_tree_add(CamLayerTree *self, const CamLayerEntry *entry, GError **error);

/* To be called after the last entry. Errors as before. */
gboolean cam_layer_tree_finish(CamLayerTree *self, GError **error);

/* (transfer none): has a record if the layer says when the root was changed. */
CamLayerNode *cam_layer_tree_get_root(CamLayerTree *self);
/* (transfer none) (element-type filename): directories that were made for what lay in them and are
 * gone. containerd looked for their like in the layers below, and may have failed. */
GPtrArray *cam_layer_tree_get_removed(CamLayerTree *self);
/* (nullable) (transfer none) */
CamLayerNode *cam_layer_node_get_child(const CamLayerNode *node, const char *name);
void cam_layer_node_free(gpointer node);

/* What is at @path when links of this layer on the way to it, and at its end, are followed; NULL
 * without error where there is nothing. @real: (out) (nullable): the path without links. */
gboolean cam_layer_tree_find(CamLayerTree *self, const char *path, CamLayerNode **node, char **real,
			     GError **error);

G_END_DECLS
