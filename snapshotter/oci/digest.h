/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/*
 * Digests are strings in OCI's form, `algorithm:hex` ("sha256:e3b0…"), everywhere but in tables
 * of many: there they are CamSha256, 32 raw bytes.
 */

#define CAM_SHA256_SIZE 32

typedef struct {
	guint8 bytes[CAM_SHA256_SIZE];
} CamSha256;

gboolean cam_digest_is_valid(const char *digest);

/**
 * cam_digest_check:
 *
 * Returns: TRUE if @digest is a well-formed sha256 or sha512 digest (OCI image-spec,
 *     descriptor.md, "Digests"); otherwise FALSE with %CAM_ERROR_INVALID_ARGUMENT
 */
gboolean cam_digest_check(const char *digest, GError **error);

/* The part after the colon. @digest must be valid. */
const char *cam_digest_hex(const char *digest);

char *cam_digest_for_data(gconstpointer data, gsize size);
char *cam_digest_for_bytes(GBytes *bytes);
/* With the algorithm of @like, a valid digest. */
char *cam_digest_like(const char *like, GBytes *bytes);

/* sha256 only; a digest of another algorithm is %CAM_ERROR_INVALID_ARGUMENT */
gboolean cam_digest_to_sha256(const char *digest, CamSha256 *out, GError **error);
char *cam_sha256_to_digest(const CamSha256 *sha256);
void cam_sha256_to_hex(const CamSha256 *sha256, char hex[65]);
gboolean cam_sha256_from_hex(const char *hex, CamSha256 *out);

/**
 * cam_chain_id:
 * @parent: (nullable): chainID of the layers below
 * @diff_id: digest of the layer's uncompressed tar
 *
 * The chainID of OCI image-spec, config.md, "Layer ChainID".
 */
char *cam_chain_id(const char *parent, const char *diff_id);

/**
 * CamHasher:
 *
 * A running digest (OpenSSL). Not thread-safe; one owner.
 */
typedef struct _CamHasher CamHasher;

CamHasher *cam_hasher_new(void); /* sha256 */
/* The algorithm of @digest: "sha256:…" or "sha512:…" */
CamHasher *cam_hasher_new_for(const char *digest, GError **error);
void cam_hasher_update(CamHasher *self, gconstpointer data, gsize size);
/* May be called once. */
char *cam_hasher_finish(CamHasher *self);
void cam_hasher_finish_sha256(CamHasher *self, CamSha256 *out);
void cam_hasher_free(CamHasher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamHasher, cam_hasher_free)

G_END_DECLS
