/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

/**
 * CamPackageChange: one package that is of another version, new, or gone.
 */
typedef struct {
	char *name, *architecture, *source_name;
	char *before, *after; /* (nullable) versions */
	/* (nullable): the database that lists it, "var/lib/dpkg/status" or a file of status.d */
	char *before_path, *after_path;
} CamPackageChange;
void cam_package_change_free(CamPackageChange *self);

/* "libssl3:amd64 3.0.11-1 → 3.0.17-1", "new …", "removed …" */
char *cam_package_change_to_string(const CamPackageChange *self);

/* @before, @after: (element-type CamPackage), sorted. (element-type CamPackageChange), by name */
GPtrArray *cam_diff_packages(const GPtrArray *before, const GPtrArray *after);

G_END_DECLS
