/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

typedef enum {
	CAM_MOUNT_AUTO,	    /* the best that the probe finds */
	CAM_MOUNT_EROFS,    /* EROFS metadata image over the object store */
	CAM_MOUNT_CHECKOUT, /* hard-link checkout: times are lost, device nodes need root */
} CamMountMethod;

/**
 * CamMount:
 *
 * A merged rootfs made visible as a directory tree, read-only, for overlayfs to stand on. Freeing
 * it unmounts and removes what was made. Needs CAP_SYS_ADMIN; without it UNIMPLEMENTED.
 */
typedef struct _CamMount CamMount;

/* What AUTO means here and why, in a sentence. */
CamMountMethod cam_mount_probe(CamStore *store, char **reason);

/**
 * cam_mount_rootfs:
 * @diff_ids: base first
 *
 * Makes the lower layers of the merged tree.
 */
CamMount *cam_mount_rootfs(CamStore *store, const char *const *diff_ids, CamMountMethod method,
			   GCancellable *cancellable, GError **error);
CamMountMethod cam_mount_get_method(CamMount *self);

/**
 * cam_mount_overlay:
 * @upper, @work: (nullable): both or none; empty directories on one file system that overlayfs
 *     accepts. Without them the mount is read-only.
 * @target: directory
 *
 * Mounts overlayfs on @target. cam_mount_free() unmounts it first.
 */
gboolean cam_mount_overlay(CamMount *self, const char *upper, const char *work, const char *target,
			   GError **error);

void cam_mount_free(CamMount *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamMount, cam_mount_free)

G_END_DECLS
