/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"

G_BEGIN_DECLS

/**
 * CamTally: what a scan comes to, whatever its options hide, on two axes.
 *
 * Fixes: what a published version fixes, which an upgrade closes. Unfixed: what no published
 * version fixes yet, which only some sources tell of.
 */
typedef struct {
	guint pending[CAM_SEVERITY_CRITICAL + 1]; /* findings that a published version fixes */
	guint unfixed[CAM_SEVERITY_CRITICAL + 1]; /* findings that none fixes */
	gboolean end_of_life;			  /* the release itself is a finding of its own */
	gboolean fixes_judged; /* "no pending fix" means something of every package, or is accepted
				*/
	gboolean unfixed_judged; /* so does "nothing unfixed" */
} CamTally;

/* Of a release that has no security support any more. */
#define CAM_SEVERITY_OF_END_OF_LIFE CAM_SEVERITY_HIGH

guint cam_tally_count_pending(const CamTally *self);
guint cam_tally_count_unfixed(const CamTally *self);

/* The order of severities: unknown is just below the severity that it counts as, and above none. */
int cam_severity_rank(CamSeverity severity, CamSeverity unknown_counts_as);

/**
 * cam_risk_level:
 *
 * The risk level of an image: the worst of its findings' severities, one that is unknown taken as
 * @unknown_counts_as, and %CAM_SEVERITY_NONE without findings; but where something was not judged
 * on the axis of fixes, at best %CAM_SEVERITY_UNKNOWN (by cam_severity_rank()).
 */
CamSeverity cam_risk_level(const CamTally *tally, CamSeverity unknown_counts_as);

/**
 * CamGateRule: what may not pass a gate.
 */
typedef struct {
	CamSeverity level;	       /* this and worse; UNKNOWN: what is unknown, and worse */
	CamSeverity unknown_counts_as; /* of a finding that no version fixes */
	CamSeverity unknown_pending_counts_as; /* of one that a published version fixes */
	gboolean ignore_unfixed;	       /* only what a published version fixes counts */
	gboolean require_unfixed_judged;       /* a source must tell of what has no fix */
} CamGateRule;

typedef struct {
	guint pending, unfixed; /* findings that do not pass */
	gboolean end_of_life;	/* the release does not */
	gboolean fixes_unjudged, unfixed_unjudged;
} CamGateOutcome;

/* Whether an image passes; @out says why not. What was not judged on the axis of fixes never does.
 */
gboolean cam_gate_passes(const CamTally *tally, const CamGateRule *rule, CamGateOutcome *out);
/* (transfer full): of one that does not: "3 findings that a published version fixes, …" */
char *cam_gate_outcome_text(const CamGateOutcome *self);

G_END_DECLS
