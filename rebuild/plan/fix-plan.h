/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

/**
 * CamPlannedPackage: one package that moves.
 */
typedef struct {
	char *name, *architecture, *source_name;
	char *from;	 /* (nullable): NULL for one that is newly installed (a new dependency) */
	char *to;
	char *filename, *sha256;
	gint64 size;
	const CamAptSource *origin;
	gboolean security;  /* the candidate comes from a security suite */
	char **closes;	    /* ids of findings */
	char *reason;	    /* "fixes CVE-…", "same source as libssl3", "needed by …", "security update" */
} CamPlannedPackage;
void cam_planned_package_free(CamPlannedPackage *self);

typedef struct {
	CamFinding *finding;
	char *reason; /* "held", "no fixed version in the repositories", "would remove …", … */
} CamUnfixable;
void cam_unfixable_free(CamUnfixable *self);

typedef struct {
	char *ecosystem;
	GPtrArray *packages;   /* (element-type CamPlannedPackage), in the order of installation */
	GPtrArray *unfixable;  /* (element-type CamUnfixable) */
	GPtrArray *releases;   /* (element-type CamAptRelease) that were consulted */
	GPtrArray *sources;    /* (element-type CamAptSource) */
	gint64 epoch;	       /* newest Release date: times in the layer are clamped to it */
	guint64 download_size; /* bytes */
} CamFixPlan;
void cam_fix_plan_free(CamFixPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixPlan, cam_fix_plan_free)

typedef struct {
	gboolean all;		 /* every available update, not only security */
	const char *const *only; /* (nullable): CVE ids or package names */
	const GPtrArray *sources; /* (nullable) (element-type CamAptSource): instead of the found ones */
} CamPlanOptions;

/**
 * cam_fix_plan_new:
 *
 * Plans with libsolv: fixable findings and security updates move, with the installed siblings of
 * the same source package and what they newly need; held packages stay, nothing is removed or
 * downgraded, nothing else moves.
 */
CamFixPlan *cam_fix_plan_new(CamStore *store, CamScanEngine *engine, CamAptRepository *repository,
			     const CamImage *image, const CamScanResult *scan,
			     const CamPlanOptions *options, CamProgress *progress,
			     GCancellable *cancellable, GError **error);

#define CAM_PLAN_SCHEMA "cambium.plan/v1"
JsonObject *cam_fix_plan_to_json(const CamFixPlan *self);
char *cam_fix_plan_to_table(const CamFixPlan *self, const CamTableStyle *style);

G_END_DECLS
