/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* How this kernel's overlayfs reads content out of an object store. */
typedef enum {
	CAM_DATA_NONE,	   /* not at all */
	CAM_DATA_ORDINARY, /* the store is a lower layer like others, hidden by whiteouts */
	CAM_DATA_METACOPY, /* data-only layer (6.5), but an upper then gets files without data */
	CAM_DATA_FREE,	   /* data-only layer (6.16), metacopy may stay off */
} CamDataLayers;

/* What an overlay is made of: descriptors of directories, -1 for what it has not. */
typedef struct {
	int lower;
	int objects;
	int upper, work;
	CamDataLayers data;  /* of what kind @objects is */
	gboolean by_options; /* use mount(2) even where the newer calls work */
} CamOverlay;

/**
 * cam_overlay_mount:
 *
 * Mounts overlayfs on @target, read-only without an upper. UNIMPLEMENTED where the kernel refuses;
 * the message holds the kernel's own words if it gave any.
 */
gboolean cam_overlay_mount(const CamOverlay *overlay, const char *target, GError **error);

/**
 * cam_erofs_mount:
 * @image: descriptor of an image
 * @loop: through a loop device, else the file itself
 */
gboolean cam_erofs_mount(int image, gboolean loop, const char *target, GError **error);

/* Makes @source visible at @target too, but read-only. */
gboolean cam_bind_mount(const char *source, const char *target, GError **error);

G_END_DECLS
