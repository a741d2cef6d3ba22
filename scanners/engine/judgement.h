/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/memo.h"
#include "scanners/engine/scan-engine.h"

G_BEGIN_DECLS

/**
 * cam_judge:
 * @result: has system and packages; gets findings, what was not judged, warnings, tally and risk
 * @max_findings: beyond them the image is not judged completely, which is a problem
 */
gboolean
cam_judge(CamScanResult *result, CamMemo *memo, CamAdvisoryDb *advisories, guint64 max_findings,
	  const CamScanOptions *options, GCancellable *cancellable, GError **error);

G_END_DECLS
