/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/plan/fix-plan.h"
#include "rebuild/proof/deb-content.h"

G_BEGIN_DECLS

/* A path of a layer that nothing verified explains. */
typedef struct {
	char *path;   /* raw bytes, without leading "/" */
	char *reason; /* why it is not explained: a phrase */
} CamLayerDoubt;
void cam_layer_doubt_free(CamLayerDoubt *self);

/**
 * cam_layer_prove:
 * @before, @after: the tree of an image without and with the layer
 * @packages: (element-type CamPlannedPackage): what the layer is to install
 * @contents: (element-type CamDebContent): of each of them, by its verified .deb
 * @byte_code: (nullable) (element-type utf8): compiled Python files are added to it whose source
 *     is verified, but whose own content is not: cam_byte_code_check() does that
 *
 * Holds every difference between the two trees against the packages: content, type, mode, owner
 * and extended attributes must be those of the .deb; or the path belongs to a closed table of
 * files that are derived from packages, and its content follows from the packages and from @before.
 * Privileges (set-id bits, capabilities) are those of the .deb or those that the very path had in
 * @before. Checksums that an image carries are no evidence.
 *
 * A layer without doubts about @before's image does the same to it whoever made the layer.
 *
 * Returns: (element-type CamLayerDoubt), by path; NULL on error
 */
GPtrArray *cam_layer_prove(CamRootfs *before, CamRootfs *after, const GPtrArray *packages,
			   const GPtrArray *contents, GPtrArray *byte_code,
			   GCancellable *cancellable, GError **error);

G_END_DECLS
