/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/plan/fix-plan.h"
#include "rebuild/plan/solver.h"

G_BEGIN_DECLS

/**
 * CamPlanRepository: what a repository number of the solver stands for.
 */
typedef struct {
	const CamAptSource *source; /* (nullable): in tests */
	gboolean security;
} CamPlanRepository;

/* Why a package is to move; the later ones outweigh the earlier where they exclude each other. */
typedef enum {
	CAM_TARGET_UPDATE,   /* asked for by name, or all updates are */
	CAM_TARGET_SIBLING,  /* another binary package of the same source moves */
	CAM_TARGET_SECURITY, /* a security suite has a newer version */
	CAM_TARGET_FINDING,  /* a version that fixes a finding is offered */
} CamTargetKind;

typedef struct {
	CamTargetKind kind;
	CamSolverJob *job; /* of the selection's jobs */
	int sibling_of;	   /* the installed package that it follows, or 0 */
} CamTarget;

/**
 * CamPlanSelection: what shall move, before anybody asks whether it can.
 */
typedef struct {
	CamSolver *solver;
	const GPtrArray *findings; /* (element-type CamFinding) */
	const CamPlanOptions *options;
	GArray *repositories; /* (element-type CamPlanRepository) */
	GHashTable *by_name;  /* (element-type utf8 GArray): ids of installed packages */
	GHashTable *by_source;
	GHashTable *targets; /* (element-type int CamTarget): by id of the installed package */
	GPtrArray *jobs;     /* (element-type CamSolverJob), in the order of the database */
} CamPlanSelection;

/**
 * cam_plan_selection_new:
 * @repositories: (element-type CamPlanRepository)
 *
 * All arguments are borrowed. %CAM_ERROR_NOT_FOUND if something in @options->only is neither a
 * finding nor an installed package.
 */
CamPlanSelection *
cam_plan_selection_new(CamSolver *solver, GArray *repositories, const GPtrArray *findings,
		       const CamPlanOptions *options, GError **error);
void cam_plan_selection_free(CamPlanSelection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamPlanSelection, cam_plan_selection_free)

/* Whether the options ask for this finding. */
gboolean cam_plan_selection_wants(const CamPlanSelection *self, const CamFinding *finding);
/* (element-type int): the installed packages that a finding is about. */
GArray *cam_plan_selection_get_affected(const CamPlanSelection *self, const CamFinding *finding);

/**
 * cam_plan_selection_run:
 *
 * Solves and fills @plan->packages and @plan->unfixable.
 */
gboolean cam_plan_selection_run(CamPlanSelection *self, CamFixPlan *plan, GError **error);

G_END_DECLS
