/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/inventory/package.h"
#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamOsRelease: os-release(5) of an image, and what Cambium knows of the release.
 */
typedef struct {
	char *id;		/* "debian"; "linux" where there is no os-release */
	char *version_id;	/* (nullable) "12" */
	char *codename;		/* (nullable) "bookworm" */
	char *pretty_name;	/* (nullable) */
	char *ecosystem;	/* (nullable): OSV's name, "Debian:12" */
	char *end_of_life;	/* (nullable): "2026-06-10": end of security support */
	char *end_of_lts;	/* (nullable) */
} CamOsRelease;

/**
 * CamInventory: what an image consists of. Depends on nothing but the tree.
 */
typedef struct {
	CamOsRelease *os;
	GPtrArray *packages; /* (element-type CamPackage), by name, then architecture */
	char **paths;	     /* the databases that were read */
} CamInventory;
void cam_inventory_free(CamInventory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamInventory, cam_inventory_free)

/* One stanza file, "status" or a file of status.d; packages that are not installed are left out.
 * Malformed stanzas are DATA_LOSS with the line. (element-type CamPackage) */
GPtrArray *cam_dpkg_parse_status(const char *data, gsize size, const char *path, GError **error);
CamOsRelease *cam_os_release_parse(const char *data, gsize size);
void cam_os_release_free(CamOsRelease *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamOsRelease, cam_os_release_free)

G_END_DECLS
