/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

/**
 * CamSolver:
 *
 * What is installed and what repositories offer, as a universe for libsolv; and the search for the
 * smallest change that does a set of jobs. Knows packages and relations, nothing of
 * vulnerabilities. Not thread-safe.
 *
 * First the installed packages, then the repositories, then the questions.
 */
typedef struct _CamSolver CamSolver;

/* Pins of repositories, as apt_preferences(5) gives them by itself. */
#define CAM_SOLVER_PIN_NORMAL	     500
#define CAM_SOLVER_PIN_BUT_AUTOMATIC 100 /* NotAutomatic, but ButAutomaticUpgrades: backports */
#define CAM_SOLVER_PIN_NOT_AUTOMATIC 1	 /* NotAutomatic: experimental */

/**
 * CamSolvable: one package of the universe. Its strings stand until more packages are added.
 */
typedef struct {
	int id; /* > 0 */
	const char *name, *architecture, *version;
	const char *source_name, *source_version; /* never NULL */
	int repository; /* as cam_solver_add_repository() counts; -1: installed */
	gboolean held;
} CamSolvable;

/**
 * CamSolverJob: one installed package shall become one of @choices.
 */
typedef struct {
	int installed;	 /* id */
	GArray *choices; /* (element-type int): ids of the same name and architecture */
	int weight;	 /* where two jobs exclude each other, the lighter one is given up */
	char *refused;	 /* (out) (nullable): why it was given up */
} CamSolverJob;
CamSolverJob *cam_solver_job_new(int installed, int weight);
void cam_solver_job_free(CamSolverJob *self);

typedef struct {
	int id;		 /* what is installed */
	int replaces;	 /* the installed package that it replaces, 0: it is new */
	int required_by; /* of those that no job asked for: a package that needs it; else 0 */
} CamSolverStep;

CamSolver *cam_solver_new(const char *architecture, const char *const *foreign, GError **error);
void cam_solver_free(CamSolver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSolver, cam_solver_free)

/**
 * cam_solver_add_installed:
 * @status: paragraphs of dpkg's status; kept
 * @path: for errors
 *
 * What is not installed is passed over; what is held is locked. May be called several times
 * (status.d). %CAM_ERROR_DATA_LOSS names path and line.
 */
gboolean
cam_solver_add_installed(CamSolver *self, GBytes *status, const char *path, GError **error);

/**
 * cam_solver_add_repository:
 * @packages: a Packages file; kept
 * @excluded: (nullable): names that must not be taken from it
 * @repository: (out): its number
 */
gboolean cam_solver_add_repository(CamSolver *self, GBytes *packages, const char *path, int pin,
				   GHashTable *excluded, int *repository, GError **error);

/* (element-type int): ids, in the order of the database. */
const GArray *cam_solver_get_installed(CamSolver *self);
void cam_solver_describe(CamSolver *self, int id, CamSolvable *out);
/* What the repository says of its file; %CAM_ERROR_DATA_LOSS if it says too little. */
gboolean cam_solver_get_file(CamSolver *self, int id, char **filename, char **sha256, gint64 *size,
			     GError **error);

/**
 * cam_solver_get_candidates:
 *
 * All versions of an installed package that are newer than it and may be taken, best first: by
 * pin, then by version. (element-type int)
 */
GArray *cam_solver_get_candidates(CamSolver *self, int installed);
/* Whether any repository offers a package of this name and architecture at all. */
gboolean cam_solver_is_offered(CamSolver *self, int installed);

/**
 * cam_solver_run:
 * @jobs: (element-type CamSolverJob): those that cannot be done get @refused
 *
 * Nothing is removed, nothing is downgraded, held packages stay, what need not move stays, what is
 * newly needed is installed.
 *
 * Returns: (transfer full) (element-type CamSolverStep): in the order of installation
 */
GArray *cam_solver_run(CamSolver *self, GPtrArray *jobs, GError **error);

/**
 * cam_solver_get_needs:
 * @steps: (element-type CamSolverStep)
 *
 * Of the packages in @steps, those without which package @id of them cannot be: they satisfy a
 * relation that nothing installed satisfies, end a conflict with what they replace, or replace
 * what its own upgrade would break.
 * (element-type int)
 */
GArray *cam_solver_get_needs(CamSolver *self, int id, const GArray *steps);

/* From now on candidates need not satisfy relations that the installed version of the same
 * package leaves unsatisfied: images without a package manager are not closed under dependencies,
 * and completing them would drag one in. */
void cam_solver_set_lenient(CamSolver *self);

G_END_DECLS
