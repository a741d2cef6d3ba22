/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/rebuild.h"

G_BEGIN_DECLS

#define CAM_FIX_SCHEMA "cambium.fix/v1"

/* What `cambium fix` says about its work. @before: the original image. */
JsonObject *cam_fix_report_to_json(const CamImage *before, const CamFixResult *result);
char *cam_fix_report_to_table(const CamImage *before, const CamFixResult *result,
			      const CamTableStyle *style);

/**
 * cam_fix_report_conclusion:
 *
 * The last lines, of a fix or of its plan: what stays open although the sources have a version for
 * it and how to get that, what cannot be had from them, what of the layer nothing explains.
 */
char *cam_fix_report_conclusion(const CamFixResult *result);
/* Whether something that was asked for is not done, although it could be had. */
gboolean cam_fix_report_is_incomplete(const CamFixResult *result);

G_END_DECLS
