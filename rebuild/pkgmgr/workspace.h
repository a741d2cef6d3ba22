/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamWorkspace:
 *
 * The rootfs of an image mounted read-write over a fresh upper directory, in the store's temporary
 * directory. Freeing it unmounts and removes everything.
 */
typedef struct {
	CamStore *store;
	CamMount *mount;
	char *name;	  /* in the store's temporary directory */
	char *root;	  /* where the tree is mounted */
	char *scratch;	  /* a directory for the sandbox's own things */
	char *upper_path; /* where what is written ends up */
	CamFd upper, merged;
} CamWorkspace;

CamWorkspace *cam_workspace_new(CamStore *store, const CamImage *image, CamRootfs *rootfs,
				GCancellable *cancellable, GError **error);
void cam_workspace_free(CamWorkspace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamWorkspace, cam_workspace_free)

G_END_DECLS
