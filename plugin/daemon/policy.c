/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy about containers, as a function of the configuration and of verdicts. */
#include "plugin/daemon/policy.h"

#include <string.h>

#include "plugin/settings.h"

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

/* ---- what is known ---- */

/* A verdict, and what the policy makes of it. */
typedef struct {
	const CamVerdict *verdict; /* (nullable): no image with these layers was scanned */
	CamGateOutcome outcome;
	gboolean passes;
} Judged;

static gboolean
all_accepted(const CamVerdict *verdict, const GPtrArray *acceptances, const char *today)
{
	for (guint i = 0; i < verdict->unjudged->len; i++)
		if (cam_acceptance_find(acceptances, g_ptr_array_index(verdict->unjudged, i),
					today) == NULL)
			return FALSE;
	return TRUE;
}

static Judged
judge(const CamConfig *config, const CamVerdict *verdict, const char *today)
{
	const CamPolicy *policy = &config->policy;
	CamGateRule rule = cam_settings_gate_rule(
		config, cam_settings_level(policy->level, CAM_SEVERITY_HIGH));
	CamTally tally = verdict->tally;
	Judged judged = { .verdict = verdict };

	rule.ignore_unfixed = policy->unfixed == CAM_UNFIXED_IGNORE;
	rule.require_unfixed_judged = policy->unfixed == CAM_UNFIXED_REQUIRE;
	tally.fixes_judged = verdict->whole && all_accepted(verdict, policy->acceptances, today);
	judged.passes = cam_gate_passes(&tally, &rule, &judged.outcome);
	return judged;
}

/* Whether it does not pass for what was found, not for what was not. */
static gboolean
is_bad(const Judged *judged)
{
	return judged->outcome.pending > 0 || judged->outcome.unfixed > 0 ||
	       judged->outcome.end_of_life;
}

static int
badness(const Judged *judged)
{
	if (is_bad(judged))
		return 100 + (int) judged->verdict->level;
	return judged->passes ? 1 : 2;
}

/* Of the names of equal images: one of the namespace, and one for people. */
static int
fitness(const CamPolicyQuestion *question, const CamVerdict *verdict)
{
	return (g_strcmp0(verdict->name_space, question->name_space) == 0 ? 2 : 0) +
	       (cam_digest_is_valid(verdict->name) ? 0 : 1);
}

/* The worst that was scanned; among equals the one with the best name. */
static Judged
find_worst(const CamConfig *config, const CamPolicyQuestion *question)
{
	Judged worst = { 0 };

	for (guint i = 0; i < question->verdicts->len; i++) {
		const CamVerdict *verdict = g_ptr_array_index(question->verdicts, i);
		Judged judged;

		if (verdict->scanned_at == 0)
			continue;
		judged = judge(config, verdict, question->today);
		if (worst.verdict == NULL || badness(&judged) > badness(&worst) ||
		    (badness(&judged) == badness(&worst) &&
		     fitness(question, verdict) > fitness(question, worst.verdict)))
			worst = judged;
	}
	return worst;
}

/* ---- saying it ---- */

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
			g_string_append(text, " (no published fix)");
	}
}

static void
append_ended(GString *text, const CamPolicyException *ended)
{
	if (ended != NULL)
		g_string_append_printf(text, "; the exception '%s' ended on %s", ended->name,
				       ended->until);
}

/* What 'cambium fix' understands: not all that containerd takes for a name. */
static void
append_location(GString *text, const CamVerdict *verdict)
{
	g_autoptr(CamReference) reference = cam_reference_parse(verdict->name, NULL);

	if (reference != NULL)
		g_string_append_printf(text, "containerd://%s/%s", verdict->name_space,
				       verdict->name);
	else
		g_string_append(text, verdict->store_name != NULL ? verdict->store_name
								  : verdict->manifest_digest);
}

/* What helps: a fix moves no release that has ended, and nothing that has no published fix. */
static void
append_way_out(GString *text, const Judged *judged)
{
	const CamGateOutcome *outcome = &judged->outcome;

	if (outcome->pending > 0) {
		g_string_append(text, "; run 'cambium fix ");
		append_location(text, judged->verdict);
		g_string_append(text, outcome->end_of_life ? "'" : "' and use the fixed image");
	}
	if (outcome->end_of_life)
		g_string_append_printf(text, "%s build the image from a release that is supported",
				       outcome->pending > 0 ? " for now, and" : ";");
	g_string_append_printf(text, "%s grant an exception for digest %s in cambium.conf",
			       outcome->pending > 0 || outcome->end_of_life ? ", or" : ";",
			       judged->verdict->manifest_digest);
}

static char *
say_bad(const Judged *judged, const CamPolicyException *ended)
{
	const CamVerdict *verdict = judged->verdict;
	GString *text = g_string_new(NULL);
	g_autofree char *counts = cam_verdict_counts_text(verdict);
	g_autofree char *why = cam_gate_outcome_text(&judged->outcome);

	g_string_append_printf(text, "policy: %s has the risk level %s (%s); not allowed: %s",
			       verdict->name, cam_severity_name(verdict->level), counts, why);
	append_findings(text, verdict);
	append_ended(text, ended);
	append_way_out(text, judged);
	return g_string_free(text, FALSE);
}

#define SHOWN_NAMES 3

static void
append_unjudged(GString *text, const Judged *judged)
{
	const CamVerdict *verdict = judged->verdict;
	g_autoptr(GPtrArray) groups = cam_unjudged_group(verdict->unjudged);

	for (guint i = 0; i < groups->len; i++) {
		const CamUnjudgedGroup *group = g_ptr_array_index(groups, i);

		g_string_append_printf(text, "%s%u of %u packages %s (", i > 0 ? ", " : "",
				       group->packages->len, verdict->n_packages, group->reason);
		for (guint p = 0; p < MIN(group->packages->len, SHOWN_NAMES); p++)
			g_string_append_printf(text, "%s%s", p > 0 ? ", " : "",
					       (const char *) group->packages->pdata[p]);
		g_string_append(text, group->packages->len > SHOWN_NAMES ? ", …)" : ")");
	}
	if (!verdict->whole)
		g_string_append_printf(text,
				       "%sits system is not one that Cambium knows, or parts of "
				       "it could not be read",
				       groups->len > 0 ? ", " : "");
	if (judged->outcome.unfixed_unjudged)
		g_string_append_printf(text, "%sno source tells of vulnerabilities without a fix",
				       groups->len > 0 || !verdict->whole ? ", " : "");
}

static char *
say_not_judged(const CamPolicyQuestion *question, const Judged *worst,
	       const CamPolicyException *ended)
{
	const CamVerdict *known = worst->verdict;
	GString *text = g_string_new("policy: ");

	if (known == NULL && question->verdicts->len > 0)
		known = g_ptr_array_index(question->verdicts, 0);
	if (known != NULL)
		g_string_append(text, known->name);
	else
		g_string_append_printf(text, "the image with the layers %s", question->chain_id);
	if (worst->verdict != NULL) {
		g_string_append(text, " could not be judged: ");
		append_unjudged(text, worst);
		g_string_append(text, question->scanning
					      ? "; it is being looked up: try again in a moment"
					      : " (see 'cambium scan' and 'cambium db status')");
	} else if (question->scanning) {
		g_string_append(text, " is being scanned: try again in a moment");
	} else {
		g_string_append(text, " was never scanned: pull it again with this snapshotter "
				      "while cambiumd runs, and look into its log");
	}
	append_ended(text, ended);
	if (known != NULL)
		g_string_append_printf(text,
				       "; or grant an exception for digest %s in cambium.conf",
				       known->manifest_digest);
	return g_string_free(text, FALSE);
}

void
cam_policy_answer_clear(CamPolicyAnswer *self)
{
	g_clear_pointer(&self->text, g_free);
	g_clear_pointer(&self->label, g_free);
}

static void
refuse(const CamPolicyQuestion *question, const Judged *worst, const CamPolicyException *ended,
       CamPolicyAnswer *answer)
{
	answer->unjudged = worst->verdict == NULL || !is_bad(worst);
	if (answer->unjudged) {
		answer->text = say_not_judged(question, worst, ended);
		answer->label = g_strdup(worst->verdict != NULL ? "not judged" : "never scanned");
	} else {
		g_autofree char *counts = cam_verdict_counts_text(worst->verdict);

		answer->text = say_bad(worst, ended);
		answer->label =
			g_strdup_printf("%s: %s", cam_severity_name(worst->verdict->level), counts);
	}
}

void
cam_policy_decide(const CamConfig *config, const CamPolicyQuestion *question,
		  CamPolicyAnswer *answer)
{
	const CamPolicy *policy = &config->policy;
	const CamPolicyException *exception, *ended = NULL;
	Judged worst = { 0 };

	cam_policy_answer_clear(answer);
	*answer = (CamPolicyAnswer){ .decision = CAM_DECISION_ALLOW };
	if (policy->gate == 0 || policy->gate == CAM_GATE_OFF)
		return;
	worst = find_worst(config, question);
	if (worst.verdict != NULL && worst.passes)
		return;
	if ((worst.verdict == NULL || !is_bad(&worst)) &&
	    policy->never_scanned != CAM_NEVER_SCANNED_REFUSE)
		return;
	exception = find_exception(policy, question, &ended);
	if (exception != NULL) {
		answer->text = g_strdup_printf("policy: exception '%s'%s%s", exception->name,
					       exception->reason != NULL ? ": " : "",
					       exception->reason != NULL ? exception->reason : "");
		return;
	}
	answer->decision =
		policy->gate == CAM_GATE_ENFORCE ? CAM_DECISION_REFUSE : CAM_DECISION_WARN;
	refuse(question, &worst, ended, answer);
}
