/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"

G_BEGIN_DECLS

typedef enum {
	CAM_MOUNT_AUTO,	 /* the best that the probe finds */
	CAM_MOUNT_EROFS, /* EROFS metadata image over the object store */
	/* The same through a loop device also where the image could be mounted from its file. Then
	 * a container can stack one more overlay on its root, as on a directory. */
	CAM_MOUNT_EROFS_LOOP,
	CAM_MOUNT_CHECKOUT, /* hard-link checkout: times are lost, device nodes need root */
} CamMountMethod;

/**
 * CamMount:
 *
 * A merged rootfs made visible as a directory tree, read-only, for overlayfs to stand on. Freeing
 * it unmounts and removes what was made. Needs CAP_SYS_ADMIN; without it UNIMPLEMENTED.
 */
typedef struct _CamMount CamMount;

/**
 * cam_mount_probe:
 * @reason: (out) (optional): in a sentence
 *
 * What AUTO means here. It is found out by mounting something small, once for each store.
 */
CamMountMethod cam_mount_probe(CamStore *store, char **reason);

/**
 * cam_mount_rootfs:
 * @diff_ids: base first
 *
 * Makes the lower layers of the merged tree. Holds the store (see cam_store_hold()) until it is
 * freed.
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
 * Makes the tree visible on @target; cam_mount_free() unmounts it first. What a change leaves in
 * @upper is complete in itself: whole files (also after a mere chmod), character devices 0/0 for
 * what is removed, `trusted.overlay.opaque` on directories that were removed and made again; a
 * rename of a lower directory fails with EXDEV, so that mv(1) copies it. Nothing is synced to
 * disk: after a crash @upper is worthless.
 */
gboolean cam_mount_overlay(CamMount *self, const char *upper, const char *work, const char *target,
			   GError **error);

void cam_mount_free(CamMount *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamMount, cam_mount_free)

G_END_DECLS
