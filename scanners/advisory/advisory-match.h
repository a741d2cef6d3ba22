/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"
#include "scanners/advisory/ecosystem.h"
#include "scanners/advisory/version.h"

G_BEGIN_DECLS

/**
 * CamAdvisoryRow: what one record of one source says of one version of a package. Only identities,
 * kind, scope and track are set where it does not affect it.
 */
typedef struct {
	gboolean affected;
	char **identities;
	char *kind; /* of the source */
	CamScope scope;
	guint track; /* rows of one ecosystem have one number */
	char *source;
	char *fixed; /* (nullable) */
	char **aliases;
	char *summary;
	char **references;
	gint64 published, modified;
	CamSeverity severity;
	double score;
	char *vector;
} CamAdvisoryRow;
void cam_advisory_row_free(CamAdvisoryRow *self);

/**
 * cam_advisory_match_rows:
 * @rows: (element-type CamAdvisoryRow): all that is known of one version of one package
 * @build: of the version
 * @compare: (nullable)
 *
 * One match for each identity that affects it, whatever number of records and sources tell of it:
 * the severity of the row that knows most, the lowest fixed version, the names of all.
 *
 * What a changelog says is inferred; a record of the same CVE from anywhere else overrules it,
 * except that a changelog may name the fix that the record does not know yet.
 *
 * Not every row of an identity speaks of the version:
 * - a FIPS build is judged by the FIPS rows alone, where there are any, and is not affected where
 *   one of their tracks has the fix; nothing else is judged by them;
 * - an ESM build is judged by the rows of Ubuntu Pro, where there are any;
 * - another build is judged by the rows of the release, and by those of Ubuntu Pro where the
 *   release has none; a fix that Pro alone has is then marked so;
 * - rows of the whole distribution ("Debian") speak only where nothing is known of the release.
 */
GPtrArray *
cam_advisory_match_rows(const GPtrArray *rows, CamBuild build, CamVersionCompare compare);

#define CAM_ADVISORY_KIND_CHANGELOG "debian-changelog"

G_END_DECLS
