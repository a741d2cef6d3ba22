/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the implementations of CamImageTransport: how they are made and what they share. */
#pragma once

#include "snapshotter/transport/image-transport.h"
#include "snapshotter/transport/resuming-stream.h"

G_BEGIN_DECLS

/* CamTransportOpeners, one a file. */
CamImageTransport *
cam_registry_open(const CamLocation *location, gboolean writable,
		  const CamTransportOptions *options, GCancellable *cancellable, GError **error);
CamImageTransport *
cam_oci_layout_open(const CamLocation *location, gboolean writable,
		    const CamTransportOptions *options, GCancellable *cancellable, GError **error);
CamImageTransport *
cam_oci_archive_open(const CamLocation *location, gboolean writable,
		     const CamTransportOptions *options, GCancellable *cancellable, GError **error);
CamImageTransport *cam_docker_archive_open(const CamLocation *location, gboolean writable,
					   const CamTransportOptions *options,
					   GCancellable *cancellable, GError **error);

CamProgress *cam_image_transport_get_progress(CamImageTransport *self);
/* A directory for temporary files, or -1. */
int cam_image_transport_get_cache_dirfd(CamImageTransport *self);
/* A stream over a blob by way of its part in the cache directory, if there is one. */
GInputStream *
cam_image_transport_cached_stream(CamImageTransport *self, const CamDescriptor *descriptor,
				  CamStreamOpener open, gpointer user_data, GDestroyNotify destroy,
				  GError **error);

G_END_DECLS
