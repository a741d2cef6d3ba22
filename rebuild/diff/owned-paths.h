/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/package-diff.h"

G_BEGIN_DECLS

/**
 * CamOwnedPath: what a package database says of one path.
 */
typedef struct {
	const CamPackageChange *package; /* the (last) package that lists it */
	char *md5;	      /* (nullable): hex, of a regular file's content as packaged */
	gboolean is_conffile; /* the administrator may have changed it */
} CamOwnedPath;

/**
 * CamOwnedPaths: the paths that changed packages own in one tree, by where they really lie there
 * (a package that lists /lib/x owns usr/lib/x where /lib is a link; diversions are applied).
 */
typedef struct _CamOwnedPaths CamOwnedPaths;

/* @changes: (element-type CamPackageChange), which must outlive the result
 * @after: whether @rootfs is the tree after the changes, or before. A file list that is missing or
 *     cannot be read makes its package own nothing, so that its files stay unexplained. */
CamOwnedPaths *
cam_owned_paths_read(CamRootfs *rootfs, const GPtrArray *changes, gboolean after, GError **error);
/* (nullable) */
const CamOwnedPath *cam_owned_paths_find(CamOwnedPaths *self, const char *path);
void cam_owned_paths_free(CamOwnedPaths *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamOwnedPaths, cam_owned_paths_free)

G_END_DECLS
