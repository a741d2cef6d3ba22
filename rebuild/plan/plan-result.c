/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what becomes of a selection: which packages move and why, and why what could not be fixed
 * could not.
 */
#include "rebuild/plan/plan-selection.h"

/* The findings named in a reason; the rest is counted. All of them are in `closes`. */
#define REASON_MAX_IDS 3

/* What is there after the plan: id of the installed package → id of what takes its place. */
static int
outcome(GHashTable *moved, int installed)
{
	int id = GPOINTER_TO_INT(g_hash_table_lookup(moved, GINT_TO_POINTER(installed)));

	return id ? id : installed;
}

static gboolean
is_fixed_by(CamPlanSelection *self, int id, const CamFinding *finding)
{
	CamSolvable package;

	cam_solver_describe(self->solver, id, &package);
	return finding->fixed_version &&
	       cam_version_compare_deb(package.source_version, finding->fixed_version) >= 0;
}

/* ---- why it moves ---- */

static char **
list_closed(CamPlanSelection *self, const CamSolverStep *step)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; step->replaces && i < self->findings->len; i++) {
		const CamFinding *finding = g_ptr_array_index(self->findings, i);

		if (finding->kind == CAM_FINDING_END_OF_LIFE ||
		    !is_fixed_by(self, step->id, finding))
			continue;

		g_autoptr(GArray) affected = cam_plan_selection_get_affected(self, finding);

		for (guint j = 0; j < affected->len; j++)
			if (g_array_index(affected, int, j) == step->replaces &&
			    g_hash_table_add(seen, finding->id))
				g_strv_builder_add(builder, finding->id);
	}
	return g_strv_builder_end(builder);
}

static char *
reason_fixes(char **closes)
{
	GString *out = g_string_new("fixes ");
	guint n = g_strv_length(closes);

	for (guint i = 0; i < MIN(n, REASON_MAX_IDS); i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", closes[i]);
	if (n > REASON_MAX_IDS)
		g_string_append_printf(out, " and %u more", n - REASON_MAX_IDS);
	return g_string_free(out, FALSE);
}

static char *
reason_named(CamPlanSelection *self, const char *format, int id)
{
	CamSolvable package;
	g_autoptr(GString) text = g_string_new(format);

	if (!id)
		return g_strdup("needed by another package");
	cam_solver_describe(self->solver, id, &package);
	g_string_replace(text, "%", package.name, 1);
	return g_strdup(text->str);
}

static char *
reason_for(CamPlanSelection *self, const CamSolverStep *step, char **closes)
{
	const CamTarget *target =
		step->replaces ? g_hash_table_lookup(self->targets, GINT_TO_POINTER(step->replaces))
			       : NULL;

	if (*closes)
		return reason_fixes(closes);
	if (!target || target->job->refused)
		return reason_named(self, "needed by %", step->required_by);
	switch (target->kind) {
	case CAM_TARGET_UPDATE:
	case CAM_TARGET_FINDING: /* closes nothing after all: it was refused, or is another's */
		break;
	case CAM_TARGET_SIBLING:
		return reason_named(self, "same source as %", target->sibling_of);
	case CAM_TARGET_SECURITY:
		return g_strdup("security update");
	}
	return g_strdup("update");
}

static char **
list_needs(CamPlanSelection *self, int id, const GArray *steps)
{
	g_autoptr(GArray) needs = cam_solver_get_needs(self->solver, id, steps);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < needs->len; i++) {
		CamSolvable package;
		g_autofree char *key = NULL;

		cam_solver_describe(self->solver, g_array_index(needs, int, i), &package);
		key = g_strdup_printf("%s:%s", package.name, package.architecture);
		g_strv_builder_add(builder, key);
	}
	return g_strv_builder_end(builder);
}

static gboolean
add_planned(CamPlanSelection *self, CamFixPlan *plan, const CamSolverStep *step,
	    const GArray *steps, GError **error)
{
	CamPlannedPackage *planned = g_new0(CamPlannedPackage, 1);
	CamSolvable package, old = { 0 };

	g_ptr_array_add(plan->packages, planned);
	cam_solver_describe(self->solver, step->id, &package);
	if (step->replaces)
		cam_solver_describe(self->solver, step->replaces, &old);

	const CamPlanRepository *repository =
		&g_array_index(self->repositories, CamPlanRepository, package.repository);

	planned->name = g_strdup(package.name);
	planned->architecture = g_strdup(package.architecture);
	planned->source_name = g_strdup(package.source_name);
	planned->from = g_strdup(old.version);
	planned->to = g_strdup(package.version);
	planned->origin = repository->source;
	planned->security = repository->security;
	planned->closes = list_closed(self, step);
	planned->needs = list_needs(self, step->id, steps);
	planned->reason = reason_for(self, step, planned->closes);
	if (!cam_solver_get_file(self->solver, step->id, &planned->filename, &planned->sha256,
				 &planned->size, error))
		return FALSE;
	plan->download_size += (guint64) planned->size;
	return TRUE;
}

/* ---- why it does not ---- */

static gboolean
has_fixing_candidate(CamPlanSelection *self, int installed, const CamFinding *finding)
{
	g_autoptr(GArray) candidates = cam_solver_get_candidates(self->solver, installed);

	for (guint i = 0; i < candidates->len; i++)
		if (is_fixed_by(self, g_array_index(candidates, int, i), finding))
			return TRUE;
	return FALSE;
}

static CamUnfixable *
unmoved(CamPlanSelection *self, int installed, const CamFinding *finding)
{
	const CamTarget *target = g_hash_table_lookup(self->targets, GINT_TO_POINTER(installed));
	CamSolvable package;

	cam_solver_describe(self->solver, installed, &package);
	if (!package.held && !cam_solver_is_offered(self->solver, installed))
		return cam_unfixable_new(finding, CAM_OPEN_OTHER_ORIGIN,
					 "no repository offers the package: it is of a third party "
					 "or of another release");
	if (!has_fixing_candidate(self, installed, finding))
		return cam_unfixable_new(finding, CAM_OPEN_NOT_OFFERED,
					 "no fixed version in the repositories");
	if (package.held)
		return cam_unfixable_new(finding, CAM_OPEN_HELD,
					 "held: the image marks the package as not to be changed");
	return cam_unfixable_new(finding, CAM_OPEN_DEPENDENCIES,
				 target && target->job->refused
					 ? target->job->refused
					 : "the fixed version was not chosen");
}

/* NULL: the plan fixes it. */
static CamUnfixable *
judge_finding(CamPlanSelection *self, GHashTable *moved, const CamFinding *finding)
{
	if (finding->kind == CAM_FINDING_END_OF_LIFE || finding->state == CAM_STATE_END_OF_LIFE)
		return cam_unfixable_new(finding, CAM_OPEN_END_OF_LIFE,
					 "end of life: the release gets no fixes any more, "
					 "move to a supported one");
	if (finding->state == CAM_STATE_FIXED_IN_PRO)
		return cam_unfixable_new(finding, CAM_OPEN_PAID,
					 "the fixed version is in Ubuntu Pro only");
	if (finding->state == CAM_STATE_NOT_FIXED || !finding->fixed_version)
		return cam_unfixable_new(finding, CAM_OPEN_NO_FIX, "no fixed version exists yet");

	g_autoptr(GArray) affected = cam_plan_selection_get_affected(self, finding);

	if (affected->len == 0)
		return cam_unfixable_new(finding, CAM_OPEN_NOT_OURS,
					 "not in the package database that is fixed");
	for (guint i = 0; i < affected->len; i++) {
		int id = g_array_index(affected, int, i);

		if (!is_fixed_by(self, outcome(moved, id), finding))
			return unmoved(self, id, finding);
	}
	return NULL;
}

static void
judge_findings(CamPlanSelection *self, CamFixPlan *plan, GHashTable *moved)
{
	for (guint i = 0; i < self->findings->len; i++) {
		const CamFinding *finding = g_ptr_array_index(self->findings, i);
		CamUnfixable *open = judge_finding(self, moved, finding);

		if (!open)
			cam_fix_plan_add_fix(plan, finding);
		else if (cam_plan_selection_wants(self, finding))
			g_ptr_array_add(plan->unfixable, open);
		else
			cam_unfixable_free(open);
	}
}

gboolean
cam_plan_selection_run(CamPlanSelection *self, CamFixPlan *plan, GError **error)
{
	g_autoptr(GHashTable) moved = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) steps = cam_solver_run(self->solver, self->jobs, error);

	if (!steps)
		return FALSE;
	for (guint i = 0; i < steps->len; i++) {
		const CamSolverStep *step = &g_array_index(steps, CamSolverStep, i);

		if (step->replaces)
			g_hash_table_insert(moved, GINT_TO_POINTER(step->replaces),
					    GINT_TO_POINTER(step->id));
		if (!add_planned(self, plan, step, steps, error))
			return FALSE;
	}
	judge_findings(self, plan, moved);
	return TRUE;
}
