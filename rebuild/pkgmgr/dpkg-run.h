/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/pkgmgr/dpkg-config.h"
#include "rebuild/pkgmgr/workspace.h"
#include "rebuild/plan/fix-plan.h"
#include "rebuild/sandbox/sandbox.h"

G_BEGIN_DECLS

/* Where the sandbox answers "may this service be started?"; mounted on, never changed. */
#define CAM_DPKG_POLICY "usr/sbin/policy-rc.d"

/**
 * cam_dpkg_install:
 * @workspace: the tree, mounted read-write
 * @packages: (element-type CamPlannedPackage): in the order of installation
 * @debs: a path for each
 * @config: the image's configuration; its masks are written into the tree, for
 *     cam_upper_diff() to leave out again
 *
 * Has the tree's own dpkg install packages, without questions and without touching configuration
 * files that were changed, then checks in its database that all of them are installed in the
 * planned version and that nothing was left half done. FAILED_PRECONDITION has dpkg's last words.
 */
gboolean cam_dpkg_install(const CamWorkspace *workspace, const CamSandboxLimits *limits,
			  GPtrArray *packages, const char *const *debs, const CamDpkgConfig *config,
			  GCancellable *cancellable, GError **error);

G_END_DECLS
