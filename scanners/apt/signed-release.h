/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/apt/apt-release.h"

G_BEGIN_DECLS

/**
 * CamSignedRelease: a Release file as it travels.
 */
typedef struct {
	GBytes *text; /* an InRelease, or a Release where @signature or nothing vouches for it */
	GBytes *signature; /* (nullable): Release.gpg */
} CamSignedRelease;
CamSignedRelease *cam_signed_release_new(GBytes *text, GBytes *signature);
void cam_signed_release_free(CamSignedRelease *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSignedRelease, cam_signed_release_free)

/* Verifies and parses; a source that is trusted whatever it says is not verified. @directory: for
 * temporary files. Errors are those of signature.h and of cam_apt_release_parse(). */
CamAptRelease *
cam_signed_release_open(const CamSignedRelease *self, const CamAptSource *source,
			const char *directory, GCancellable *cancellable, GError **error);

/**
 * cam_signed_release_keep:
 * @directory: where the newest Release of each archive and suite is kept
 *
 * Keeps @self, durably, as the newest one of @source's. An archive is a URI, since two mirrors of
 * which the machine knows may well hold different things; of locations that images propose all
 * are one, as an image could name another mirror each time.
 */
gboolean cam_signed_release_keep(const CamSignedRelease *self, const CamAptSource *source,
				 const char *directory, GError **error);
/* (nullable): the one that was kept. Whether it still verifies is not known. */
CamSignedRelease *cam_signed_release_recall(const CamAptSource *source, const char *directory);
gboolean cam_signed_release_equal(const CamSignedRelease *a, const CamSignedRelease *b);

G_END_DECLS
