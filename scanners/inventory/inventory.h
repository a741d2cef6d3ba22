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
	GPtrArray *problems; /* (element-type utf8): what of the image could not be read, a sentence
			      * each that names file and line. While there is one, the absence of a
			      * finding says nothing: the risk is at best unknown. */
} CamInventory;

CamInventory *cam_inventory_new(void);
/* Moves all of @other, which is left empty, to the end of @self. */
void cam_inventory_absorb(CamInventory *self, CamInventory *other);
void cam_inventory_sort(CamInventory *self);
/* Bytes that are no UTF-8 are replaced. */
void cam_inventory_add_problem(CamInventory *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* For storing; the form may change with the version of any scanner. */
GBytes *cam_inventory_to_bytes(const CamInventory *self);
/* (nullable): NULL for bytes that no inventory makes. */
CamInventory *cam_inventory_from_bytes(GBytes *bytes);
void cam_inventory_free(CamInventory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamInventory, cam_inventory_free)

/* Adds what one stanza file, "status" or a file of status.d, lists; packages that are not installed
 * are left out. A malformed stanza costs that package and is a problem. */
gboolean cam_dpkg_parse_status(const char *data, gsize size, const char *path,
			       CamInventory *inventory, GError **error);

G_END_DECLS
