/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/object-writer.h"
#include "snapshotter/store/store.h"
#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/**
 * CamLayerBuilder:
 *
 * Makes a layer of the store out of what its tar consists of: all bytes that are no content, and
 * the entries, in the order of the tar. To be used by one thread, under a hold of the store.
 * Freed without cam_layer_builder_commit() it leaves nothing.
 */
typedef struct _CamLayerBuilder CamLayerBuilder;

/* Gives the content of a regular file: sets size, and data or fd of @job. Called once for each,
 * within cam_layer_builder_add_entry(). What it puts into memory it reserves before. */
typedef gboolean (*CamLayerContentFunc)(gpointer user_data, const CamTarEntry *tar,
					CamObjectJob *job, GError **error);

CamLayerBuilder *
cam_layer_builder_new(CamStore *store, CamLayerContentFunc content, gpointer user_data,
		      GCancellable *cancellable, GError **error);
/* Bytes of the tar that are no content; those of an entry's headers come before the entry. */
gboolean
cam_layer_builder_add_raw(CamLayerBuilder *self, gconstpointer data, gsize size, GError **error);
gboolean cam_layer_builder_add_entry(CamLayerBuilder *self, const CamTarEntry *tar, GError **error);
/* Waits until @size more bytes of content may be in memory, or files be open for them. */
void cam_layer_builder_reserve(CamLayerBuilder *self, CamObjectJob *job, gsize size);
/* After the last bytes: all objects are hashed and written, the skeleton is whole. */
gboolean cam_layer_builder_finish(CamLayerBuilder *self, guint64 tar_size, GError **error);
/* Makes the layer appear. (transfer full) */
CamLayerInfo *cam_layer_builder_commit(CamLayerBuilder *self, const char *diff_id, GError **error);
void cam_layer_builder_free(CamLayerBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLayerBuilder, cam_layer_builder_free)

G_END_DECLS
