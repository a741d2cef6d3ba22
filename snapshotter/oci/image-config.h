/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/descriptor.h"

G_BEGIN_DECLS

typedef struct {
	char *created_by; /* (nullable) */
	char *created;	  /* (nullable) RFC 3339 */
	gboolean empty_layer;
} CamHistory;

/**
 * CamImageConfig: OCI image-spec, config.md, and docker's form of it.
 */
typedef struct {
	char *digest;
	GBytes *bytes;
	CamPlatform *platform;
	GPtrArray *diff_ids; /* (element-type utf8), base first */
	GPtrArray *history;  /* (element-type CamHistory); may be empty */
	JsonObject *json;
} CamImageConfig;

CamImageConfig *cam_image_config_parse(GBytes *bytes, GError **error);
/* (nullable) (transfer none): the created_by of the history entry that made layer @i: the i-th
 * entry that is not an empty layer. */
const char *cam_image_config_layer_created_by(const CamImageConfig *self, guint i);
void cam_image_config_free(CamImageConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamImageConfig, cam_image_config_free)

G_END_DECLS
