/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/unjudged.h"

G_BEGIN_DECLS

/**
 * CamAcceptance: packages that a policy takes as they are although no source judges them: those of
 * a third party's repository.
 *
 * Packages and origins are patterns with * and ?. Where both are given, both must fit. What a
 * source judges is not affected.
 */
typedef struct {
	char *name;
	char **packages; /* (nullable): of source or binary packages */
	char **origins;	 /* (nullable): as the package's own database says */
	char *until;	 /* (nullable): last day, "2030-12-31" */
	char *reason;	 /* (nullable) */
} CamAcceptance;
void cam_acceptance_free(CamAcceptance *self);

/**
 * cam_acceptance_find:
 * @acceptances: (nullable) (element-type CamAcceptance)
 * @today: "2030-12-31", UTC
 *
 * The first that fits all of @unjudged and has not ended; NULL: none. (transfer none)
 */
const CamAcceptance *
cam_acceptance_find(const GPtrArray *acceptances, const CamUnjudged *unjudged, const char *today);

G_END_DECLS
