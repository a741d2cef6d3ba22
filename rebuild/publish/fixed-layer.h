/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/layer/layer-writer.h"

G_BEGIN_DECLS

/**
 * CamFixedLayer: the layer that heals an image, as the image's documents speak of it.
 */
typedef struct {
	char *diff_id;
	CamDescriptor *blob; /* its compressed form, which the store holds */
	gint64 epoch;	     /* seconds since 1970: when it was "created" */
	char *created_by;    /* what made it, for the history */
} CamFixedLayer;

/**
 * cam_fixed_layer_new:
 * @media_types: the manifest that the layer will be part of: it decides how the layer is
 *     compressed (zstd where it has zstd layers, else gzip) and whether OCI's or docker's media
 *     type names it
 * @lease: (nullable): id of a lease that shall keep the layer until it is removed; it expires
 *     after a day
 *
 * Writes @tar once, into the store's directory for unfinished work, and from there imports and
 * compresses it at the same time. What the store has already is not made again.
 */
CamFixedLayer *
cam_fixed_layer_new(CamStore *store, CamLayerTar *tar, const CamManifest *media_types,
		    const char *lease, CamProgress *progress, GCancellable *cancellable,
		    GError **error);
/* The same from a layer that the store has; NOT_FOUND if it has it no more. */
CamFixedLayer *
cam_fixed_layer_reuse(CamStore *store, const char *diff_id, const CamManifest *media_types,
		      const char *lease, GCancellable *cancellable, GError **error);
void cam_fixed_layer_free(CamFixedLayer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixedLayer, cam_fixed_layer_free)

/* What cam_fixed_layer_new() does with a manifest: the compression and the media type for it. */
CamCompression cam_fixed_layer_compression(const CamManifest *manifest);
const char *cam_fixed_layer_media_type(const CamManifest *manifest, CamCompression compression);

G_END_DECLS
