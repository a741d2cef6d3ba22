/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

/**
 * CamContainerdContainer: a container, and the task in it if it has one.
 */
typedef struct {
	char *id;
	char *image; /* name of an image record, or "" */
	char *snapshotter, *snapshot_key;
	GHashTable *labels; /* char * → char * */
	const char *status; /* (nullable): of its task: "created", "running", "stopped", "paused",
			     * "pausing", "unknown"; NULL where it has none */
	guint32 pid;	    /* of its task, or 0 */
} CamContainerdContainer;
void cam_containerd_container_free(CamContainerdContainer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamContainerdContainer, cam_containerd_container_free)

/* Whether processes of it exist: created, running, paused or pausing. */
gboolean cam_containerd_container_is_alive(const CamContainerdContainer *self);

/* (transfer full) (element-type CamContainerdContainer): by id */
GPtrArray *cam_containerd_list_containers(CamContainerd *self, const char *name_space,
					  GCancellable *cancellable, GError **error);

G_END_DECLS
