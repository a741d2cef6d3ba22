/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/apt/apt-sources.h"

G_BEGIN_DECLS

/**
 * CamAptRelease: a verified Release file.
 */
typedef struct {
	CamAptSource *source;
	char *origin, *label, *suite, *codename;
	char *signers;	    /* (nullable): fingerprints of the keys that vouch for it */
	gint64 date;	    /* seconds since 1970, UTC */
	gint64 valid_until; /* 0: says nothing */
	gboolean by_hash;   /* indexes may be fetched by their digest */
	char *behind;	    /* (nullable): a sentence, where the location serves an older one now,
			     * and may lack files that this one names */
	GHashTable *files;  /* path → sha256 hex and size; internal */
} CamAptRelease;
void cam_apt_release_free(CamAptRelease *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAptRelease, cam_apt_release_free)

/**
 * CamAptRepository:
 *
 * Fetches and verifies apt repositories into a cache: InRelease through gpgv (only gpgv's output is
 * parsed), Valid-Until, index files by hash, packages by the digest that the index names. Used by
 * the changelog advisory source and by the fix stage. What the cache holds and the Release still
 * names is not fetched again. Blocking; to be used by one thread at a time.
 */
#define CAM_TYPE_APT_REPOSITORY (cam_apt_repository_get_type())
G_DECLARE_FINAL_TYPE(CamAptRepository, cam_apt_repository, CAM, APT_REPOSITORY, GObject)

/* @cache: directory, made if absent, e.g. <store>/cache/apt */
CamAptRepository *cam_apt_repository_new(const char *cache, GError **error);

/* Bytes of an index, compressed or not, and of a package, beyond which none is fetched; 0: the
 * defaults, 1 GiB and 4 GiB. */
void cam_apt_repository_set_limits(CamAptRepository *self, gint64 index_size, gint64 package_size);

/**
 * cam_apt_repository_update:
 *
 * Gets and verifies the Release of @source. The newest one of each archive and suite is remembered:
 * where the location answers with an older one, which a lagging mirror does, and so does an
 * attacker, that is told (@progress) and the newest stays in use. A source that is trusted whatever
 * it says, or pinned, has no memory. Errors: NOT_FOUND (no such suite: the release is past
 * its end of life or the mirror lacks it), PERMISSION_DENIED (no valid signature; the message says
 * which keys signed it and which keyring was asked; or not the archive that an image proposes it
 * as), FAILED_PRECONDITION (expired Valid-Until; the clock is behind; gpgv is missing), DATA_LOSS
 * (malformed, or of another suite), UNAVAILABLE.
 */
CamAptRelease *
cam_apt_repository_update(CamAptRepository *self, const CamAptSource *source, CamProgress *progress,
			  GCancellable *cancellable, GError **error);

/* Path, in the cache, of the uncompressed Packages file of one component ("" for a flat
 * repository). NOT_FOUND where the Release names none for this component and architecture. */
char *
cam_apt_repository_get_packages(CamAptRepository *self, const CamAptRelease *release,
				const char *component, const char *architecture,
				CamProgress *progress, GCancellable *cancellable, GError **error);

/* The same of the Sources file. */
char *cam_apt_repository_get_sources(CamAptRepository *self, const CamAptRelease *release,
				     const char *component, CamProgress *progress,
				     GCancellable *cancellable, GError **error);

/* (transfer none): the cache's directory. */
const char *cam_apt_repository_get_cache(CamAptRepository *self);

/* Path, in the cache, of a verified .deb. @filename, @sha256 (hex), @size: as Packages says, which
 * must name all three. */
char *cam_apt_repository_get_deb(CamAptRepository *self, const CamAptSource *source,
				 const char *filename, const char *sha256, gint64 size,
				 CamProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
