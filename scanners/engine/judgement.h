/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/memo.h"
#include "scanners/engine/scan-engine.h"

G_BEGIN_DECLS

/**
 * cam_judge:
 * @result: has system and packages; gets findings, what was not judged, warnings, tally and risk
 */
gboolean cam_judge(CamScanResult *result, CamMemo *memo, CamAdvisoryDb *advisories,
		   const CamScanOptions *options, GCancellable *cancellable, GError **error);

G_END_DECLS
