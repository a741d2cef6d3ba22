/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CamRelease: what is known of one release of a distribution.
 */
typedef struct {
	const char *id;		 /* os-release's ID */
	const char *version;	 /* os-release's VERSION_ID */
	const char *codename;	 /* os-release's VERSION_CODENAME */
	const char *ecosystem;	 /* OSV's name */
	const char *end_of_life; /* (nullable): last day of security support, ISO 8601 */
	const char *end_of_lts;	 /* (nullable): last day of free long-term support */
} CamRelease;

/* (nullable): the release of @id with this version, or that this version is a point release of;
 * where there is no version, the one with this codename. */
const CamRelease *cam_release_find(const char *id, const char *version, const char *codename);
/* (nullable): the release that OSV calls so. */
const CamRelease *cam_release_find_ecosystem(const char *ecosystem);

G_END_DECLS
