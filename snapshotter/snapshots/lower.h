/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/mount-probe.h"
#include "snapshotter/snapshots/mount.h"

G_BEGIN_DECLS

/* (transfer none): found out once for each store. */
const CamMountAbilities *cam_lower_get_abilities(CamStore *store);

/* Resolves AUTO to the method that this host supports; returns others unchanged. */
CamMountMethod cam_lower_choose_method(CamStore *store, CamMountMethod method);

/* The directory of the store's objects, for data-only layers; -1 on error. */
int cam_lower_open_objects(CamStore *store, GError **error);

/**
 * cam_lower_show:
 * @method: not AUTO
 * @objects: of cam_lower_open_objects()
 * @target: absolute path of an empty directory
 * @data: (out): as what overlayfs must be given the objects beside @target. NONE: there is
 *     nothing mounted, @target holds the files themselves.
 *
 * Makes the merged tree of a chain appear in @target: its EROFS image is mounted there, or its
 * files are linked into it.
 */
gboolean
cam_lower_show(CamStore *store, const char *const *diff_ids, CamMountMethod method, int objects,
	       const char *target, CamDataLayers *data, GCancellable *cancellable, GError **error);

G_END_DECLS
