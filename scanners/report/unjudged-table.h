/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/scan-result.h"
#include "scanners/report/table.h"

G_BEGIN_DECLS

/* Which packages were not judged, by reason, and which are accepted so, by acceptance; nothing
 * where all were judged. Ends in an empty line. */
void
cam_unjudged_append_table(GString *out, const CamScanResult *result, const CamTableStyle *style);

G_END_DECLS
