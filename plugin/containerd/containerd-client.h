/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/grpc-channel.h"

G_BEGIN_DECLS

/**
 * CamContainerd:
 *
 * containerd as its clients see it. Here are the connection and what belongs to no namespace; each
 * service has a header of its own beside this one. Thread-safe.
 *
 * Everywhere: @name_space is containerd's ("default", "k8s.io"). Errors are containerd's own
 * (%CAM_ERROR_NOT_FOUND, %CAM_ERROR_ALREADY_EXISTS, …); %CAM_ERROR_UNAVAILABLE says what to do if
 * it cannot be reached. Text that comes back is valid UTF-8, but may hold control characters.
 */
#define CAM_TYPE_CONTAINERD (cam_containerd_get_type())
G_DECLARE_FINAL_TYPE(CamContainerd, cam_containerd, CAM, CONTAINERD, GObject)

/* @address: path of its socket. Nothing is connected yet. */
CamContainerd *cam_containerd_new(const char *address, GError **error);
const char *cam_containerd_get_address(CamContainerd *self);

/* (transfer full): "1.6.20~ds1" */
char *cam_containerd_get_version(CamContainerd *self, GCancellable *cancellable, GError **error);

typedef struct {
	char *type, *id; /* "io.containerd.snapshotter.v1", "overlayfs" */
	GHashTable *exports; /* char * → char *: "root" → "/var/lib/containerd/…", "address" → … */
	char *problem; /* (nullable): why it does not run */
} CamContainerdPlugin;
void cam_containerd_plugin_free(CamContainerdPlugin *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamContainerdPlugin, cam_containerd_plugin_free)

/* (transfer full) (element-type CamContainerdPlugin): those of @type, NULL for all */
GPtrArray *cam_containerd_list_plugins(CamContainerd *self, const char *type,
				       GCancellable *cancellable, GError **error);

/**
 * cam_containerd_get_content_root:
 *
 * Returns: (transfer none) (nullable): the folder that holds blobs/sha256/…, or NULL where it is
 *     not known or not readable from here: blobs then come through the content service
 */
const char *cam_containerd_get_content_root(CamContainerd *self, GCancellable *cancellable);

/* (transfer full): names, sorted */
char **
cam_containerd_list_namespaces(CamContainerd *self, GCancellable *cancellable, GError **error);
/* %CAM_ERROR_NOT_FOUND names those that there are. */
gboolean cam_containerd_check_namespace(CamContainerd *self, const char *name_space,
					GCancellable *cancellable, GError **error);

G_END_DECLS
