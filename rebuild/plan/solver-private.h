/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <solv/pool.h>
#include <solv/repo.h>

#include "rebuild/plan/solver.h"

/* What libsolv need not know of a solvable. */
typedef struct {
	const char *stanza; /* in one of the texts */
	gsize stanza_size;
	Id name, architecture, version, source_name, source_version; /* strings of the pool */
	int repository;
	int pin;
	gboolean held;
} CamSolvableDetail;

struct _CamSolver {
	Pool *pool;
	char *architecture;
	char **foreign;
	Repo *installed_repo;
	int repositories;
	GArray *installed; /* (element-type int) */
	GArray *details;   /* (element-type CamSolvableDetail), by solvable id */
	GPtrArray *texts;  /* (element-type GBytes) */
	gboolean lenient;  /* see cam_solver_set_lenient() */
	gboolean ready;	   /* the pool's index of provides is up to date */
};

static inline const CamSolvableDetail *
cam_solver_detail(CamSolver *self, int id)
{
	return &g_array_index(self->details, CamSolvableDetail, id);
}

/* Drops from the candidates what cam_solver_set_lenient() lets them lack. */
void cam_solver_relax(CamSolver *self);

/* Makes the pool's index; must precede every look at what provides what. */
void cam_solver_prepare(CamSolver *self);
