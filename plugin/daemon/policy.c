/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy about containers, as a function of the configuration and of verdicts. */
#include "plugin/daemon/policy.h"

#include <string.h>

static gboolean
exception_fits(const CamPolicyException *exception, const CamVerdict *verdict)
{
	if (exception->image != NULL && !g_pattern_match_simple(exception->image, verdict->name))
		return FALSE;
	return exception->digest == NULL || strcmp(exception->digest, verdict->target) == 0 ||
	       strcmp(exception->digest, verdict->manifest_digest) == 0 ||
	       strcmp(exception->digest, verdict->config_digest) == 0;
}

/* *@ended: one that would have fitted but is over. */
static const CamPolicyException *
find_exception(const CamPolicy *policy, const CamPolicyQuestion *question,
	       const CamPolicyException **ended)
{
	for (guint e = 0; e < policy->exceptions->len; e++) {
		const CamPolicyException *exception = g_ptr_array_index(policy->exceptions, e);

		for (guint v = 0; v < question->verdicts->len; v++) {
			if (!exception_fits(exception, g_ptr_array_index(question->verdicts, v)))
				continue;
			/* ISO dates sort as text does. */
			if (exception->until == NULL ||
			    strcmp(question->today, exception->until) <= 0)
				return exception;
			*ended = exception;
		}
	}
	return NULL;
}

/* The worst that was scanned; among equals one of the namespace. NULL: none was scanned. */
static const CamVerdict *
find_worst(const CamPolicyQuestion *question)
{
	const CamVerdict *worst = NULL;

	for (guint i = 0; i < question->verdicts->len; i++) {
		const CamVerdict *verdict = g_ptr_array_index(question->verdicts, i);
		gboolean here = g_strcmp0(verdict->name_space, question->name_space) == 0;

		if (verdict->scanned_at == 0)
			continue;
		if (worst == NULL || verdict->level > worst->level ||
		    (verdict->level == worst->level && here))
			worst = verdict;
	}
	return worst;
}

static void
append_findings(GString *text, const CamVerdict *verdict)
{
	for (guint i = 0; i < verdict->top->len; i++) {
		const CamVerdictFinding *finding = g_ptr_array_index(verdict->top, i);

		g_string_append_printf(text, "%s%s in %s %s", i == 0 ? "; worst: " : ", ",
				       finding->id, finding->package, finding->installed);
		if (finding->fixed != NULL)
			g_string_append_printf(text, " (fixed in %s)", finding->fixed);
		else
			g_string_append(text, " (no fix yet)");
	}
}

static void
append_ended(GString *text, const CamPolicyException *ended)
{
	if (ended != NULL)
		g_string_append_printf(text, "; the exception '%s' ended on %s", ended->name,
				       ended->until);
}

static char *
say_bad(const CamVerdict *verdict, const CamPolicyException *ended)
{
	GString *text = g_string_new(NULL);
	g_autofree char *counts = cam_verdict_counts_text(verdict);

	g_string_append_printf(text, "policy: %s has the risk level %s (%s)", verdict->name,
			       cam_severity_name(verdict->level), counts);
	append_findings(text, verdict);
	append_ended(text, ended);
	g_string_append_printf(text,
			       "; run 'cambium fix containerd://%s/%s' and use the fixed image, or "
			       "grant an exception for digest %s in cambium.conf",
			       verdict->name_space, verdict->name, verdict->manifest_digest);
	return g_string_free(text, FALSE);
}

static char *
say_not_judged(const CamPolicyQuestion *question, const CamVerdict *unjudged,
	       const CamPolicyException *ended)
{
	const CamVerdict *known = unjudged;
	GString *text = g_string_new("policy: ");

	if (known == NULL && question->verdicts->len > 0)
		known = g_ptr_array_index(question->verdicts, 0);
	if (known != NULL)
		g_string_append(text, known->name);
	else
		g_string_append_printf(text, "the image with the layers %s", question->chain_id);
	if (unjudged != NULL)
		g_string_append(text, " could not be judged: its system is not one that Cambium "
				      "knows, or the advisory database has nothing about it (see "
				      "'cambium scan' and 'cambium db status')");
	else if (question->scanning)
		g_string_append(text, " is being scanned: try again in a moment");
	else
		g_string_append(text, " was never scanned: pull it again with this snapshotter "
				      "while cambiumd runs, and look into its log");
	append_ended(text, ended);
	if (known != NULL)
		g_string_append_printf(text,
				       "; or grant an exception for digest %s in cambium.conf",
				       known->manifest_digest);
	return g_string_free(text, FALSE);
}

static CamDecision
outcome(const CamPolicy *policy)
{
	return policy->gate == CAM_GATE_ENFORCE ? CAM_DECISION_REFUSE : CAM_DECISION_WARN;
}

CamDecision
cam_policy_decide(const CamPolicy *policy, const CamPolicyQuestion *question, char **text,
		  char **label)
{
	CamSeverity limit = policy->level != 0 ? policy->level : CAM_SEVERITY_HIGH;
	const CamPolicyException *exception, *ended = NULL;
	const CamVerdict *worst = find_worst(question);
	gboolean judged = worst != NULL && worst->level != CAM_SEVERITY_UNKNOWN;

	*text = *label = NULL;
	if (policy->gate == 0 || policy->gate == CAM_GATE_OFF || (judged && worst->level < limit) ||
	    (!judged && policy->never_scanned != CAM_NEVER_SCANNED_REFUSE))
		return CAM_DECISION_ALLOW;
	exception = find_exception(policy, question, &ended);
	if (exception != NULL) {
		*text = g_strdup_printf("policy: exception '%s'%s%s", exception->name,
					exception->reason != NULL ? ": " : "",
					exception->reason != NULL ? exception->reason : "");
		return CAM_DECISION_ALLOW;
	}
	if (judged) {
		g_autofree char *counts = cam_verdict_counts_text(worst);

		*text = say_bad(worst, ended);
		*label = g_strdup_printf("%s: %s", cam_severity_name(worst->level), counts);
	} else {
		*text = say_not_judged(question, worst, ended);
		*label = g_strdup(worst != NULL ? "not judged" : "never scanned");
	}
	return outcome(policy);
}
