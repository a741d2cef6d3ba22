/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories in EROFS's form. Each block stands alone: an array of fixed-size entries, then the
 * names in the same order, without separators. Blocks are in the order of the names too, so that
 * the kernel finds block and entry by binary search.
 */
#include "snapshotter/snapshots/erofs-directory.h"

#include <stdlib.h>
#include <string.h>

#include "snapshotter/snapshots/erofs-format.h"

static int
compare_entries(gconstpointer a, gconstpointer b)
{
	const CamErofsEntry *left = a, *right = b;

	/* strcmp() compares unsigned bytes, as the kernel does. */
	return strcmp(left->name, right->name);
}

const char *
cam_erofs_directory_sort(CamErofsEntry *entries, guint count)
{
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (guint i = 1; i < count; i++)
		if (strcmp(entries[i - 1].name, entries[i].name) == 0)
			return entries[i].name;
	return NULL;
}

/* How many entries go into the next block, and the bytes that they take. */
static guint
fill_block(const CamErofsEntry *entries, guint count, guint *used)
{
	guint taken = 0;

	for (*used = 0; taken < count; taken++) {
		guint cost = sizeof(ErofsDirent) + strlen(entries[taken].name);

		if (*used + cost > EROFS_BLOCK_SIZE)
			break;
		*used += cost;
	}
	return taken;
}

guint64
cam_erofs_directory_size(const CamErofsEntry *entries, guint count)
{
	guint64 size = 0;

	while (count > 0) {
		guint used, taken = fill_block(entries, count, &used);

		entries += taken;
		count -= taken;
		size += count > 0 ? EROFS_BLOCK_SIZE : used;
	}
	return size;
}

guint
cam_erofs_directory_block(const CamErofsEntry *entries, guint count, CamErofsTargetFunc target,
			  gpointer user_data, guint8 *block, guint *used)
{
	guint taken = fill_block(entries, count, used);
	guint name_offset = taken * sizeof(ErofsDirent);

	memset(block, 0, EROFS_BLOCK_SIZE);
	for (guint i = 0; i < taken; i++) {
		CamErofsTarget to = target(entries[i].inode, user_data);
		gsize length = strlen(entries[i].name);
		ErofsDirent dirent = {
			.nid = GUINT64_TO_LE(to.nid),
			.name_offset = GUINT16_TO_LE((guint16) name_offset),
			.type = to.type,
		};

		memcpy(block + i * sizeof(dirent), &dirent, sizeof(dirent));
		memcpy(block + name_offset, entries[i].name, length);
		name_offset += length;
	}
	return taken;
}
