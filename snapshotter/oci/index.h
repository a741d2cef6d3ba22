/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/descriptor.h"

G_BEGIN_DECLS

/**
 * CamIndex: an image index (OCI) or manifest list (docker).
 */
typedef struct {
	char *media_type;
	char *digest;
	GBytes *bytes;
	GPtrArray *manifests; /* (element-type CamDescriptor) */
	JsonObject *json;
} CamIndex;

/* @media_type: as for cam_manifest_parse() */
CamIndex *cam_index_parse(GBytes *bytes, const char *media_type, GError **error);
/* The first descriptor that runs on @platform, attestation manifests passed over.
 * %CAM_ERROR_NOT_FOUND names the platforms that there are. (transfer none) */
const CamDescriptor *
cam_index_select(const CamIndex *self, const CamPlatform *platform, GError **error);
void cam_index_free(CamIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamIndex, cam_index_free)

G_END_DECLS
