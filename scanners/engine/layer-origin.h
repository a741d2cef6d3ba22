/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/inventory/inventory.h"

G_BEGIN_DECLS

/**
 * cam_inventory_name_layers:
 * @layers: (element-type CamInventory): what each layer's own tree lists, base first
 *
 * Sets the layer of every package of @self: of the layers that hold the database which lists the
 * package, the lowest from which on every one of them lists it in this version. -1 where no layer
 * holds that database.
 */
void cam_inventory_name_layers(CamInventory *self, const GPtrArray *layers);

G_END_DECLS
