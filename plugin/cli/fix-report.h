/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/rebuild.h"

G_BEGIN_DECLS

#define CAM_FIX_SCHEMA "cambium.fix/v1"

/* What `cambium fix` says about its work. @before: the original image. */
JsonObject *cam_fix_report_to_json(const CamImage *before, const CamFixResult *result);
char *cam_fix_report_to_table(const CamImage *before, const CamFixResult *result,
			      const CamTableStyle *style);

G_END_DECLS
