/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/scan-result.h"

G_BEGIN_DECLS

/* What a scan comes to, in words. The two axes stand beside each other: what a published version
 * fixes, and what none fixes yet. All are (transfer full). */

/* "190 pending", "none pending", "none pending among what was judged", "not judged" */
char *cam_conclusion_fixes_text(const CamScanResult *result);
/* "3 without a published fix", "none known", "not judged by these sources" */
char *cam_conclusion_unfixed_text(const CamScanResult *result);
/* "136 of 140 packages, 2 more accepted" */
char *cam_conclusion_coverage_text(const CamScanResult *result);
/* A sentence about both axes, without a newline. */
char *cam_conclusion_text(const CamScanResult *result);

/* Nothing is open that a published version fixes, and all was judged on that axis. */
gboolean cam_conclusion_is_no_risks(const CamScanResult *result);

G_END_DECLS
