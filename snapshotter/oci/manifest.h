/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/descriptor.h"

G_BEGIN_DECLS

#define CAM_MANIFEST_MAX_SIZE (4 * 1024 * 1024) /* as containerd and distribution cap it */

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

CamManifest *cam_manifest_parse(GBytes *bytes, const char *media_type, GError **error);
void cam_manifest_free(CamManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamManifest, cam_manifest_free)

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

CamIndex *cam_index_parse(GBytes *bytes, const char *media_type, GError **error);
/* The first descriptor that runs on @platform, attestation manifests passed over.
 * %CAM_ERROR_NOT_FOUND names the platforms that there are. (transfer none) */
const CamDescriptor *cam_index_select(const CamIndex *self, const CamPlatform *platform,
				      GError **error);
void cam_index_free(CamIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamIndex, cam_index_free)

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

/* Canonical bytes of a JSON document we author: no white space, members in insertion order. */
GBytes *cam_json_to_bytes(JsonObject *object);
/* A deep copy to edit. */
JsonObject *cam_json_object_copy(JsonObject *object);
/* Parses one JSON object of at most @max_size bytes (and a nesting of at most 64). */
JsonObject *cam_json_parse_object(GBytes *bytes, gsize max_size, GError **error);
/* Typed, total getters: %NULL, -1 or FALSE where the member is absent or of another type. */
const char *cam_json_get_string(JsonObject *object, const char *member);
gint64 cam_json_get_int(JsonObject *object, const char *member, gint64 fallback);
JsonObject *cam_json_get_object(JsonObject *object, const char *member);
JsonArray *cam_json_get_array(JsonObject *object, const char *member);

G_END_DECLS
