/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fetching a repository needs of its Release file beyond apt-repository.h. */
#pragma once

#include "scanners/apt/apt-repository.h"

G_BEGIN_DECLS

/* A value of CamAptRelease.files. */
typedef struct {
	char sha256[65];
	gint64 size;
} CamAptReleaseFile;

/* Parses what the signature covers. DATA_LOSS if it is no Release file. */
CamAptRelease *
cam_apt_release_parse(const CamAptSource *source, const char *data, gsize size, GError **error);

/* Whether this is the Release that was asked for: a mirror could answer with the well-signed one of
 * another suite (DATA_LOSS) or, where an image proposes it, archive (PERMISSION_DENIED). */
gboolean cam_apt_release_check_identity(const CamAptRelease *self, GError **error);

/* Whether it is of now. @now: seconds since 1970. FAILED_PRECONDITION. */
gboolean cam_apt_release_check(const CamAptRelease *self, gint64 now, GError **error);

/* (nullable) */
const CamAptReleaseFile *cam_apt_release_find(const CamAptRelease *self, const char *path);

/* Where the Release file lies below the URI: "dists/bookworm/"; "" or a directory if it is flat. */
char *cam_apt_source_get_base(const CamAptSource *self);
/* URL of a path below the source's URI; file: and copy: become file://. INVALID_ARGUMENT if it
 * leads out or if the scheme is one that is not read. */
char *cam_apt_source_get_url(const CamAptSource *self, const char *path, GError **error);

/* "Sat, 09 Aug 2025 08:37:01 UTC" as Release files write it, or 0. */
gint64 cam_apt_date_parse(const char *text);
/* "2025-08-09 08:37 UTC" */
char *cam_apt_date_format(gint64 seconds);

G_END_DECLS
