/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Digests: their spelling and their computation. The one place that asks OpenSSL for hashes;
 * streams that verify themselves are in verify-stream.c.
 */
#include "snapshotter/oci/digest.h"

#include <openssl/evp.h>
#include <string.h>

typedef struct {
	const char *prefix;
	gsize hex_length;
	const EVP_MD *(*md)(void);
} Algorithm;

/* OCI image-spec, descriptor.md, "Registered algorithms". */
static const Algorithm algorithms[] = {
	{ "sha256:", 64, EVP_sha256 },
	{ "sha512:", 128, EVP_sha512 },
};

struct _CamHasher {
	EVP_MD_CTX *context;
	const Algorithm *algorithm;
};

static const Algorithm *
algorithm_of(const char *digest)
{
	for (gsize i = 0; i < G_N_ELEMENTS(algorithms); i++) {
		const char *hex = digest + strlen(algorithms[i].prefix);

		if (!g_str_has_prefix(digest, algorithms[i].prefix))
			continue;
		/* Upper case would give one digest two spellings: the spec forbids it. */
		return strspn(hex, "0123456789abcdef") == algorithms[i].hex_length &&
				       hex[algorithms[i].hex_length] == '\0'
			       ? &algorithms[i]
			       : NULL;
	}
	return NULL;
}

static void
bytes_to_hex(const guint8 *bytes, gsize size, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (gsize i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
}

gboolean
cam_digest_is_valid(const char *digest)
{
	return digest != NULL && algorithm_of(digest) != NULL;
}

gboolean
cam_digest_check(const char *digest, GError **error)
{
	g_autofree char *shown = NULL;

	if (cam_digest_is_valid(digest))
		return TRUE;
	shown = g_strescape(digest != NULL ? digest : "", NULL);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "\"%.80s\" is no digest: sha256: or sha512: and lower-case hex digits "
			     "are wanted",
			     shown);
}

const char *
cam_digest_hex(const char *digest)
{
	const char *colon = strchr(digest, ':');

	g_return_val_if_fail(colon != NULL, digest);
	return colon + 1;
}

char *
cam_digest_for_data(gconstpointer data, gsize size)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();

	cam_hasher_update(hasher, data, size);
	return cam_hasher_finish(hasher);
}

char *
cam_digest_for_bytes(GBytes *bytes)
{
	gsize size = 0;
	gconstpointer data = g_bytes_get_data(bytes, &size);

	return cam_digest_for_data(data, size);
}

char *
cam_digest_like(const char *like, GBytes *bytes)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new_for(like, NULL);
	gsize size = 0;
	gconstpointer data = g_bytes_get_data(bytes, &size);

	g_return_val_if_fail(hasher != NULL, NULL);
	cam_hasher_update(hasher, data, size);
	return cam_hasher_finish(hasher);
}

gboolean
cam_digest_to_sha256(const char *digest, CamSha256 *out, GError **error)
{
	if (!cam_digest_check(digest, error))
		return FALSE;
	if (!g_str_has_prefix(digest, "sha256:"))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%.20s… is not a sha256 digest", digest);
	return cam_sha256_from_hex(cam_digest_hex(digest), out);
}

char *
cam_sha256_to_digest(const CamSha256 *sha256)
{
	char hex[2 * CAM_SHA256_SIZE + 1];

	cam_sha256_to_hex(sha256, hex);
	return g_strconcat("sha256:", hex, NULL);
}

void
cam_sha256_to_hex(const CamSha256 *sha256, char hex[65])
{
	bytes_to_hex(sha256->bytes, CAM_SHA256_SIZE, hex);
}

gboolean
cam_sha256_from_hex(const char *hex, CamSha256 *out)
{
	if (strspn(hex, "0123456789abcdef") != 2 * CAM_SHA256_SIZE ||
	    hex[2 * CAM_SHA256_SIZE] != '\0')
		return FALSE;
	for (gsize i = 0; i < CAM_SHA256_SIZE; i++)
		out->bytes[i] = (guint8) (g_ascii_xdigit_value(hex[2 * i]) << 4 |
					  g_ascii_xdigit_value(hex[2 * i + 1]));
	return TRUE;
}

char *
cam_chain_id(const char *parent, const char *diff_id)
{
	g_autofree char *both = NULL;

	if (parent == NULL)
		return g_strdup(diff_id);
	both = g_strconcat(parent, " ", diff_id, NULL);
	return cam_digest_for_data(both, strlen(both));
}

/* OpenSSL's digests fail only where memory is out or the library is broken: no caller can go on. */
static void
must(int openssl_result)
{
	if (openssl_result != 1)
		g_error("libcrypto cannot compute a digest");
}

static CamHasher *
hasher_new(const Algorithm *algorithm)
{
	CamHasher *self = g_new0(CamHasher, 1);

	self->algorithm = algorithm;
	self->context = EVP_MD_CTX_new();
	must(self->context != NULL);
	must(EVP_DigestInit_ex(self->context, algorithm->md(), NULL));
	return self;
}

CamHasher *
cam_hasher_new(void)
{
	return hasher_new(&algorithms[0]);
}

CamHasher *
cam_hasher_new_for(const char *digest, GError **error)
{
	return cam_digest_check(digest, error) ? hasher_new(algorithm_of(digest)) : NULL;
}

void
cam_hasher_update(CamHasher *self, gconstpointer data, gsize size)
{
	must(EVP_DigestUpdate(self->context, data, size));
}

char *
cam_hasher_finish(CamHasher *self)
{
	guint8 bytes[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned int size = 0;

	must(EVP_DigestFinal_ex(self->context, bytes, &size));
	bytes_to_hex(bytes, size, hex);
	return g_strconcat(self->algorithm->prefix, hex, NULL);
}

void
cam_hasher_finish_sha256(CamHasher *self, CamSha256 *out)
{
	g_return_if_fail(self->algorithm == &algorithms[0]);
	must(EVP_DigestFinal_ex(self->context, out->bytes, NULL));
}

void
cam_hasher_free(CamHasher *self)
{
	if (self == NULL)
		return;
	EVP_MD_CTX_free(self->context);
	g_free(self);
}
