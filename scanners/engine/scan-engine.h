/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/acceptance.h"
#include "scanners/engine/scan-result.h"
#include "scanners/inventory/scan-limits.h"

G_BEGIN_DECLS

typedef struct {
	CamSeverity unknown_counts_as; /* for the risk level and the order; UNKNOWN: MEDIUM */
	CamSeverity min_severity;      /* findings below are left out; UNKNOWN: none are */
	gboolean ignore_unfixed;       /* what has no fixed version is left out */
	const GPtrArray *acceptances;  /* (nullable) (element-type CamAcceptance) */
	const char *today;	       /* (nullable): ISO date instead of the clock's */
} CamScanOptions;

/**
 * CamScanEngine: scans images of one store; remembers in <store>/memo.db.
 *
 * The memo is only a cache: where it cannot be read or written, scans are slower and their results
 * the same. An engine is used by one thread at a time; several engines, also of several
 * processes, may share one store.
 */
#define CAM_TYPE_SCAN_ENGINE (cam_scan_engine_get_type())
G_DECLARE_FINAL_TYPE(CamScanEngine, cam_scan_engine, CAM, SCAN_ENGINE, GObject)

CamScanEngine *cam_scan_engine_new(CamStore *store, GError **error);
/* Members of @limits that are zero stay as they are. */
void cam_scan_engine_set_limits(CamScanEngine *self, const CamScanLimits *limits);
CamInventory *cam_scan_engine_get_inventory(CamScanEngine *self, const CamImage *image,
					    GCancellable *cancellable, GError **error);
/* @options (nullable): NULL leaves nothing out. */
CamScanResult *
cam_scan_engine_scan(CamScanEngine *self, const CamImage *image, const CamScanOptions *options,
		     CamProgress *progress, GCancellable *cancellable, GError **error);
/* The database that the engine matches against (transfer none). */
CamAdvisoryDb *cam_scan_engine_get_advisories(CamScanEngine *self);

G_END_DECLS
