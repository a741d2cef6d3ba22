/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the choice of what shall move: findings, security updates, siblings of the same source, and
 * what the user names. Whether and how it can move is the solver's business; what comes of it is
 * told by plan-result.c.
 */
#include "rebuild/plan/plan-selection.h"

#include <string.h>

static void
add_to_index(GHashTable *index, const char *key, int id)
{
	GArray *ids = g_hash_table_lookup(index, key);

	if (!ids) {
		ids = g_array_new(FALSE, FALSE, sizeof(int));
		g_hash_table_insert(index, (gpointer) key, ids);
	}
	g_array_append_val(ids, id);
}

static GHashTable *
index_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_array_unref);
}

void
cam_plan_selection_free(CamPlanSelection *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->by_name);
	g_hash_table_unref(self->by_source);
	g_hash_table_unref(self->targets);
	g_ptr_array_unref(self->jobs);
	g_free(self);
}

/* ---- what is wanted ---- */

static gboolean
names_finding(const char *wanted, const CamFinding *finding)
{
	return g_strcmp0(wanted, finding->id) == 0 || g_strcmp0(wanted, finding->package) == 0 ||
	       g_strcmp0(wanted, finding->source_package) == 0 ||
	       (finding->aliases &&
		g_strv_contains((const char *const *) finding->aliases, wanted));
}

gboolean
cam_plan_selection_wants(const CamPlanSelection *self, const CamFinding *finding)
{
	if (!self->options->only)
		return TRUE;
	for (guint i = 0; self->options->only[i]; i++)
		if (names_finding(self->options->only[i], finding))
			return TRUE;
	return FALSE;
}

GArray *
cam_plan_selection_get_affected(const CamPlanSelection *self, const CamFinding *finding)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(int));
	GArray *named =
		finding->package ? g_hash_table_lookup(self->by_name, finding->package) : NULL;

	for (guint i = 0; named && i < named->len; i++) {
		CamSolvable package;

		cam_solver_describe(self->solver, g_array_index(named, int, i), &package);
		if (!finding->architecture ||
		    g_str_equal(finding->architecture, package.architecture))
			g_array_append_val(out, package.id);
	}
	/* A finding that names the source alone is about all that was built from it. */
	if (out->len == 0 && !named && finding->source_package) {
		GArray *group = g_hash_table_lookup(self->by_source, finding->source_package);

		if (group)
			g_array_append_vals(out, group->data, group->len);
	}
	return out;
}

/* ---- targets ---- */

static void
add_target(CamPlanSelection *self, int installed, CamTargetKind kind, GArray *choices,
	   int sibling_of)
{
	CamTarget *target = g_hash_table_lookup(self->targets, GINT_TO_POINTER(installed));

	if (choices->len == 0 || (target && target->kind >= kind))
		return;
	if (!target) {
		target = g_new0(CamTarget, 1);
		target->job = cam_solver_job_new(installed, 0);
		g_hash_table_insert(self->targets, GINT_TO_POINTER(installed), target);
	}
	target->kind = kind;
	target->sibling_of = sibling_of;
	target->job->weight = (int) kind;
	g_array_set_size(target->job->choices, 0);
	g_array_append_vals(target->job->choices, choices->data, choices->len);
}

/* The candidates of a package that may move at all. */
static GArray *
movable(CamPlanSelection *self, int installed)
{
	CamSolvable package;

	cam_solver_describe(self->solver, installed, &package);
	if (package.held)
		return g_array_new(FALSE, FALSE, sizeof(int));
	return cam_solver_get_candidates(self->solver, installed);
}

static gboolean
fixes(CamPlanSelection *self, int id, const char *fixed_version)
{
	CamSolvable package;

	cam_solver_describe(self->solver, id, &package);
	return cam_version_compare_deb(package.source_version, fixed_version) >= 0;
}

static void
drop_below(CamPlanSelection *self, GArray *choices, const char *fixed_version)
{
	for (guint i = choices->len; i-- > 0;)
		if (!fixes(self, g_array_index(choices, int, i), fixed_version))
			g_array_remove_index(choices, i);
}

/* Findings of one package may want different versions: it must reach the highest that can be
 * reached, and what is out of reach does not stand in the way of the rest. */
static void
target_finding(CamPlanSelection *self, int installed, const char *fixed_version)
{
	CamTarget *target = g_hash_table_lookup(self->targets, GINT_TO_POINTER(installed));
	g_autoptr(GArray) choices = NULL;

	if (target && target->kind == CAM_TARGET_FINDING) {
		choices = g_array_copy(target->job->choices);
		drop_below(self, choices, fixed_version);
		if (choices->len > 0)
			g_array_set_size(target->job->choices, 0);
		g_array_append_vals(target->job->choices, choices->data, choices->len);
		return;
	}
	choices = movable(self, installed);
	drop_below(self, choices, fixed_version);
	add_target(self, installed, CAM_TARGET_FINDING, choices, 0);
}

static gboolean
is_fixable(const CamFinding *finding)
{
	return finding->kind != CAM_FINDING_END_OF_LIFE && finding->state == CAM_STATE_FIXED &&
	       finding->fixed_version;
}

static void
target_findings(CamPlanSelection *self)
{
	for (guint i = 0; i < self->findings->len; i++) {
		const CamFinding *finding = g_ptr_array_index(self->findings, i);

		if (!is_fixable(finding) || !cam_plan_selection_wants(self, finding))
			continue;

		g_autoptr(GArray) affected = cam_plan_selection_get_affected(self, finding);

		for (guint j = 0; j < affected->len; j++) {
			int id = g_array_index(affected, int, j);

			if (!fixes(self, id, finding->fixed_version))
				target_finding(self, id, finding->fixed_version);
		}
	}
}

static gboolean
is_security(CamPlanSelection *self, int id)
{
	CamSolvable package;

	cam_solver_describe(self->solver, id, &package);
	return g_array_index(self->repositories, CamPlanRepository, package.repository).security;
}

/* Candidates are sorted best first: what stands before the last one of a security suite is newer.
 */
static void
target_updates(CamPlanSelection *self, gboolean all)
{
	const GArray *installed = cam_solver_get_installed(self->solver);

	for (guint i = 0; i < installed->len; i++) {
		int id = g_array_index(installed, int, i);
		g_autoptr(GArray) choices = movable(self, id);
		guint newest = 0;

		if (all)
			add_target(self, id, CAM_TARGET_UPDATE, choices, 0);
		while (newest < choices->len &&
		       !is_security(self, g_array_index(choices, int, newest)))
			newest++;
		if (newest == choices->len)
			continue;
		g_array_set_size(choices, newest + 1);
		add_target(self, id, CAM_TARGET_SECURITY, choices, 0);
	}
}

static gboolean
target_named(CamPlanSelection *self, const char *name)
{
	GArray *groups[] = { g_hash_table_lookup(self->by_name, name),
			     g_hash_table_lookup(self->by_source, name) };

	for (guint g = 0; g < G_N_ELEMENTS(groups); g++)
		for (guint i = 0; groups[g] && i < groups[g]->len; i++) {
			int id = g_array_index(groups[g], int, i);
			g_autoptr(GArray) choices = movable(self, id);

			add_target(self, id, CAM_TARGET_UPDATE, choices, 0);
		}
	return groups[0] || groups[1];
}

static gboolean
target_only(CamPlanSelection *self, GError **error)
{
	for (guint i = 0; self->options->only[i]; i++) {
		const char *wanted = self->options->only[i];
		gboolean known = target_named(self, wanted);

		for (guint j = 0; !known && j < self->findings->len; j++)
			known = names_finding(wanted, g_ptr_array_index(self->findings, j));
		if (!known)
			return cam_set_error(error, CAM_ERROR_NOT_FOUND,
					     "%s is neither a finding of this image nor an "
					     "installed package",
					     wanted);
	}
	return TRUE;
}

/* Or `openssl` would move and `libssl3` stay. */
static void
target_siblings(CamPlanSelection *self)
{
	const GArray *installed = cam_solver_get_installed(self->solver);

	for (guint i = 0; i < installed->len; i++) {
		int id = g_array_index(installed, int, i);
		CamTarget *target = g_hash_table_lookup(self->targets, GINT_TO_POINTER(id));
		CamSolvable package;

		if (!target || target->kind == CAM_TARGET_SIBLING)
			continue;
		cam_solver_describe(self->solver, id, &package);

		GArray *group = g_hash_table_lookup(self->by_source, package.source_name);

		for (guint j = 0; j < group->len; j++) {
			int sibling = g_array_index(group, int, j);
			g_autoptr(GArray) choices = movable(self, sibling);

			if (!g_hash_table_contains(self->targets, GINT_TO_POINTER(sibling)))
				add_target(self, sibling, CAM_TARGET_SIBLING, choices, id);
		}
	}
}

static void
collect_jobs(CamPlanSelection *self)
{
	const GArray *installed = cam_solver_get_installed(self->solver);

	for (guint i = 0; i < installed->len; i++) {
		CamTarget *target = g_hash_table_lookup(
			self->targets, GINT_TO_POINTER(g_array_index(installed, int, i)));

		if (target)
			g_ptr_array_add(self->jobs, target->job);
	}
}

CamPlanSelection *
cam_plan_selection_new(CamSolver *solver, GArray *repositories, const GPtrArray *findings,
		       const CamPlanOptions *options, GError **error)
{
	g_autoptr(CamPlanSelection) self = g_new0(CamPlanSelection, 1);
	const GArray *installed = cam_solver_get_installed(solver);

	self->solver = solver;
	self->repositories = repositories;
	self->findings = findings;
	self->options = options;
	self->by_name = index_new();
	self->by_source = index_new();
	self->targets = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	self->jobs = g_ptr_array_new_with_free_func((GDestroyNotify) cam_solver_job_free);
	for (guint i = 0; i < installed->len; i++) {
		CamSolvable package;

		cam_solver_describe(solver, g_array_index(installed, int, i), &package);
		add_to_index(self->by_name, package.name, package.id);
		add_to_index(self->by_source, package.source_name, package.id);
	}
	target_findings(self);
	if (options->only && !target_only(self, error)) {
		collect_jobs(self);
		return NULL;
	}
	if (!options->only)
		target_updates(self, options->all);
	target_siblings(self);
	collect_jobs(self);
	return g_steal_pointer(&self);
}
