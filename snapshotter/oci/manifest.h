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

/**
 * cam_manifest_media_type:
 * @hint: (nullable): what the bytes came as, from a registry that may call it anything
 *
 * What a document is: its own mediaType decides; without one exactly one of "manifests" and
 * "config" or "layers" must be there, and @hint must not contradict it.
 *
 * Returns: (transfer full): a media type; %CAM_ERROR_INVALID_ARGUMENT where a document can be read
 *     as both, or as none
 */
char *cam_manifest_media_type(GBytes *bytes, const char *hint, GError **error);

/* (transfer full): the same of bytes that are not verified yet: what cannot be told is called a
 * manifest, and its parser will say why it is none. */
char *cam_manifest_guess_media_type(GBytes *bytes);

/* @media_type: (nullable): what the bytes came as. Where the document names one of its own, that
 * one counts; a document of the other kind (an index for a manifest), or one that can be read as
 * both, is refused. */
CamManifest *cam_manifest_parse(GBytes *bytes, const char *media_type, GError **error);
void cam_manifest_free(CamManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamManifest, cam_manifest_free)

G_END_DECLS
