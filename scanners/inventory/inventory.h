/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/inventory/os-release.h"
#include "scanners/inventory/package.h"
#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamInventory: what an image consists of. Depends on nothing but the tree.
 */
typedef struct {
	CamOsRelease *os;    /* never NULL in an inventory that the engine returns */
	GPtrArray *packages; /* (element-type CamPackage), by cam_package_compare() */
	GPtrArray *paths;    /* (element-type filename): the databases that were read */
} CamInventory;

CamInventory *cam_inventory_new(void);
/* Moves all of @other, which is left empty, to the end of @self. */
void cam_inventory_absorb(CamInventory *self, CamInventory *other);
void cam_inventory_sort(CamInventory *self);
/* For storing; the form may change with the version of any scanner. */
GBytes *cam_inventory_to_bytes(const CamInventory *self);
/* (nullable): NULL for bytes that no inventory makes. */
CamInventory *cam_inventory_from_bytes(GBytes *bytes);
void cam_inventory_free(CamInventory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamInventory, cam_inventory_free)

/* One stanza file, "status" or a file of status.d; packages that are not installed are left out.
 * Malformed stanzas are DATA_LOSS with the line. (element-type CamPackage) */
GPtrArray *cam_dpkg_parse_status(const char *data, gsize size, const char *path, GError **error);

G_END_DECLS
