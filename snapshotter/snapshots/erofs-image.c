/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The EROFS image of a tree of the store: feeds the walk through the tree to the writer.
 */
#include "snapshotter/snapshots/erofs-image.h"

#include "snapshotter/snapshots/erofs-writer.h"
#include "snapshotter/snapshots/lower-tree.h"

static gboolean
visit(const CamLowerEntry *entry, gpointer user_data, GError **error)
{
	CamErofsWriter **writer = user_data;
	guint32 index;

	if (!*writer) {
		*writer = cam_erofs_writer_new(entry->stat, entry->mtime, error);
		return *writer != NULL;
	}
	if (entry->is_link)
		return cam_erofs_writer_link(*writer, entry->parent, entry->name, entry->index,
					     error);
	if (!cam_erofs_writer_add(*writer, entry->parent, entry->name, entry->stat, entry->mtime,
				  entry->object, &index, error))
		return cam_error_translate(error, "%s", entry->path);
	g_assert(index == entry->index); /* both count from the root in the same order */
	return TRUE;
}

gboolean
cam_erofs_image_write(CamRootfs *rootfs, CamTreeHistory *history, gboolean hide_objects, int fd,
		      GCancellable *cancellable, GError **error)
{
	static const CamLowerVisitor visitor = { .visit = visit };
	g_autoptr(CamErofsWriter) writer = NULL;

	if (!cam_lower_tree_walk(rootfs, history, &visitor, &writer, cancellable, error))
		return FALSE;
	if (hide_objects && !cam_erofs_writer_hide_objects(writer, error))
		return FALSE;
	return cam_erofs_writer_write(writer, fd, NULL, error);
}
