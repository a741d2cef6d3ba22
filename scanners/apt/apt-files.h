/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/apt/apt-repository.h"
#include "scanners/apt/deb822.h"

G_BEGIN_DECLS

/**
 * CamAptFile: one file of a repository, as an index names it.
 */
typedef struct {
	const CamAptSource *source;
	char *filename; /* below the source's URI */
	char *sha256;	/* hex */
	gint64 size;
	char *path;    /* (nullable): where it stands once it was fetched */
	GError *error; /* (nullable): why it was not */
} CamAptFile;

/* (nullable): NULL without all of them: what has no digest cannot be verified */
CamAptFile *
cam_apt_file_new(const CamAptSource *source, const char *filename, const char *sha256, gint64 size);
void cam_apt_file_free(CamAptFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamAptFile, cam_apt_file_free)

/* Of the source package in the current paragraph of a Sources index: the smallest file that has its
 * debian/ directory. (nullable) */
CamAptFile *cam_apt_file_from_sources(CamDeb822 *paragraph, const CamAptSource *source);

/**
 * cam_apt_files_fetch:
 * @files: (element-type CamAptFile)
 *
 * Fetches and verifies several files at once into the cache; each says itself how it went. Once a
 * few were UNAVAILABLE, so is the rest: a mirror that is down is not asked for hours. The only
 * error of the whole is a cancellation or a cache that cannot be locked.
 */
gboolean cam_apt_files_fetch(const GPtrArray *files, const char *cache, GCancellable *cancellable,
			     GError **error);

G_END_DECLS
