/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

/**
 * CamDiffContent: where the diff service finds blobs and leaves them. Called from any thread.
 */
typedef struct {
	/* (transfer full): the blob from its beginning; it need not be verified. NOT_FOUND. */
	GInputStream *(*open)(gpointer user_data, const char *name_space,
			      const CamDescriptor *descriptor, GCancellable *cancellable,
			      GError **error);
	/* Keeps @content as the blob that @descriptor says, with @labels, under @lease, or, without
	 * one, long enough for the caller to refer to it. One that is there already is no error. */
	gboolean (*write)(gpointer user_data, const char *name_space, const char *lease,
			  const CamDescriptor *descriptor, GInputStream *content,
			  GHashTable *labels, GCancellable *cancellable, GError **error);
} CamDiffContent;

/* containerd's content store; its user data is a CamContainerd. */
extern const CamDiffContent cam_diff_content_containerd;

G_END_DECLS
