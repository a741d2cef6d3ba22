/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"

G_BEGIN_DECLS

/**
 * CamStoreRelease: one release and architecture that images of the store have, with what they have
 * of it.
 */
typedef struct {
	CamOsRelease *os;     /* whose archive the packages come from: of a derivative, its base */
	char *architecture;   /* dpkg's name of it */
	GPtrArray *sources;   /* (nullable) (element-type CamAptSource) */
	GError *no_sources;   /* (nullable): why there are none */
	gboolean settled;     /* no further image changes the sources */
	GHashTable *packages; /* source package → CamPackage with the lowest version of it */
} CamStoreRelease;

/**
 * cam_store_releases_collect:
 * @repo: (nullable): what --repo said
 *
 * Reads all images of the store. One that cannot be read is named in a warning and left out, one
 * whose distribution has no changelogs in a note; what an image has too much of is left out, too.
 *
 * Returns: (transfer full) (element-type CamStoreRelease)
 */
GPtrArray *cam_store_releases_collect(CamCli *cli, const GPtrArray *repo, GError **error);

/* (transfer container) (element-type CamPackage) */
GPtrArray *cam_store_release_list_packages(const CamStoreRelease *self);

G_END_DECLS
