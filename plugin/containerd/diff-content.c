/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd's content store as the place of the diff service's blobs. */
#include "plugin/containerd/diff-content.h"

#include "plugin/containerd/containerd-content.h"

static GInputStream *
open_content(gpointer user_data, const char *name_space, const CamDescriptor *descriptor,
	     GCancellable *cancellable, GError **error)
{
	return cam_containerd_open_content(user_data, name_space, descriptor->digest, cancellable,
					   error);
}

static gboolean
write_content(gpointer user_data, const char *name_space, const char *lease,
	      const CamDescriptor *descriptor, GInputStream *content, GHashTable *labels,
	      GCancellable *cancellable, GError **error)
{
	return cam_containerd_write_content(user_data, name_space, lease, descriptor, content,
					    labels, cancellable, error);
}

const CamDiffContent cam_diff_content_containerd = { open_content, write_content };
