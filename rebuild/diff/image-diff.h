/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/package-diff.h"
#include "rebuild/diff/tree-diff.h"

G_BEGIN_DECLS

/**
 * CamImageDiff: what differs between two images, and why.
 */
typedef struct {
	char *before, *after; /* names */
	char *before_digest, *after_digest;
	GPtrArray *packages;			    /* (element-type CamPackageChange) */
	GPtrArray *closed, *remaining, *introduced; /* (element-type CamFinding) */
	GPtrArray *paths;			    /* (element-type CamPathChange) */
	guint unexplained;
	guint64 trees_compared, trees_skipped;
} CamImageDiff;
void cam_image_diff_free(CamImageDiff *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamImageDiff, cam_image_diff_free)

/* The forensic comparison of two images of the store. */
CamImageDiff *cam_image_diff_new(CamStore *store, CamScanEngine *engine, const CamImage *before,
				 const CamImage *after, CamProgress *progress,
				 GCancellable *cancellable, GError **error);

/* The published form; see rebuild/diff/README.md for every member. */
#define CAM_DIFF_SCHEMA "cambium.diff/v1"
JsonObject *cam_image_diff_to_json(const CamImageDiff *self);
/* @style->verbose lists every path, otherwise only the unexplained ones. */
char *cam_image_diff_to_table(const CamImageDiff *self, const CamTableStyle *style);

G_END_DECLS
