/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/finding.h"
#include "scanners/engine/memo.h"
#include "scanners/engine/unjudged.h"
#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

/**
 * CamMatchOutput: what matching adds to, and how much it may add.
 */
typedef struct {
	guint64 max_findings; /* matching stops behind them: there may be more packages than that */
	gboolean truncated;   /* it stopped */
	GPtrArray *findings;  /* (element-type CamFinding) */
	GPtrArray *unjudged;  /* (element-type CamUnjudged), in the order of packages */
	gboolean unfixed_judged; /* of every package a source tells what has no fix */
} CamMatchOutput;

/**
 * cam_match_packages:
 * @packages: (element-type CamPackage)
 * @support: of the release: decides whether what has no fix may still get one
 *
 * Matches every distinct source package version once per version of the advisories, remembered in
 * @memo, and makes one finding of each binary package and vulnerability; what no source judges is
 * named.
 */
gboolean cam_match_packages(CamMemo *memo, CamAdvisoryDb *db, const char *ecosystem,
			    CamSupport support, const GPtrArray *packages, CamMatchOutput *out,
			    GCancellable *cancellable, GError **error);

G_END_DECLS
