/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the search: jobs to libsolv and back, giving up jobs that cannot be done, the order of
 * installation, and the words for why something cannot be.
 */
#include "rebuild/plan/solver-private.h"

#include <solv/solver.h>

#include <solv/problems.h>
#include <solv/transaction.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Solver, solver_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transaction, transaction_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Queue, queue_free)

CamSolverJob *
cam_solver_job_new(int installed, int weight)
{
	CamSolverJob *self = g_new0(CamSolverJob, 1);

	self->installed = installed;
	self->weight = weight;
	self->choices = g_array_new(FALSE, FALSE, sizeof(int));
	return self;
}

void
cam_solver_job_free(CamSolverJob *self)
{
	if (!self)
		return;
	g_array_unref(self->choices);
	g_free(self->refused);
	g_free(self);
}

/* ---- words ---- */

static char *
describe_package(CamSolver *self, Id id)
{
	const CamSolvableDetail *detail = cam_solver_detail(self, id);

	return g_strdup_printf("%s %s", pool_id2str(self->pool, detail->name),
			       pool_id2str(self->pool, detail->version));
}

static char *
describe_rule(CamSolver *self, Solver *solver, Id rule)
{
	Id source, target, dependency;
	SolverRuleinfo type = solver_ruleinfo(solver, rule, &source, &target, &dependency);
	g_autofree char *from = source ? describe_package(self, source) : g_strdup("");
	g_autofree char *to = target ? describe_package(self, target) : g_strdup("");
	const char *what = dependency ? pool_dep2str(self->pool, dependency) : "";

	if (type == SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP)
		return g_strdup_printf("%s needs %s, which no repository offers", from, what);
	if (type == SOLVER_RULE_PKG_REQUIRES)
		return g_strdup_printf("%s needs %s, which cannot be installed", from, what);
	if (type == SOLVER_RULE_PKG_CONFLICTS)
		return g_strdup_printf("%s conflicts with %s, which would have to be removed", from,
				       to);
	if (type == SOLVER_RULE_PKG_SAME_NAME)
		return g_strdup_printf("%s and %s exclude each other", from, to);
	if (type == SOLVER_RULE_UPDATE)
		return g_strdup_printf("%s would have to be removed", from);
	return g_strdup(solver_problemruleinfo2str(solver, type, source, target, dependency));
}

/* A held package is a rule too, of a job of ours that is not one of the caller's. */
static char *
describe_problem(CamSolver *self, Solver *solver, Id problem, Queue *rules, int locks)
{
	for (int i = 0; i < rules->count; i++) {
		Id rule = rules->elements[i];

		if (solver_ruleclass(solver, rule) != SOLVER_RULE_JOB)
			continue;

		int index = solver_rule2jobidx(solver, rule) - 1;

		if (index >= 0 && index < 2 * locks) {
			g_autofree char *held =
				describe_package(self, solver->job.elements[index + 1]);

			return g_strdup_printf("%s is held", held);
		}
	}
	return describe_rule(self, solver, solver_findproblemrule(solver, problem));
}

/* ---- jobs ---- */

/* First the locks, then the caller's jobs; @map: which of the caller's jobs an entry is. */
static int
fill_queue(CamSolver *self, GPtrArray *jobs, Queue *queue, GPtrArray *map)
{
	int locks = 0;

	for (guint i = 0; i < self->installed->len; i++) {
		int id = g_array_index(self->installed, int, i);

		if (cam_solver_detail(self, id)->held) {
			queue_push2(queue, SOLVER_LOCK | SOLVER_SOLVABLE, id);
			locks++;
		}
	}
	for (guint i = 0; i < jobs->len; i++) {
		CamSolverJob *job = g_ptr_array_index(jobs, i);
		g_auto(Queue) choices;

		queue_init(&choices);
		if (job->refused)
			continue;
		for (guint j = 0; j < job->choices->len; j++)
			queue_push(&choices, g_array_index(job->choices, int, j));
		queue_push2(queue, SOLVER_INSTALL | SOLVER_SOLVABLE_ONE_OF,
			    pool_queuetowhatprovides(self->pool, &choices));
		g_ptr_array_add(map, job);
	}
	return locks;
}

static Solver *
create_solver(CamSolver *self)
{
	Solver *solver = solver_create(self->pool);

	solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	solver_set_flag(solver, SOLVER_FLAG_ALLOW_UNINSTALL, 0);
	solver_set_flag(solver, SOLVER_FLAG_ALLOW_DOWNGRADE, 0);
	solver_set_flag(solver, SOLVER_FLAG_ALLOW_NAMECHANGE, 0);
	return solver;
}

static CamSolverJob *
lightest(CamSolverJob *a, CamSolverJob *b)
{
	return !a || b->weight < a->weight ? b : a;
}

/* Gives up the lightest of the jobs that have a part in @problem; if libsolv blames none of them,
 * the lightest of all. */
static void
refuse_one(CamSolver *self, Solver *solver, Id problem, int locks, GPtrArray *map)
{
	g_auto(Queue) rules;
	CamSolverJob *victim = NULL;

	queue_init(&rules);
	solver_findallproblemrules(solver, problem, &rules);
	for (int i = 0; i < rules.count; i++) {
		Id rule = rules.elements[i];

		if (solver_ruleclass(solver, rule) != SOLVER_RULE_JOB)
			continue;

		int index = (solver_rule2jobidx(solver, rule) - 1) / 2 - locks;

		if (index >= 0 && (guint) index < map->len)
			victim = lightest(victim, g_ptr_array_index(map, index));
	}
	for (guint i = 0; !victim && i < map->len; i++)
		victim = lightest(victim, g_ptr_array_index(map, i));
	if (victim && !victim->refused)
		victim->refused = describe_problem(self, solver, problem, &rules, locks);
}

/* Solves, giving up jobs until what remains can be done. NULL: not even nothing can be. */
static Solver *
solve(CamSolver *self, GPtrArray *jobs, GError **error)
{
	for (;;) {
		g_autoptr(Solver) solver = create_solver(self);
		g_autoptr(GPtrArray) map = g_ptr_array_new();
		g_auto(Queue) queue;

		queue_init(&queue);

		int locks = fill_queue(self, jobs, &queue, map);

		if (solver_solve(solver, &queue) == 0)
			return g_steal_pointer(&solver);
		if (map->len == 0) {
			cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				      "the installed packages contradict each other: %s",
				      solver_problem2str(solver, 1));
			return NULL;
		}
		for (Id problem = 0; (problem = solver_next_problem(solver, problem)) != 0;)
			refuse_one(self, solver, problem, locks, map);
	}
}

/* ---- what came out ---- */

static gboolean
is_asked_for(GPtrArray *jobs, int id)
{
	for (guint i = 0; i < jobs->len; i++) {
		CamSolverJob *job = g_ptr_array_index(jobs, i);

		for (guint j = 0; !job->refused && j < job->choices->len; j++)
			if (g_array_index(job->choices, int, j) == id)
				return TRUE;
	}
	return FALSE;
}

/* Who in the result asked for @id: the package whose dependency made libsolv choose it. */
static int
find_requirer(Solver *solver, Id id)
{
	Id info = 0, source, target, dependency;

	solver_describe_decision(solver, id, &info);
	if (info <= 0)
		return 0;
	if (solver_ruleinfo(solver, info, &source, &target, &dependency) ==
	    SOLVER_RULE_PKG_REQUIRES)
		return source;
	return 0;
}

static gboolean
add_step(CamSolver *self, Solver *solver, Transaction *transaction, GPtrArray *jobs, Id id,
	 GArray *steps, GError **error)
{
	CamSolverStep step = { .id = id };
	g_autofree char *what = describe_package(self, id);

	switch (transaction_type(transaction, id, SOLVER_TRANSACTION_SHOW_ACTIVE)) {
	case SOLVER_TRANSACTION_IGNORE: /* the old side of an upgrade */
		return TRUE;
	case SOLVER_TRANSACTION_UPGRADE:
		step.replaces = transaction_obs_pkg(transaction, id);
		break;
	case SOLVER_TRANSACTION_INSTALL:
		break;
	default:
		return cam_set_error(
			error, CAM_ERROR_INTERNAL,
			"the solver would do something else than install or upgrade %s", what);
	}
	if (!is_asked_for(jobs, id))
		step.required_by = find_requirer(solver, id);
	g_array_append_val(steps, step);
	return TRUE;
}

GArray *
cam_solver_run(CamSolver *self, GPtrArray *jobs, GError **error)
{
	cam_solver_prepare(self);

	g_autoptr(Solver) solver = solve(self, jobs, error);

	if (!solver)
		return NULL;

	g_autoptr(Transaction) transaction = solver_create_transaction(solver);
	g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(CamSolverStep));

	transaction_order(transaction, 0);
	for (int i = 0; i < transaction->steps.count; i++)
		if (!add_step(self, solver, transaction, jobs, transaction->steps.elements[i],
			      steps, error))
			return NULL;
	return g_steal_pointer(&steps);
}
