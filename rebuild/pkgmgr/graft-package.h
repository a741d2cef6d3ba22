/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/pkgmgr/dpkg-config.h"
#include "rebuild/pkgmgr/dpkg-database.h"
#include "rebuild/plan/fix-plan.h"

G_BEGIN_DECLS

/**
 * CamGraft: what all packages of one graft share.
 */
typedef struct {
	CamRootfs *lower;
	CamDpkgDatabase *database;
	CamDpkgConfig *config;
	int scratch;  /* dirfd: contents until the tar is written */
	guint serial; /* of files there */
	GCancellable *cancellable;
} CamGraft;

/**
 * CamGraftPackage: what exchanging one package would change.
 */
typedef struct _CamGraftPackage CamGraftPackage;

/**
 * cam_graft_package_new:
 * @refused: (out): why it cannot be exchanged without running anything; then NULL is returned
 *     without @error
 */
CamGraftPackage *cam_graft_package_new(CamGraft *graft, const CamPlannedPackage *planned,
				       const char *deb, char **refused, GError **error);
/* Adds the changes to @tar and to the database. @graft must live until @tar was written. */
gboolean cam_graft_package_commit(CamGraftPackage *self, CamLayerTar *tar, GError **error);
void cam_graft_package_free(CamGraftPackage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamGraftPackage, cam_graft_package_free)

G_END_DECLS
