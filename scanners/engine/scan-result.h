/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/finding.h"
#include "scanners/engine/risk.h"
#include "scanners/engine/unjudged.h"
#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

typedef struct {
	char *diff_id;
	char *created_by; /* (nullable) */
} CamLayerLabel;

/**
 * CamScanResult: all that a report says about one image.
 */
typedef struct {
	char *reference, *digest, *platform;
	CamOsRelease *os;
	CamSupport support;   /* of the release, on the day of the scan */
	GPtrArray *layers;    /* (element-type CamLayerLabel) */
	GPtrArray *packages;  /* (element-type CamPackage), by name */
	GPtrArray *findings;  /* (element-type CamFinding): by cam_finding_compare() */
	GPtrArray *databases; /* (element-type CamAdvisorySource) */
	GPtrArray *warnings;  /* (element-type utf8): sentences for people */
	GPtrArray *problems;  /* (element-type utf8): what could not be read of the image */
	GPtrArray *unjudged; /* (element-type CamUnjudged), by source package: also accepted ones */
	guint n_unjudged;    /* binary packages that no source judges and no policy accepts */
	guint n_accepted;    /* binary packages that no source judges but a policy accepts */
	CamTally tally;	     /* of all findings, also those that the options leave out */
	CamSeverity risk;    /* by cam_risk_level() */
	guint counts[CAM_SEVERITY_CRITICAL + 1]; /* of @findings, by severity */
	guint left_out;				 /* findings that the options left out */
	guint64 trees_visited, trees_remembered; /* what the memo did */
} CamScanResult;

CamScanResult *cam_scan_result_new(void);
void cam_scan_result_free(CamScanResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamScanResult, cam_scan_result_free)

G_END_DECLS
