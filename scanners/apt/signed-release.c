/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Release files with their signatures, and the memory of the newest one of each archive and suite:
 * without it a mirror, or an attacker on the way to it, could answer with one of last year, which
 * is as well signed as today's.
 */
#include "scanners/apt/signed-release.h"

#include <fcntl.h>
#include <string.h>

#include "scanners/apt/signature.h"

#define MAX_KEPT_SIZE (64 * 1024 * 1024)
#define KEPT_TYPE     "(ayay)" /* text, signature */

CamSignedRelease *
cam_signed_release_new(GBytes *text, GBytes *signature)
{
	CamSignedRelease *self = g_new0(CamSignedRelease, 1);

	self->text = g_bytes_ref(text);
	self->signature = signature != NULL ? g_bytes_ref(signature) : NULL;
	return self;
}

void
cam_signed_release_free(CamSignedRelease *self)
{
	if (self == NULL)
		return;
	g_bytes_unref(self->text);
	g_clear_pointer(&self->signature, g_bytes_unref);
	g_free(self);
}

gboolean
cam_signed_release_equal(const CamSignedRelease *a, const CamSignedRelease *b)
{
	return g_bytes_equal(a->text, b->text) &&
	       (a->signature == NULL) == (b->signature == NULL) &&
	       (a->signature == NULL || g_bytes_equal(a->signature, b->signature));
}

/* What the signature covers. */
static GBytes *
verify(const CamSignedRelease *self, const CamAptSource *source, const char *directory,
       char **signers, GCancellable *cancellable, GError **error)
{
	if (source->trusted)
		return g_bytes_ref(self->text);
	if (self->signature == NULL)
		return cam_apt_signature_verify_inline(source, self->text, directory, signers,
						       cancellable, error);
	if (!cam_apt_signature_verify_detached(source, self->text, self->signature, directory,
					       signers, cancellable, error))
		return NULL;
	return g_bytes_ref(self->text);
}

CamAptRelease *
cam_signed_release_open(const CamSignedRelease *self, const CamAptSource *source,
			const char *directory, GCancellable *cancellable, GError **error)
{
	g_autofree char *signers = NULL;
	g_autoptr(GBytes) text = verify(self, source, directory, &signers, cancellable, error);
	CamAptRelease *release;

	if (text == NULL)
		return NULL;
	release = cam_apt_release_parse(source, g_bytes_get_data(text, NULL),
					g_bytes_get_size(text), error);
	if (release != NULL)
		release->signers = g_steal_pointer(&signers);
	return release;
}

/* ---- the newest one ---- */

static char *
kept_path(const CamAptSource *source, const char *directory)
{
	gboolean proposed = source->provenance == CAM_APT_PROPOSED;
	g_autofree char *identity =
		g_strjoin("\n", proposed ? "proposed" : "located",
			  proposed ? source->archive : source->uri, source->suite, NULL);
	g_autofree char *digest = cam_digest_for_data(identity, strlen(identity));
	g_autofree char *shown = g_strdup_printf("%.40s", source->suite);

	g_strcanon(shown, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_", '-');
	return g_strdup_printf("%s/%s_%.16s", directory, shown, cam_digest_hex(digest));
}

static GVariant *
bytes_to_variant(GBytes *bytes)
{
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);

	return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes != NULL ? bytes : nothing,
					TRUE);
}

gboolean
cam_signed_release_keep(const CamSignedRelease *self, const CamAptSource *source,
			const char *directory, GError **error)
{
	GVariant *parts[] = { bytes_to_variant(self->text), bytes_to_variant(self->signature) };
	g_autoptr(GVariant) kept = g_variant_ref_sink(g_variant_new_tuple(parts, 2));
	g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(kept);
	g_autofree char *path = kept_path(source, directory);

	return cam_mkdirs_at(AT_FDCWD, directory, 0755, error) &&
	       cam_write_file_at(AT_FDCWD, path, bytes, 0644, error);
}

CamSignedRelease *
cam_signed_release_recall(const CamAptSource *source, const char *directory)
{
	g_autofree char *path = kept_path(source, directory);
	g_autoptr(GBytes) bytes = cam_read_file_at(AT_FDCWD, path, MAX_KEPT_SIZE, NULL);
	g_autoptr(GVariant) kept = NULL, text = NULL, signature = NULL;
	g_autoptr(GBytes) text_bytes = NULL, signature_bytes = NULL;

	if (bytes == NULL)
		return NULL;
	kept = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(KEPT_TYPE), bytes, FALSE));
	text = g_variant_get_child_value(kept, 0);
	signature = g_variant_get_child_value(kept, 1);
	text_bytes = g_variant_get_data_as_bytes(text);
	signature_bytes = g_variant_get_data_as_bytes(signature);
	return cam_signed_release_new(
		text_bytes, g_bytes_get_size(signature_bytes) > 0 ? signature_bytes : NULL);
}
