/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/finding.h"
#include "scanners/engine/memo.h"
#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

/**
 * cam_match_packages:
 * @packages: (element-type CamPackage)
 * @support: of the release: decides whether what has no fix may still get one
 * @findings: (element-type CamFinding): what is found is added
 *
 * Matches every distinct source package version once per version of the advisories, remembered in
 * @memo, and makes one finding of each binary package and vulnerability.
 */
gboolean cam_match_packages(CamMemo *memo, CamAdvisoryDb *db, const char *ecosystem,
			    CamSupport support, const GPtrArray *packages, GPtrArray *findings,
			    GCancellable *cancellable, GError **error);

G_END_DECLS
