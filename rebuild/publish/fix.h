/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/plan/fix-plan.h"
#include "rebuild/proof/layer-proof.h"
#include "rebuild/sandbox/sandbox.h"

G_BEGIN_DECLS

typedef enum {
	CAM_APPLY_AUTO,	   /* the image's dpkg where it has one, else graft */
	CAM_APPLY_SANDBOX, /* the image's own package manager, no network */
	CAM_APPLY_GRAFT,   /* script-less unpack */
} CamApplyMethod;

typedef struct {
	CamPlanOptions plan;
	CamApplyMethod method;
	const char *suffix;  /* default "_fix" */
	gboolean overwrite;  /* replace the tag itself */
	gboolean anew;	     /* do not reuse a layer that was made for such a tree before */
	gboolean store_only; /* do not write back to where the image came from */
	const CamLocation *destination; /* (nullable): write there instead */
	CamTransportOptions transport;
	CamSandboxLimits limits;
	/* Stop when it is known what would be done and what not: nothing is made. For the graft
	 * that takes the packages; they are downloaded. */
	gboolean dry_run;
	gboolean refuse_unexplained; /* give no name to an image with paths that nothing explains */
} CamFixOptions;

typedef struct {
	/* The fixed one, in the store; of an unchanged one the original. It has its name unless
	 * something is still open. */
	CamImage *image;
	CamFixPlan *plan;
	CamScanResult *before;
	CamScanResult *after; /* (nullable): where unchanged */
	/* (element-type CamFinding), of @after: planned, yet there: the command fails, and the
	 * image is neither named nor written. */
	GPtrArray *still_open;
	/* (element-type CamLayerDoubt): paths of the layer that the verified packages do not
	 * explain, nor what is derived from them. */
	GPtrArray *unexplained;
	char *layer_diff_id; /* (nullable): as the rest of the layer, where unchanged */
	char *layer_digest;
	guint64 layer_size; /* compressed bytes */
	char *written_to;   /* (nullable): location */
	gboolean unchanged; /* there was nothing to do */
	gboolean reused;    /* a layer that the store had did it: the package manager did not run */
	CamApplyMethod method;
} CamFixResult;
void cam_fix_result_free(CamFixResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixResult, cam_fix_result_free)

/**
 * cam_fix_image:
 *
 * Scan, plan, download, apply, make the layer, make the manifest, scan again, name it, write it.
 * The same plan on the same image gives the same digests. Interrupted at any point it can be run
 * again. It is named `<tag>_fix` beside the original; see rebuild/publish/fix-name.h for the rule.
 *
 * Where only writing back fails, the error says so; running it again does not repeat the work.
 */
CamFixResult *cam_fix_image(CamStore *store, CamScanEngine *engine, CamAptRepository *repository,
			    const CamImage *image, const CamFixOptions *options,
			    CamProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
