/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "scanners/engine/scan-result.h"
#include "scanners/report/table.h"

G_BEGIN_DECLS

#define CAM_REPORT_SCHEMA   "cambium.report/v1"
#define CAM_PACKAGES_SCHEMA "cambium.packages/v1"

/* The published forms; see scanners/report/README.md for every member. */
JsonObject *cam_report_to_json(const CamScanResult *result);
JsonObject *cam_report_packages_to_json(const CamScanResult *result);
/* The form that findings have in reports; @layers (element-type CamLayerLabel) (nullable). */
JsonObject *cam_report_finding_to_json(const CamFinding *finding, const GPtrArray *layers);

/* The tables that `scan` and `packages` print, UTF-8, each line ends in "\n". */
char *cam_report_to_table(const CamScanResult *result, const CamTableStyle *style);
char *cam_report_packages_to_table(const CamScanResult *result, const CamTableStyle *style);

G_END_DECLS
