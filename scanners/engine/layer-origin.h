/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

/**
 * CamLayerOrigin: finds the layer of each package of an image, holding one layer's inventory at a
 * time, as an image may have many layers with a large database each.
 */
typedef struct _CamLayerOrigin CamLayerOrigin;

/* @inventory: of the whole image; its packages get their layer. */
CamLayerOrigin *cam_layer_origin_new(CamInventory *inventory);
/* For each layer from the top one on. @layer: what its tree alone says. FALSE: the layers below
 * cannot change anything any more. */
gboolean cam_layer_origin_add(CamLayerOrigin *self, int index, const CamInventory *layer);
void cam_layer_origin_free(CamLayerOrigin *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLayerOrigin, cam_layer_origin_free)

G_END_DECLS
