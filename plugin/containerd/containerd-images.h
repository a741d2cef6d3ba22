/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

/**
 * CamContainerdImage: a record of containerd's image store: a name and what it stands for.
 */
typedef struct {
	char *name;
	CamDescriptor *target;	 /* a manifest or an index */
	GHashTable *labels;	 /* char * → char * */
	gint64 created, updated; /* nanoseconds since 1970 */
} CamContainerdImage;
void cam_containerd_image_free(CamContainerdImage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamContainerdImage, cam_containerd_image_free)

/* (transfer full) (element-type CamContainerdImage): by name. Records whose target is no descriptor
 * are left out. */
GPtrArray *cam_containerd_list_images(CamContainerd *self, const char *name_space,
				      GCancellable *cancellable, GError **error);
/* NOT_FOUND as containerd says it. */
CamContainerdImage *
cam_containerd_get_image(CamContainerd *self, const char *name_space, const char *name,
			 GCancellable *cancellable, GError **error);
/* ALREADY_EXISTS for a name that there is, whatever it stands for.
 * @labels: (nullable); @lease: (nullable) */
gboolean cam_containerd_create_image(CamContainerd *self, const char *name_space, const char *lease,
				     const char *name, const CamDescriptor *target,
				     GHashTable *labels, GCancellable *cancellable, GError **error);
/* Lets a name that there is stand for @target; @labels are added to those that it has. */
gboolean cam_containerd_update_image(CamContainerd *self, const char *name_space, const char *lease,
				     const char *name, const CamDescriptor *target,
				     GHashTable *labels, GCancellable *cancellable, GError **error);
/* @sync: wait until containerd has collected what nothing names any more */
gboolean cam_containerd_delete_image(CamContainerd *self, const char *name_space, const char *name,
				     gboolean sync, GCancellable *cancellable, GError **error);

/**
 * cam_containerd_explain_missing_image:
 *
 * Makes of a NOT_FOUND of cam_containerd_get_image() one that helps: whether the namespace exists,
 * and which names are near. Other errors stay as they are. Always returns FALSE.
 */
gboolean
cam_containerd_explain_missing_image(CamContainerd *self, const char *name_space, const char *name,
				     GCancellable *cancellable, GError **error);

G_END_DECLS
