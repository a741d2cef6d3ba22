/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_containerd_transport_open:
 *
 * A CamTransportOpener for `containerd://NAMESPACE/REFERENCE`: an image of a namespace of the
 * containerd whose socket @options name (NULL: %CAM_CONTAINERD_SOCKET).
 *
 * What is written is under a lease until it is committed, so that containerd's garbage collection
 * takes nothing of it; a transport that is freed before leaves nothing that would stay. Committing
 * makes the image record last, so that there is no name without its content. A record that stands
 * for another image is replaced, unless resolve_tag() said that the name is free: then it is
 * %CAM_ERROR_ALREADY_EXISTS.
 */
CamImageTransport *cam_containerd_transport_open(const CamLocation *location, gboolean writable,
						 const CamTransportOptions *options,
						 GCancellable *cancellable, GError **error);

/* The key of the one that names the config of a manifest. */
#define CAM_CONTAINERD_CONFIG_LABEL "containerd.io/gc.ref.content.config"

/* Labels by which containerd's garbage collection finds the children of a manifest or index, as
 * its own clients set them. (transfer full) (element-type utf8 utf8) */
GHashTable *cam_containerd_child_labels(GBytes *document, const char *media_type, GError **error);

G_END_DECLS
