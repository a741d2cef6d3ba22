/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamLayerTar: writes a normalised layer tar: sorted by path components, numeric ids, every
 * parent directory with the lower's mode, owner and time, whiteouts, allowed xattrs
 * (security.capability, user.*), times clamped.
 *
 * Collect changes in any order, then write: the tar depends on the set of changes alone.
 */
typedef struct _CamLayerTar CamLayerTar;

/* @lower: the tree that the layer goes on; @lower_mtime: times of its directories;
 * @epoch: seconds; no time in the layer is later. */
typedef gint64 (*CamMtimeFunc)(const char *path, gpointer user_data);
CamLayerTar *cam_layer_tar_new(CamRootfs *lower, CamMtimeFunc lower_mtime, gpointer user_data,
			       gint64 epoch);
/* @content (nullable): opened when it is written, so that nothing is held in memory. */
typedef GInputStream *(*CamOpenFunc)(const char *path, gpointer user_data, GError **error);
void cam_layer_tar_add(CamLayerTar *self, const char *path, const CamStat *stat, gint64 mtime,
		       CamOpenFunc open, gpointer user_data);
void cam_layer_tar_add_hardlink(CamLayerTar *self, const char *path, const char *target);
void cam_layer_tar_add_whiteout(CamLayerTar *self, const char *path);
gboolean cam_layer_tar_is_empty(CamLayerTar *self);
gboolean cam_layer_tar_write(CamLayerTar *self, GOutputStream *out, GCancellable *cancellable,
			     GError **error);
void cam_layer_tar_free(CamLayerTar *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLayerTar, cam_layer_tar_free)

G_END_DECLS
