/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/descriptor.h"

G_BEGIN_DECLS

/**
 * CamManifest:
 *
 * An image manifest, OCI or docker schema 2. Parsing is strict about what we use (schemaVersion,
 * config, layers with valid digests and sizes ≥ 0) and keeps all else in @json.
 */
typedef struct {
	char *media_type;
	char *digest; /* of the bytes it was parsed from */
	GBytes *bytes;
	CamDescriptor *config;
	GPtrArray *layers; /* (element-type CamDescriptor), base first */
	JsonObject *json;
} CamManifest;

/* @media_type: (nullable): what the bytes came as. Where the document names one of its own, that
 * one counts; a document of the other kind (an index for a manifest), or one that can be read as
 * both, is refused. */
CamManifest *cam_manifest_parse(GBytes *bytes, const char *media_type, GError **error);
void cam_manifest_free(CamManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamManifest, cam_manifest_free)

G_END_DECLS
