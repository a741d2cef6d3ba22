/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

#define CAM_VERDICT_TOP 5
/* Of more packages that are not judged none can be accepted. */
#define CAM_VERDICT_MAX_UNJUDGED 2000

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
	gint64 looked_up_at; /* microseconds since 1970 of the last look-up; 0: none was tried */
	char *database;	     /* version of the advisory database */
	CamSeverity level;   /* the risk level, before anything is accepted */
	CamTally tally;	     /* what the scan came to, before anything is accepted */
	gboolean whole;	     /* all of the image could be read, and its release is known */
	guint n_packages;
	GPtrArray *unjudged; /* (element-type CamUnjudged) */
	GPtrArray *top;	     /* (element-type CamVerdictFinding): the worst, one a source package */
} CamVerdict;

CamVerdict *cam_verdict_new(void);
void cam_verdict_free(CamVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamVerdict, cam_verdict_free)

/* Takes over what a scan found, without acceptances; the names are left as they are. */
void cam_verdict_set_result(CamVerdict *self, const CamScanResult *result, const char *database);

/* Whether it has packages that no source has looked at, or not for a day. */
gboolean cam_verdict_wants_look_up(const CamVerdict *self);

guint cam_verdict_count_unjudged(const CamVerdict *self); /* binary packages */

/* "2 critical, 5 high", "no findings" */
char *cam_verdict_counts_text(const CamVerdict *self);
/* What the scan came to, as JSON, and back. FALSE, and nothing is known, where it cannot be read.
 */
char *cam_verdict_to_json(const CamVerdict *self);
gboolean cam_verdict_from_json(CamVerdict *self, const char *json);

G_END_DECLS
