/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What OCI layouts are to read, whether they are directories or archives. Private to this folder.
 */
#pragma once

#include "snapshotter/transport/image-transport-private.h"
#include "snapshotter/transport/layout-index.h"

G_BEGIN_DECLS

#define CAM_TYPE_LAYOUT_TRANSPORT (cam_layout_transport_get_type())
G_DECLARE_DERIVABLE_TYPE(CamLayoutTransport, cam_layout_transport, CAM, LAYOUT_TRANSPORT,
			 CamImageTransport)

struct _CamLayoutTransportClass {
	CamImageTransportClass parent_class;

	/* index.json as it is now; an empty one of a layout that is being made. The slot
	 * open_blob must accept a descriptor of unknown size (-1). */
	CamIndex *(*read_index)(CamLayoutTransport *self, GCancellable *cancellable,
				GError **error);
};

/* "blobs/sha256/…" */
char *cam_layout_blob_path(const char *digest);

G_END_DECLS
