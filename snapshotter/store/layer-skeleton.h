/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/digest.h"
#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/*
 * The skeleton of a layer: every byte of its tar that is no file content, and in the place of
 * contents the objects that hold them. A magic number, then records (numbers are LEB128):
 *
 *   R length bytes                      bytes of the tar
 *   Z length                            so many zero bytes of the tar
 *   O object[32]                        the entry whose headers just ended is this object
 *   C object[32] sha256[32] n extents…  a regular file; here the tar has content: n = 0: all of the
 *     size                              object, size bytes; else n extents (offset length), size
 *                                       bytes together
 *   E size                              the end; the tar has so many bytes
 *
 * Directories, hard links and extension headers have no object. Kept compressed (zstd).
 */

typedef struct {
	CamSha256 object;
	gboolean has_content;
	CamSha256 content; /* sha256 of the whole file */
	guint64 size;	   /* bytes that the tar has here */
	GArray *extents;   /* (nullable): CamTarExtent; of sparse files */
} CamSkeletonObject;

void cam_skeleton_object_clear(CamSkeletonObject *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamSkeletonObject, cam_skeleton_object_clear)

/* ---- writing: to a descriptor, not compressed ---- */

typedef struct _CamSkeletonWriter CamSkeletonWriter;

CamSkeletonWriter *cam_skeleton_writer_new(int fd);
gboolean cam_skeleton_writer_add_raw(CamSkeletonWriter *self, gconstpointer data, gsize size,
				     GError **error);
gboolean cam_skeleton_writer_add_object(CamSkeletonWriter *self, const CamSkeletonObject *object,
					GError **error);
gboolean cam_skeleton_writer_finish(CamSkeletonWriter *self, guint64 tar_size, GError **error);
void cam_skeleton_writer_free(CamSkeletonWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSkeletonWriter, cam_skeleton_writer_free)

/* ---- reading ---- */

/**
 * CamSkeletonReader: reads the records, not compressed, from a stream. A malformed skeleton is
 * %CAM_ERROR_DATA_LOSS.
 */
typedef struct _CamSkeletonReader CamSkeletonReader;

CamSkeletonReader *cam_skeleton_reader_new(GInputStream *stream);
/* Bytes of the tar up to the next object record or the end: there it returns 0. */
gssize cam_skeleton_reader_read(CamSkeletonReader *self, void *buffer, gsize size, GError **error);
/* Passes over all bytes up to there. */
gboolean cam_skeleton_reader_skip(CamSkeletonReader *self, GError **error);
/* To be called when read said 0. *@found is FALSE at the end of the skeleton. Clear @object. */
gboolean cam_skeleton_reader_take_object(CamSkeletonReader *self, CamSkeletonObject *object,
					 gboolean *found, GError **error);
/* What the end record says; valid once the end was reached. */
guint64 cam_skeleton_reader_get_tar_size(CamSkeletonReader *self);
void cam_skeleton_reader_free(CamSkeletonReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSkeletonReader, cam_skeleton_reader_free)

G_END_DECLS
