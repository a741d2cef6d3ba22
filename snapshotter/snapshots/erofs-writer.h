/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/rootfs.h"

G_BEGIN_DECLS

/**
 * CamErofsWriter:
 *
 * Makes an EROFS image that holds a tree without its content: directories, links, devices, and
 * regular files of the right size whose data overlayfs reads from an object store in a data-only
 * lower layer, at `/xx/yyyy….file`. The tree is pushed in any order; the image's bytes depend on
 * the tree alone. Not thread-safe.
 */
typedef struct _CamErofsWriter CamErofsWriter;

/* The root directory's index. */
#define CAM_EROFS_ROOT 0

/**
 * cam_erofs_writer_new:
 * @root: mode, owner and xattrs of the root directory
 * @mtime: nanoseconds since 1970
 */
CamErofsWriter *cam_erofs_writer_new(const CamStat *root, gint64 mtime, GError **error);

/**
 * cam_erofs_writer_add:
 * @parent: index of a directory
 * @name: one component
 * @object: (nullable): where the content of a regular file lies; required unless it is empty
 * @index: (out) (optional): by which the new inode may be linked or be a parent
 *
 * INVALID_ARGUMENT for what the format cannot hold; the message names the entry.
 */
gboolean
cam_erofs_writer_add(CamErofsWriter *self, guint32 parent, const char *name, const CamStat *stat,
		     gint64 mtime, const CamSha256 *object, guint32 *index, GError **error);

/* Another name for an inode that is no directory. */
gboolean cam_erofs_writer_link(CamErofsWriter *self, guint32 parent, const char *name,
			       guint32 inode, GError **error);

/**
 * cam_erofs_writer_hide_objects:
 *
 * For kernels without data-only layers (before 6.5), where the object store is an ordinary lower
 * layer: hides its 256 directories in the root.
 */
gboolean cam_erofs_writer_hide_objects(CamErofsWriter *self, GError **error);

/**
 * cam_erofs_writer_write:
 * @fd: empty file, seekable
 * @size: (out) (optional): of the image
 *
 * Writes the image; a name that occurs twice in a directory is INVALID_ARGUMENT. May be called
 * once; nothing can be added afterwards.
 */
gboolean cam_erofs_writer_write(CamErofsWriter *self, int fd, guint64 *size, GError **error);

void cam_erofs_writer_free(CamErofsWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamErofsWriter, cam_erofs_writer_free)

G_END_DECLS
