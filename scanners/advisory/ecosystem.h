/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * OSV's names of ecosystems, and which of them speak of one release of a distribution.
 *
 * Canonical names: "Debian:12", "Ubuntu:22.04" (without ":LTS"), "Ubuntu:Pro:22.04" for all that
 * Ubuntu Pro adds to a release, "Ubuntu:Pro:FIPS:22.04" (also FIPS-updates, FIPS-preview) for the
 * builds of its certified modules.
 */

/* What records of an ecosystem say of a release. */
typedef enum {
	CAM_SCOPE_RELEASE,     /* of it */
	CAM_SCOPE_ANY_RELEASE, /* of the distribution: "Debian", the fixed versions are of another
				*/
	CAM_SCOPE_PRO,	       /* of its packages, with fixes that Ubuntu Pro alone has */
	CAM_SCOPE_FIPS,	       /* of builds that Ubuntu Pro alone has */
} CamScope;

typedef struct {
	char *ecosystem; /* canonical */
	CamScope scope;
} CamScopedEcosystem;
void cam_scoped_ecosystem_free(CamScopedEcosystem *self);

/* (transfer full): the canonical name. */
char *cam_ecosystem_normalise(const char *ecosystem);
/* (element-type CamScopedEcosystem): all that speak of @ecosystem, itself first. */
GPtrArray *cam_ecosystem_list_scopes(const char *ecosystem);

/* Which archive of Ubuntu a version was built for. */
typedef enum {
	CAM_BUILD_PLAIN,
	CAM_BUILD_ESM,	/* "…+esm1" */
	CAM_BUILD_FIPS, /* "…+Fips1", "….fips.2.1…", or a package whose name says so */
} CamBuild;
CamBuild cam_build_of(const char *package, const char *version);

G_END_DECLS
