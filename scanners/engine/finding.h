/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"

G_BEGIN_DECLS

typedef enum {
	CAM_FINDING_VULNERABILITY,   /* "vulnerability" */
	CAM_FINDING_SECURITY_UPDATE, /* "security-update": of a security suite, without a CVE */
	CAM_FINDING_END_OF_LIFE,     /* "end-of-life" */
} CamFindingKind;

typedef enum {
	CAM_STATE_FIXED,	/* "fixed": a fixed version exists */
	CAM_STATE_NOT_FIXED,	/* "not-fixed" */
	CAM_STATE_FIXED_IN_PRO, /* "fixed-in-ubuntu-pro": only Ubuntu Pro has the fixed version */
	CAM_STATE_END_OF_LIFE,	/* "end-of-life": nobody will fix it */
} CamFindingState;

const char *cam_finding_kind_name(CamFindingKind kind);
const char *cam_finding_state_name(CamFindingState state);

/**
 * CamFinding: one thing that is wrong with an image.
 */
typedef struct {
	CamFindingKind kind;
	char *id;	/* the CVE where there is one, else the advisory's id */
	char **aliases; /* never NULL */
	char *title;	/* (nullable) */
	CamSeverity severity;
	double score; /* or -1 */
	/* Of an end-of-life finding: the distribution and its release. */
	char *package, *source_package, *installed_version;
	char *architecture;  /* (nullable) */
	char *fixed_version; /* (nullable) */
	CamFindingState state;
	int layer;	   /* index or -1 */
	char **references; /* never NULL */
	char *source;	   /* (nullable): advisory source's name */
	char *suggestion;  /* what to do, a sentence */
} CamFinding;

CamFinding *cam_finding_copy(const CamFinding *self);
/* Worst first (by cam_severity_rank()), then package, architecture, id. */
int cam_finding_compare(const CamFinding *a, const CamFinding *b, CamSeverity unknown_counts_as);
void cam_finding_free(CamFinding *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFinding, cam_finding_free)

G_END_DECLS
