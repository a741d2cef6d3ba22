/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

/*
 * Leases keep what is written, and what is named, from containerd's garbage collector until they
 * are deleted or expire. Requests are made under a lease by its id.
 */

/* @seconds: after which containerd forgets it, whatever became of us.
 * Returns: (transfer full): the id of a new lease, "cambium-…" */
char *cam_containerd_create_lease(CamContainerd *self, const char *name_space, guint seconds,
				  GCancellable *cancellable, GError **error);
/* One that is gone already is no error. */
gboolean cam_containerd_delete_lease(CamContainerd *self, const char *name_space, const char *id,
				     GCancellable *cancellable, GError **error);
/* Puts content that there is under a lease. */
gboolean
cam_containerd_lease_content(CamContainerd *self, const char *name_space, const char *id,
			     const char *digest, GCancellable *cancellable, GError **error);

G_END_DECLS
