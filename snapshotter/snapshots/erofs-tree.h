/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tree that an EROFS image is made of, between cam_erofs_writer_add() (erofs-writer.c), which
 * builds it, and cam_erofs_tree_write() (erofs-layout.c), which places and writes it. Nobody else
 * includes this.
 */
#include "snapshotter/oci/digest.h"
#include "snapshotter/snapshots/erofs-directory.h"
#include "snapshotter/snapshots/erofs-format.h"

G_BEGIN_DECLS

typedef struct {
	guint32 mode; /* with the type */
	guint32 uid, gid, nlink;
	guint32 rdev; /* as encoded on disk */
	guint32 parent;
	guint64 size;
	gint64 mtime;	 /* nanoseconds since 1970 */
	GBytes *xattrs;	 /* (nullable) packed */
	GArray *entries; /* (nullable) (element-type CamErofsEntry): directories */
	const char *link_target;
	CamSha256 object;
	guint8 type; /* EROFS_TYPE_… */
	guint has_object : 1;
	guint opaque : 1;

	/* The place in the image; an inode never lies at 0. */
	guint64 offset;
	guint32 number;
	guint32 first_block;
	guint32 inline_size;
	ErofsLayout layout;
} CamErofsNode;

typedef struct {
	GArray *nodes; /* (element-type CamErofsNode), the root first */
	GStringChunk *strings;
} CamErofsTree;

static inline CamErofsNode *
cam_erofs_tree_get(const CamErofsTree *tree, guint32 index)
{
	return &g_array_index(tree->nodes, CamErofsNode, index);
}

gboolean cam_erofs_tree_write(CamErofsTree *tree, int fd, guint64 *size, GError **error);

G_END_DECLS
