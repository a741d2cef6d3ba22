/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/*
 * The upper directory of an overlay as a layer: a tar that holds what the directory changes, with
 * exact times, numeric owners, the attributes that belong to files (user.*, security.capability,
 * system.posix_acl_*), hard links, and whiteouts. What no layer can say is
 * %CAM_ERROR_INVALID_ARGUMENT, a directory of which overlayfs keeps parts elsewhere (redirect_dir,
 * metacopy) %CAM_ERROR_UNIMPLEMENTED, one that changes meanwhile %CAM_ERROR_ABORTED.
 */

/**
 * cam_upper_layer_stream_new:
 * @upper: a directory; the stream keeps a descriptor of its own
 *
 * Returns: (transfer full): the uncompressed tar; of the same directory always the same bytes.
 *     Holds nothing in memory but names.
 */
GInputStream *cam_upper_layer_stream_new(int upper, GError **error);

/**
 * cam_store_adopt_upper:
 * @upper: a directory that nobody writes to any more: neither a process nor a mounted overlay
 *
 * Makes the layer that cam_upper_layer_stream_new() would give part of the store, as an import of
 * that tar does, but does not copy: files on the store's file system become its objects by hard
 * links where owner, mode and attributes are just what an object has; what overlayfs noted on
 * them for itself is taken off. Everything else is copied. The directory may be removed
 * afterwards; while it is there it must not be written to.
 *
 * All or nothing: after an error, or a crash, there is at most what gc removes.
 *
 * Returns: (transfer full): of new_bytes only those that were copied count
 */
CamLayerInfo *cam_store_adopt_upper(CamStore *self, int upper, CamProgress *progress,
				    GCancellable *cancellable, GError **error);

G_END_DECLS
