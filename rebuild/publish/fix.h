/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/plan/fix-plan.h"

G_BEGIN_DECLS

typedef enum {
	CAM_APPLY_AUTO,	   /* the image's dpkg where it has one, else graft */
	CAM_APPLY_SANDBOX, /* the image's own package manager, no network */
	CAM_APPLY_GRAFT,   /* script-less unpack */
} CamApplyMethod;

typedef struct {
	CamPlanOptions plan;
	CamApplyMethod method;
	const char *suffix;		/* default "_fix" */
	gboolean overwrite;		/* replace the tag itself */
	gboolean store_only;		/* do not write back to where the image came from */
	const CamLocation *destination; /* (nullable): write there instead */
	CamTransportOptions transport;
} CamFixOptions;

typedef struct {
	CamImage *image; /* the fixed one, in the store */
	CamFixPlan *plan;
	CamScanResult *before, *after;
	GPtrArray
		*still_open; /* (element-type CamFinding): planned, yet there: the command fails */
	char *layer_diff_id;
	char *layer_digest;
	guint64 layer_size; /* compressed bytes */
	char *written_to;   /* (nullable): location */
	gboolean unchanged; /* there was nothing to do */
	CamApplyMethod method;
} CamFixResult;
void cam_fix_result_free(CamFixResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixResult, cam_fix_result_free)

/**
 * cam_fix_image:
 *
 * Scan, plan, download, apply, make the layer, make the manifest, name it, write it, scan again.
 * The same plan on the same image gives the same digests.
 */
CamFixResult *cam_fix_image(CamStore *store, CamScanEngine *engine, CamAptRepository *repository,
			    const CamImage *image, const CamFixOptions *options,
			    CamProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
