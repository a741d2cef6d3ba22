/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"

G_BEGIN_DECLS

/* Stored in the database: values are never given another meaning. */
typedef enum {
	CAM_LOOKUP_NOT_LISTED = 1, /* the repositories do not have the package */
	CAM_LOOKUP_CURRENT =
		2,	       /* nothing was newer than what is installed: no changelog was read */
	CAM_LOOKUP_READ = 3,   /* the changelog of the candidate was read */
	CAM_LOOKUP_FAILED = 4, /* see the reason */
} CamLookupOutcome;

/**
 * CamLookup: what a changelog source learned of one source package the last time that it was
 * looked up.
 */
typedef struct {
	char *ecosystem, *package;
	CamLookupOutcome outcome;
	char *release;	 /* codename of the repositories, "bookworm" */
	char *candidate; /* (nullable): the newest version that they have */
	char *suite;	 /* (nullable): which of them has it */
	char *oldest; /* (nullable): of the oldest entry that was read; NULL: nothing was missing */
	char *reason; /* (nullable): of %CAM_LOOKUP_FAILED, as in CamCoverage */
	gint64 looked_at;
	gint64 rules; /* which version of the rules of reading changelogs was at work */
} CamLookup;

void cam_lookup_free(CamLookup *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLookup, cam_lookup_free)

/**
 * cam_lookup_judge:
 *
 * How far the look-up judges @version of its package: a version that the repositories have nothing
 * newer for, and any lower one if the changelog of the newest was read down to it. Sets @out,
 * which must be empty; its %looked_at stays 0 for a version that the look-up did not concern.
 */
void cam_lookup_judge(const CamLookup *self, const char *version, CamCoverage *out);

/* (nullable) (transfer full): NULL without error: the source has not looked the package up. */
CamLookup *cam_advisory_db_find_lookup(CamAdvisoryDb *db, const char *source, const char *package,
				       GError **error);
/* How many look-ups of a source failed. */
gboolean cam_advisory_db_count_failed_lookups(CamAdvisoryDb *db, const char *source, gint64 *count,
					      GError **error);

G_END_DECLS
