/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/layer/layer-writer.h"
#include "rebuild/plan/fix-plan.h"
#include "rebuild/sandbox/sandbox.h"

G_BEGIN_DECLS

/**
 * CamPackageManager:
 *
 * How the packages of a plan get into a tree. One implementation each: dpkg in a sandbox, graft.
 */
typedef struct {
	const char *name; /* "dpkg", "graft" */
	/* Whether it can serve this image; *@reason says why not. */
	gboolean (*probe)(CamRootfs *rootfs, char **reason);
	/* Adds to @tar all that changes. @debs: paths in plan order. What is not fixable this way
	 * is moved from plan->packages to plan->unfixable with the reason. */
	gboolean (*apply)(CamStore *store, const CamImage *image, CamFixPlan *plan,
			  const char *const *debs, const CamSandboxLimits *limits, CamLayerTar *tar,
			  CamProgress *progress, GCancellable *cancellable, GError **error);
} CamPackageManager;

extern const CamPackageManager cam_package_manager_dpkg;
extern const CamPackageManager cam_package_manager_graft;

G_END_DECLS
