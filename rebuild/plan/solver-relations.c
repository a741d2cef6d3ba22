/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the questions about relations among packages: who cannot be without whom, and which
 * relations the packages of an incomplete image may leave open.
 */
#include "rebuild/plan/solver-private.h"

#include <solv/queue.h>
#include <solv/solver.h>

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Queue, queue_free)

static gboolean
is_installed(CamSolver *self, Id id)
{
	return pool_id2solvable(self->pool, id)->repo == self->installed_repo;
}

static gboolean
is_satisfied(CamSolver *self, Id dependency)
{
	Pool *pool = self->pool; /* FOR_PROVIDES wants the name */
	Id p, pp;

	FOR_PROVIDES(p, pp, dependency)
	if (is_installed(self, p))
		return TRUE;
	return FALSE;
}

/* ---- who needs whom ---- */

/* Adds the steps that provide @dependency. */
static void
add_providers(CamSolver *self, Id dependency, const GArray *steps, int self_id, GArray *needs)
{
	Pool *pool = self->pool;
	Id p, pp;

	FOR_PROVIDES(p, pp, dependency)
	for (guint i = 0; i < steps->len; i++)
		if (g_array_index(steps, CamSolverStep, i).id == p && p != self_id)
			g_array_append_val(needs, p);
}

/* Adds the steps that replace what @dependency conflicts with. */
static void
add_replacements(CamSolver *self, Id dependency, const GArray *steps, int self_id, GArray *needs)
{
	Pool *pool = self->pool;
	Id p, pp;

	FOR_PROVIDES(p, pp, dependency)
	for (guint i = 0; i < steps->len; i++) {
		const CamSolverStep *step = &g_array_index(steps, CamSolverStep, i);

		if (step->replaces == p && step->id != self_id)
			g_array_append_val(needs, step->id);
	}
}

/* Whether @dependency is satisfied by @old and no longer by @new, nor by anything else that is
 * installed. */
static gboolean
breaks(CamSolver *self, Id dependency, int old, int new)
{
	Pool *pool = self->pool;
	gboolean by_old = FALSE;
	Id p, pp;

	FOR_PROVIDES(p, pp, dependency)
	{
		if (p == new || (p != old && is_installed(self, p)))
			return FALSE;
		by_old = by_old || p == old;
	}
	return by_old;
}

/* Adds the steps that replace what a step's own upgrade would break: "b Depends: a (= 1)". */
static void
add_dependents(CamSolver *self, const CamSolverStep *own, const GArray *steps, GArray *needs)
{
	for (guint i = 0; own->replaces && i < steps->len; i++) {
		const CamSolverStep *step = &g_array_index(steps, CamSolverStep, i);
		gboolean broken = FALSE;

		if (!step->replaces || step->id == own->id)
			continue;

		Solvable *old = pool_id2solvable(self->pool, step->replaces);

		for (Id *p = old->repo->idarraydata + old->requires; old->requires && *p; p++)
			broken = broken || (*p != SOLVABLE_PREREQMARKER &&
					    breaks(self, *p, own->replaces, own->id));
		if (broken)
			g_array_append_val(needs, step->id);
	}
}

GArray *
cam_solver_get_needs(CamSolver *self, int id, const GArray *steps)
{
	GArray *needs = g_array_new(FALSE, FALSE, sizeof(int));
	Solvable *solvable = pool_id2solvable(self->pool, id);
	Id *data = solvable->repo->idarraydata;

	cam_solver_prepare(self);
	for (Id *p = data + solvable->requires; solvable->requires && *p; p++)
		if (*p != SOLVABLE_PREREQMARKER && !is_satisfied(self, *p))
			add_providers(self, *p, steps, id, needs);
	for (Id *p = data + solvable->conflicts; solvable->conflicts && *p; p++)
		add_replacements(self, *p, steps, id, needs);
	for (guint i = 0; i < steps->len; i++)
		if (g_array_index(steps, CamSolverStep, i).id == id)
			add_dependents(self, &g_array_index(steps, CamSolverStep, i), steps, needs);
	return needs;
}

/* ---- incomplete images ---- */

void
cam_solver_set_lenient(CamSolver *self)
{
	self->lenient = TRUE;
	self->ready = FALSE;
}

/* The names in "a (>= 1) | b". */
static void
list_names(CamSolver *self, Id dependency, Queue *names)
{
	Pool *pool = self->pool;

	while (ISRELDEP(dependency)) {
		Reldep *relation = GETRELDEP(pool, dependency);

		if (relation->flags == REL_OR) {
			list_names(self, relation->name, names);
			dependency = relation->evr;
		} else {
			dependency = relation->name;
		}
	}
	queue_pushunique(names, dependency);
}

static void
list_unsatisfied_names(CamSolver *self, int installed, Queue *names)
{
	Solvable *solvable = pool_id2solvable(self->pool, installed);

	for (Id *p = solvable->repo->idarraydata + solvable->requires; solvable->requires && *p;
	     p++)
		if (*p != SOLVABLE_PREREQMARKER && !is_satisfied(self, *p))
			list_names(self, *p, names);
}

static gboolean
may_lack(CamSolver *self, Id dependency, Queue *lacking)
{
	g_auto(Queue) names;

	queue_init(&names);
	if (is_satisfied(self, dependency))
		return FALSE;
	list_names(self, dependency, &names);
	for (int i = 0; i < names.count; i++)
		for (int j = 0; j < lacking->count; j++)
			if (names.elements[i] == lacking->elements[j])
				return TRUE;
	return FALSE;
}

static void
relax_candidate(CamSolver *self, Solvable *candidate, Queue *lacking)
{
	g_auto(Queue) kept;
	Offset requires = 0;

	queue_init(&kept);
	for (Id *p = candidate->repo->idarraydata + candidate->requires; candidate->requires && *p;
	     p++)
		if (*p == SOLVABLE_PREREQMARKER || !may_lack(self, *p, lacking))
			queue_push(&kept, *p);
	for (int i = 0; i < kept.count; i++)
	requires = repo_addid(candidate->repo, requires, kept.elements[i]);
	candidate->requires = requires;
}

void
cam_solver_relax(CamSolver *self)
{
	Pool *pool = self->pool;

	for (guint i = 0; i < self->installed->len; i++) {
		int id = g_array_index(self->installed, int, i);
		g_auto(Queue) lacking;
		Id p, pp;

		queue_init(&lacking);
		list_unsatisfied_names(self, id, &lacking);
		if (lacking.count == 0)
			continue;

		Id name = pool_id2solvable(pool, id)->name;

		FOR_PROVIDES(p, pp, name)
		{
			Solvable *candidate = pool_id2solvable(pool, p);

			if (candidate->name == name && !is_installed(self, p))
				relax_candidate(self, candidate, &lacking);
		}
	}
}
