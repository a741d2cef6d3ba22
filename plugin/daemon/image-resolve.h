/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"
#include "plugin/daemon/verdict.h"

G_BEGIN_DECLS

/**
 * cam_image_resolve:
 * @target: what a name of containerd stands for, an index or a manifest
 *
 * Reads containerd's documents down to the config of the image for this machine, and fills in
 * target, manifest, config and chainID of @verdict. %CAM_ERROR_NOT_FOUND where containerd has no
 * image for this machine, %CAM_ERROR_INVALID_ARGUMENT for what is no image at all.
 */
gboolean
cam_image_resolve(CamContainerd *containerd, const char *name_space, const CamDescriptor *target,
		  CamVerdict *verdict, GCancellable *cancellable, GError **error);

G_END_DECLS
