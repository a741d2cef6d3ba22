/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

/**
 * CamPlannedPackage: one package that moves.
 */
typedef struct {
	char *name, *architecture, *source_name;
	char *from; /* (nullable): NULL for one that is newly installed (a new dependency) */
	char *to;
	char *filename, *sha256;
	gint64 size;
	const CamAptSource *origin;
	gboolean security; /* the candidate comes from a security suite */
	char **closes;	   /* ids of findings */
	char **needs;	   /* "name:architecture" of planned packages that it cannot be without */
	/* "fixes CVE-…", "same source as libssl3", "needed by …", "security update" */
	char *reason;
} CamPlannedPackage;
void cam_planned_package_free(CamPlannedPackage *self);

/* Why a finding stays open: the kinds of reasons. The sources have a version that fixes those from
 * CAM_OPEN_HELD on; others cannot be had from them. */
typedef enum {
	CAM_OPEN_NO_FIX,       /* no fixed version exists yet */
	CAM_OPEN_PAID,	       /* only a paid service has it */
	CAM_OPEN_NOT_OFFERED,  /* one exists, the sources do not have it */
	CAM_OPEN_OTHER_ORIGIN, /* the package is a third party's */
	CAM_OPEN_END_OF_LIFE,
	CAM_OPEN_NOT_OURS,     /* in a package database that is not fixed */
	CAM_OPEN_HELD,	       /* the image holds the package back */
	CAM_OPEN_DEPENDENCIES, /* what it needs cannot be met, or it was not chosen */
	CAM_OPEN_METHOD,       /* its scripts would have to run, and the method runs nothing */
	CAM_N_OPEN_CAUSES,
} CamOpenCause;
/* "held", "no-fix": for JSON. */
const char *cam_open_cause_name(CamOpenCause cause);
/* A phrase for people: what findings of that cause have in common. */
const char *cam_open_cause_describe(CamOpenCause cause);
static inline gboolean
cam_open_cause_is_available(CamOpenCause cause)
{
	return cause >= CAM_OPEN_HELD;
}

typedef struct {
	CamFinding *finding;
	CamOpenCause cause;
	char *reason; /* "held", "no fixed version in the repositories", "would remove …", … */
} CamUnfixable;
CamUnfixable *cam_unfixable_new(const CamFinding *finding, CamOpenCause cause, const char *reason);
void cam_unfixable_free(CamUnfixable *self);

typedef struct {
	char *ecosystem;
	GPtrArray *packages;   /* (element-type CamPlannedPackage), in the order of installation */
	GPtrArray *fixes;      /* (element-type CamFinding): what it closes */
	GPtrArray *unfixable;  /* (element-type CamUnfixable) */
	guint given_up;	       /* packages that were planned and are not done after all */
	GPtrArray *releases;   /* (element-type CamAptRelease) that were consulted */
	GPtrArray *sources;    /* (element-type CamAptSource) */
	gint64 epoch;	       /* newest Release date: times in the layer are clamped to it */
	guint64 download_size; /* bytes */
	GPtrArray *warnings;   /* (element-type utf8): repositories that could not be used, … */
} CamFixPlan;
CamFixPlan *cam_fix_plan_new_empty(void);
void cam_fix_plan_free(CamFixPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixPlan, cam_fix_plan_free)

void cam_fix_plan_add_fix(CamFixPlan *self, const CamFinding *finding);

/**
 * cam_fix_plan_give_up:
 *
 * Package @index is not done after all: what it was to close (and no other package closes) moves
 * from @fixes to @unfixable with @reason. For those who carry a plan out.
 */
void cam_fix_plan_give_up(CamFixPlan *self, guint index, CamOpenCause cause, const char *reason);

/* How many findings stay open that the sources have a version for. */
guint cam_fix_plan_count_available(const CamFixPlan *self);

typedef struct {
	gboolean all;		  /* every available update, not only security */
	const char *const *only;  /* (nullable): CVE ids or package names */
	const GPtrArray *sources; /* (element-type CamAptSource): where packages may come from */
} CamPlanOptions;

/**
 * cam_fix_plan_new:
 *
 * Plans with libsolv: fixable findings and security updates move, with the installed siblings of
 * the same source package and what they newly need; held packages stay, nothing is removed or
 * downgraded, nothing else moves.
 */
CamFixPlan *
cam_fix_plan_new(CamStore *store, CamScanEngine *engine, CamAptRepository *repository,
		 const CamImage *image, const CamScanResult *scan, const CamPlanOptions *options,
		 CamProgress *progress, GCancellable *cancellable, GError **error);

/* Where packages come from, for telling: without the credentials that a URI may carry. */
char *cam_plan_public_uri(const CamAptSource *source);

#define CAM_PLAN_SCHEMA "cambium.plan/v1"
JsonObject *cam_fix_plan_to_json(const CamFixPlan *self);
char *cam_fix_plan_to_table(const CamFixPlan *self, const CamTableStyle *style);

G_END_DECLS
