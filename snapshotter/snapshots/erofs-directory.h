/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One name in a directory. */
typedef struct {
	const char *name;
	guint32 inode; /* index, as the writer counts */
} CamErofsEntry;

/* What a name leads to, once inodes are placed. */
typedef struct {
	guint64 nid;
	guint8 type; /* EROFS_TYPE_… */
} CamErofsTarget;

typedef CamErofsTarget (*CamErofsTargetFunc)(guint32 inode, gpointer user_data);

/* Sorts as the kernel searches: by the bytes of the name. Returns a name that occurs twice, or
 * NULL. */
const char *cam_erofs_directory_sort(CamErofsEntry *entries, guint count);

/* Size of the directory's data: whole blocks and what the last one holds. */
guint64 cam_erofs_directory_size(const CamErofsEntry *entries, guint count);

/**
 * cam_erofs_directory_block:
 * @entries: what is left to be written
 * @block: EROFS_BLOCK_SIZE bytes, filled with zeros first
 * @used: (out): bytes that are not padding
 *
 * Returns: how many entries the block took
 */
guint
cam_erofs_directory_block(const CamErofsEntry *entries, guint count, CamErofsTargetFunc target,
			  gpointer user_data, guint8 *block, guint *used);

G_END_DECLS
