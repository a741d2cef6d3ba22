/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store.h"
#include "snapshotter/transport/image-transport.h"

G_BEGIN_DECLS

typedef struct {
	const char *name;      /* (nullable): name in the store instead of the source's own */
	CamPlatform *platform; /* (nullable): default linux/<host> */
	CamLayerLimits limits;
	CamTransportOptions transport;
	gboolean replace; /* default for the CLI: TRUE (a tag that moved is followed) */
} CamImportOptions;

/**
 * cam_image_import:
 *
 * The whole way from a location to a named image of the store: manifest or index, config, layers
 * that are not there yet (known by blob digest or diffID; never fetched again), rootfs, name.
 * Interrupted at any point, it can be run again and keeps the layers that were finished.
 */
CamImage *
cam_image_import(CamStore *store, const CamLocation *source, const CamImportOptions *options,
		 CamProgress *progress, GCancellable *cancellable, GError **error);

typedef enum {
	CAM_EXPORT_KEEP, /* same compression as the manifest says where a blob must be made anew */
	CAM_EXPORT_GZIP,
	CAM_EXPORT_ZSTD,
	CAM_EXPORT_NONE,
} CamExportCompression;

typedef struct {
	const char *tag; /* (nullable): overrides the destination's own */
	CamExportCompression compression;
	gboolean replace; /* an existing tag that stands for another digest may be replaced */
	CamTransportOptions transport;
} CamExportOptions;

typedef struct {
	char *manifest_digest; /* as written */
	gboolean rewritten;    /* the manifest differs from the store's: layers were recompressed */
	guint layers_sent, layers_present, layers_copied;
	guint64 bytes_sent;
} CamExportResult;
void cam_export_result_clear(CamExportResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamExportResult, cam_export_result_clear)

/**
 * cam_image_export:
 *
 * Writes an image to a location. Each layer, in this order of preference: the destination has the
 * blob (nothing is sent); the store has the compressed blob; the source that the image came from
 * can still be read and the blob is copied, verified, from there; the blob is made anew from the
 * store, which changes its digest and so the manifest (@rewritten; the config and the diffIDs
 * stay). docker-archives hold uncompressed layers and are always made from the store.
 */
gboolean cam_image_export(CamStore *store, const CamImage *image, const CamLocation *destination,
			  const CamExportOptions *options, CamProgress *progress,
			  CamExportResult *result, GCancellable *cancellable, GError **error);

G_END_DECLS
