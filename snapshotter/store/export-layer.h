/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One layer on its way out of the store. Private to the export. */
#pragma once

#include "snapshotter/store/image-import.h"

G_BEGIN_DECLS

typedef struct {
	CamStore *store;
	CamImageTransport *destination;
	GPtrArray *sources;	/* (element-type CamImageTransport): where the blobs may still be */
	const char *mount_from; /* (nullable): as for cam_image_transport_has_blob() */
	CamExportCompression compression;
	gboolean docker; /* media types of docker's family */
	CamProgress *progress;
	GCancellable *cancellable;
	CamExportResult *result;
} CamLayerExport;

/**
 * cam_layer_export_send:
 * @wanted: as the manifest has it
 * @label: what to call it to people, "layer 2/3"
 *
 * Returns: (transfer full): the descriptor of the blob that the destination has now: @wanted, or
 *     another that holds the same layer
 */
CamDescriptor *cam_layer_export_send(CamLayerExport *self, const CamDescriptor *wanted,
				     const char *diff_id, const char *label, GError **error);

/* Sends a blob that the store has. */
gboolean cam_layer_export_send_blob(CamLayerExport *self, const CamDescriptor *descriptor,
				    const char *label, GError **error);

G_END_DECLS
