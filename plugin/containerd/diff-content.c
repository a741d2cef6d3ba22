/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containerd's content store as the place of the diff service's blobs. */
#include "plugin/containerd/diff-content.h"

#include "plugin/containerd/containerd-content.h"
#include "plugin/containerd/containerd-leases.h"

/* Seconds that a blob is kept for whoever asked for it without a lease. */
#define KEEP 3600
/* Microseconds. containerd, which asks us, is there; but its socket may be newer than our channel
 * to it, which tries again in a moment. */
#define PATIENCE (5 * G_USEC_PER_SEC)
#define PAUSE	 (G_USEC_PER_SEC / 20)

/* After a failure: whether to try again, with @error cleared. */
static gboolean
try_again(gint64 since, GCancellable *cancellable, GError **error)
{
	if (!g_error_matches(*error, CAM_ERROR, CAM_ERROR_UNAVAILABLE) ||
	    g_get_monotonic_time() > since + PATIENCE || g_cancellable_is_cancelled(cancellable))
		return FALSE;
	g_clear_error(error);
	g_usleep(PAUSE);
	return TRUE;
}

static GInputStream *
open_content(gpointer user_data, const char *name_space, const CamDescriptor *descriptor,
	     GCancellable *cancellable, GError **error)
{
	gint64 since = g_get_monotonic_time();
	GError *local = NULL;
	GInputStream *content;

	do {
		content = cam_containerd_open_content(user_data, name_space, descriptor->digest,
						      cancellable, &local);
	} while (content == NULL && try_again(since, cancellable, &local));
	if (local != NULL)
		g_propagate_error(error, local);
	return content;
}

/* (transfer full): also finds out whether containerd answers, before @content is read. */
static char *
make_lease(CamContainerd *containerd, const char *name_space, GCancellable *cancellable,
	   GError **error)
{
	gint64 since = g_get_monotonic_time();
	GError *local = NULL;
	char *lease;

	do {
		lease = cam_containerd_create_lease(containerd, name_space, KEEP, cancellable,
						    &local);
	} while (lease == NULL && try_again(since, cancellable, &local));
	if (local != NULL)
		g_propagate_error(error, local);
	return lease;
}

static gboolean
write_content(gpointer user_data, const char *name_space, const char *lease,
	      const CamDescriptor *descriptor, GInputStream *content, GHashTable *labels,
	      GCancellable *cancellable, GError **error)
{
	g_autofree char *own = NULL;

	if (lease == NULL) {
		own = make_lease(user_data, name_space, cancellable, error);
		if (own == NULL)
			return FALSE;
	}
	return cam_containerd_write_content(user_data, name_space, own != NULL ? own : lease,
					    descriptor, content, labels, cancellable, error);
}

const CamDiffContent cam_diff_content_containerd = { open_content, write_content };
