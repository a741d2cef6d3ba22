/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"
#include "snapshotter/transport/image-transport.h"

G_BEGIN_DECLS

/* How @source is to be read: credentials and the like. */
typedef void (*CamFillTransportFunc)(const CamLocation *source, CamTransportOptions *options,
				     gpointer user_data);

typedef struct {
	char *subject; /* "image shop:1.0", or "layer sha256:…" that no image has */
	char *source;  /* (nullable): where something was fetched from */
	char *problem; /* (nullable): why it could not be restored; NULL: it is whole again */
} CamRestored;
void cam_restored_free(CamRestored *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamRestored, cam_restored_free)

/**
 * cam_store_restore:
 * @verified: what cam_store_verify() found and forgot
 *
 * Brings back what the affected images lack, and nothing else: out of blobs that the store has
 * itself, else from where an image was imported from. It must be the very same image: a tag that
 * has moved on is a problem, no repair. Names and sources stay as they are. A layer that no image
 * has (of a snapshot, say) comes back if that brings back all of its objects.
 *
 * Returns: (transfer full) (element-type CamRestored): one for each affected image, and for each
 *     layer that is lost although no image has it. NULL if cancelled.
 */
GPtrArray *cam_store_restore(CamStore *self, const CamVerifyResult *verified,
			     CamFillTransportFunc fill, gpointer user_data, CamProgress *progress,
			     GCancellable *cancellable, GError **error);

G_END_DECLS
