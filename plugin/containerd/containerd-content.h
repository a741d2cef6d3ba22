/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

/* containerd's content store: blobs by digest, with labels, each visible in some namespaces. */

typedef struct {
	char *digest;
	gint64 size;
	GHashTable *labels; /* char * → char * */
} CamContentInfo;
void cam_content_info_free(CamContentInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamContentInfo, cam_content_info_free)

/* NOT_FOUND as containerd says it. */
CamContentInfo *
cam_containerd_get_content_info(CamContainerd *self, const char *name_space, const char *digest,
				GCancellable *cancellable, GError **error);

/**
 * cam_containerd_open_content:
 *
 * A blob from its beginning, not verified: as file of containerd's, where that is readable, else
 * through its content service. NOT_FOUND.
 */
GInputStream *
cam_containerd_open_content(CamContainerd *self, const char *name_space, const char *digest,
			    GCancellable *cancellable, GError **error);
/* The same, always through the service. */
GInputStream *
cam_containerd_read_content(CamContainerd *self, const char *name_space, const char *digest,
			    GCancellable *cancellable, GError **error);

/**
 * cam_containerd_write_content:
 * @lease: (nullable): under which it is written
 * @descriptor: digest, and size or -1
 * @content: read to its end, unless containerd has the blob already
 * @labels: (nullable): are added where the blob is there already
 *
 * containerd compares digest and size at the end; a blob that is not what @descriptor says is
 * %CAM_ERROR_DATA_LOSS. Nothing half-written stays.
 */
gboolean
cam_containerd_write_content(CamContainerd *self, const char *name_space, const char *lease,
			     const CamDescriptor *descriptor, GInputStream *content,
			     GHashTable *labels, GCancellable *cancellable, GError **error);

/* Adds labels to content that is there. */
gboolean
cam_containerd_label_content(CamContainerd *self, const char *name_space, const char *digest,
			     GHashTable *labels, GCancellable *cancellable, GError **error);

G_END_DECLS
