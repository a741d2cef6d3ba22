/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/publish/fixed-layer.h"

G_BEGIN_DECLS

#define CAM_ANNOTATION_BASE_NAME   "org.opencontainers.image.base.name"
#define CAM_ANNOTATION_BASE_DIGEST "org.opencontainers.image.base.digest"

/**
 * cam_fixed_config:
 *
 * The config of @original with @layer on top: one more diffID, one more history entry (OCI
 * image-spec, config.md; where the history was absent or did not fit the layers it stays so),
 * `created` moved to the layer's. All else stays as it was. Depends on the arguments alone.
 */
GBytes *
cam_fixed_config(const CamImageConfig *original, const CamFixedLayer *layer, GError **error);

/**
 * cam_fixed_manifest:
 * @config: the new config's bytes
 * @base_name: name of the original
 *
 * The manifest of @original with @config and @layer's blob. Media types and the descriptors of
 * the layers below stay; annotations stay, but the base is now the original
 * (annotations.md; docker's schema 2 has no annotations and gets none).
 */
GBytes *cam_fixed_manifest(const CamManifest *original, GBytes *config, const CamFixedLayer *layer,
			   const char *base_name, GError **error);

/**
 * cam_fixed_index:
 * @replaced: digest of the manifest that @manifest stands in for
 *
 * The index with nothing changed but that descriptor. Attestations of the replaced manifest would
 * be lies about the new one and are left out.
 */
GBytes *
cam_fixed_index(const CamIndex *original, const char *replaced, GBytes *manifest, GError **error);

G_END_DECLS
