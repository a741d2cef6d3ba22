/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamTarAmbiguity: headers that containerd unpacks and that are refused all the same, because what
 * they mean differs from one program to the next in a way that hides a file or changes its owner.
 * The reasons stand in TAR.md.
 */
typedef enum {
	CAM_TAR_PARENT_NAME,
	CAM_TAR_GNU_PREFIX,
	CAM_TAR_SPARSE_KEYS,
	CAM_TAR_OWNER,
	CAM_TAR_DEVICE_NUMBER,
	CAM_TAR_GLOBAL_NAME,
	CAM_TAR_LINK_SLASH,
} CamTarAmbiguity;

/* "parent-name" …; NULL behind the last. */
const char *cam_tar_ambiguity_get_name(CamTarAmbiguity kind);
/* TRUE if @allowed, else INVALID_ARGUMENT with kind and reason. */
gboolean cam_tar_ambiguity_check(CamTarAmbiguity kind, gboolean allowed, GError **error);

G_END_DECLS
