/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

#define CAM_VERDICT_TOP 5

/* What a refusal needs of a finding. */
typedef struct {
	char *id, *package, *installed;
	char *fixed; /* (nullable): version */
	CamSeverity severity;
} CamVerdictFinding;

/**
 * CamVerdict: what is known about one image of containerd.
 */
typedef struct {
	char *name_space, *name; /* as containerd has it */
	char *target;		 /* digest that the name stands for: an index or a manifest */
	char *manifest_digest, *config_digest, *chain_id;
	char *store_name; /* (nullable): of the image in the store, if this daemon put it there */

	gint64 scanned_at; /* microseconds since 1970; 0: not yet, and what follows says nothing */
	char *database;	   /* version of the advisory database */
	CamSeverity level; /* UNKNOWN: could not be judged */
	guint counts[CAM_SEVERITY_CRITICAL + 1]; /* of findings, by severity */
	GPtrArray *top; /* (element-type CamVerdictFinding): the worst, one a source package */
} CamVerdict;

CamVerdict *cam_verdict_new(void);
void cam_verdict_free(CamVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamVerdict, cam_verdict_free)

/* Takes over what a scan found; the names are left as they are. */
void cam_verdict_set_result(CamVerdict *self, const CamScanResult *result, const char *database);

/* "2 critical, 5 high", "no findings" */
char *cam_verdict_counts_text(const CamVerdict *self);
/* The top findings as JSON, and back; what cannot be read is left out. */
char *cam_verdict_top_to_json(const CamVerdict *self);
void cam_verdict_top_from_json(CamVerdict *self, const char *json);

G_END_DECLS
