/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the counts of a scan to a risk level, and to whether a gate lets the image pass. Pure
 * functions: command line and daemon decide by them alone. The formulas are explained in
 * scanners/README.md.
 */
#include "scanners/engine/risk.h"

static guint
sum(const guint *counts)
{
	guint n = 0;

	for (int severity = CAM_SEVERITY_UNKNOWN; severity <= CAM_SEVERITY_CRITICAL; severity++)
		n += counts[severity];
	return n;
}

guint
cam_tally_count_pending(const CamTally *self)
{
	return sum(self->pending);
}

guint
cam_tally_count_unfixed(const CamTally *self)
{
	return sum(self->unfixed);
}

/* Twice the severity leaves room for "unknown" below each. */
int
cam_severity_rank(CamSeverity severity, CamSeverity unknown_counts_as)
{
	if (severity != CAM_SEVERITY_UNKNOWN)
		return 2 * (int) severity;
	return MAX(2 * (int) unknown_counts_as - 1, 2 * (int) CAM_SEVERITY_NONE + 1);
}

static CamSeverity
worst(const guint *counts, CamSeverity unknown_counts_as)
{
	CamSeverity found = CAM_SEVERITY_NONE;

	for (int severity = CAM_SEVERITY_NONE; severity <= CAM_SEVERITY_CRITICAL; severity++)
		if (counts[severity] > 0)
			found = (CamSeverity) severity;
	return counts[CAM_SEVERITY_UNKNOWN] > 0 ? MAX(found, unknown_counts_as) : found;
}

CamSeverity
cam_risk_level(const CamTally *tally, CamSeverity unknown_counts_as)
{
	CamSeverity level = MAX(worst(tally->pending, unknown_counts_as),
				worst(tally->unfixed, unknown_counts_as));

	if (tally->end_of_life)
		level = MAX(level, CAM_SEVERITY_OF_END_OF_LIFE);
	if (!tally->fixes_judged &&
	    cam_severity_rank(level, unknown_counts_as) <
		    cam_severity_rank(CAM_SEVERITY_UNKNOWN, unknown_counts_as))
		return CAM_SEVERITY_UNKNOWN;
	return level;
}

/* ---- gates ---- */

static guint
count_from(const guint *counts, const CamGateRule *rule, CamSeverity unknown_counts_as)
{
	int limit = cam_severity_rank(rule->level, rule->unknown_counts_as);
	guint n = 0;

	for (int severity = CAM_SEVERITY_NONE; severity <= CAM_SEVERITY_CRITICAL; severity++)
		if (cam_severity_rank((CamSeverity) severity, rule->unknown_counts_as) >= limit)
			n += counts[severity];
	if (rule->level == CAM_SEVERITY_UNKNOWN || unknown_counts_as >= rule->level)
		n += counts[CAM_SEVERITY_UNKNOWN];
	return n;
}

gboolean
cam_gate_passes(const CamTally *tally, const CamGateRule *rule, CamGateOutcome *out)
{
	*out = (CamGateOutcome){
		.pending = count_from(tally->pending, rule, rule->unknown_pending_counts_as),
		.end_of_life =
			tally->end_of_life &&
			cam_severity_rank(CAM_SEVERITY_OF_END_OF_LIFE, rule->unknown_counts_as) >=
				cam_severity_rank(rule->level, rule->unknown_counts_as),
		.fixes_unjudged = !tally->fixes_judged,
		.unfixed_unjudged = rule->require_unfixed_judged && !tally->unfixed_judged,
	};
	if (!rule->ignore_unfixed)
		out->unfixed = count_from(tally->unfixed, rule, rule->unknown_counts_as);
	return out->pending == 0 && out->unfixed == 0 && !out->end_of_life &&
	       !out->fixes_unjudged && !out->unfixed_unjudged;
}

static void
append(GString *text, const char *what)
{
	g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", what);
}

static void
append_count(GString *text, guint n, const char *what)
{
	if (n > 0)
		g_string_append_printf(text, "%s%u finding%s %s", text->len > 0 ? ", " : "", n,
				       n == 1 ? "" : "s", what);
}

char *
cam_gate_outcome_text(const CamGateOutcome *self)
{
	GString *text = g_string_new(NULL);

	append_count(text, self->pending, "that a published version fixes");
	append_count(text, self->unfixed, "without a published fix");
	if (self->end_of_life)
		append(text, "a release without security support");
	if (self->fixes_unjudged)
		append(text, "packages that were not judged");
	if (self->unfixed_unjudged)
		append(text, "no source that tells of vulnerabilities without a fix");
	return g_string_free(text, FALSE);
}
