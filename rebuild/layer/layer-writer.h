/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamLayerTar:
 *
 * Writes a normalised layer tar (OCI image-spec, layer.md): sorted by path components, numeric
 * ids, every parent directory with the lower's mode, owner, xattrs and time, whiteouts before
 * their siblings, allowed xattrs (security.capability, user.* without overlayfs's own), times
 * clamped. No path occurs twice.
 *
 * Collect changes in any order, then write: the tar depends on the set of changes alone. Paths
 * are raw bytes, from the root; a "/" or "./" at the start and a "/" at the end do not matter.
 * Adding cannot fail: what no layer can say (a `..`, a file named `.wh.x`, an entry below a
 * symbolic link, …) is reported by cam_layer_tar_write().
 */
typedef struct _CamLayerTar CamLayerTar;

/* The time of a directory of the lower tree, seconds since 1970; -1: not known. */
typedef gint64 (*CamMtimeFunc)(const char *path, gpointer user_data);

/**
 * cam_layer_tar_new:
 * @lower: the tree that the layer goes on
 * @lower_mtime: (nullable): times of its directories; those not known become @epoch
 * @epoch: seconds since 1970; no time in the layer is later
 */
CamLayerTar *
cam_layer_tar_new(CamRootfs *lower, CamMtimeFunc lower_mtime, gpointer user_data, gint64 epoch);

/* Content is opened when it is written, so that nothing is held in memory. */
typedef GInputStream *(*CamOpenFunc)(const char *path, gpointer user_data, GError **error);

/**
 * cam_layer_tar_add:
 * @stat: copied
 * @mtime: seconds since 1970
 * @open: (nullable): needed for regular files that are not empty; called with the path as added,
 *     must give exactly @stat's size
 *
 * A path that was added before is replaced; one that is added is not whited out (a file of
 * another type replaces what is below it, a directory is merged with it).
 */
void cam_layer_tar_add(CamLayerTar *self, const char *path, const CamStat *stat, gint64 mtime,
		       CamOpenFunc open, gpointer user_data);
/* @target is or will be a path of this layer. Of all names of one file the first in the tar's
 * order carries the content. */
void cam_layer_tar_add_hardlink(CamLayerTar *self, const char *path, const char *target);
/* Of a path that the lower tree does not have: nothing happens. It covers what is below. */
void cam_layer_tar_add_whiteout(CamLayerTar *self, const char *path);
/* Keeps @data (an open directory, say, that contents are read from) until @self is freed. */
void cam_layer_tar_keep(CamLayerTar *self, gpointer data, GDestroyNotify destroy);

/* Whether nothing was added. */
gboolean cam_layer_tar_is_empty(CamLayerTar *self);
/* The tree that the layer goes on. (transfer none) */
CamRootfs *cam_layer_tar_get_lower(CamLayerTar *self);

/* Writes the whole tar; @out is flushed, not closed. Changes nothing: may be repeated. */
gboolean cam_layer_tar_write(CamLayerTar *self, GOutputStream *out, GCancellable *cancellable,
			     GError **error);
void cam_layer_tar_free(CamLayerTar *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLayerTar, cam_layer_tar_free)

G_END_DECLS
