/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/overlay.h"

G_BEGIN_DECLS

/* What this kernel and this process can do. */
typedef struct {
	gboolean erofs;	    /* EROFS images can be mounted, in one way or the other */
	gboolean loop;	    /* through a loop device */
	CamDataLayers data; /* CAM_DATA_NONE: an object store cannot lie below EROFS */
	char *problem;	    /* (nullable): why EROFS over the object store does not work */
} CamMountAbilities;

void cam_mount_abilities_clear(CamMountAbilities *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamMountAbilities, cam_mount_abilities_clear)

/**
 * cam_mount_find_abilities:
 * @directory: where files and mounts may be made, on the file system of the store; it is left as
 *     it was found
 *
 * Tries it: mounts an image of one file, and reads that file through an overlay, the best way
 * first. Takes some milliseconds.
 */
void cam_mount_find_abilities(const char *directory, CamMountAbilities *out);

G_END_DECLS
