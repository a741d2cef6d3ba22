/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/finding.h"

G_BEGIN_DECLS

/**
 * CamFindingGroup: the findings of one source package, which people fix with one upgrade. They
 * point into the findings that they were made from.
 */
typedef struct {
	const CamFinding *worst;
	GPtrArray *packages; /* (element-type utf8) (transfer none): names of binary packages */
	GPtrArray *findings; /* (element-type CamFinding) (transfer none): one an id, worst first */
	const char *fixed_version; /* (nullable): fixes all of @findings that can be fixed by
				    * anybody: not in Ubuntu Pro alone */
	gboolean all_fixed;	   /* every one of @findings has a fixed version */
} CamFindingGroup;

/* @findings: sorted. Groups of the same source package, installed version and layer, in the order
 * of their worst finding. @ecosystem (nullable): whose version order is used. */
GPtrArray *cam_finding_group_all(const GPtrArray *findings, const char *ecosystem);

G_END_DECLS
