/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	CAM_PACKAGE_DEB,
	CAM_PACKAGE_RPM,
	CAM_PACKAGE_APK,
} CamPackageType;

/**
 * CamPackage: one installed package, as an inventory found it.
 */
typedef struct {
	CamPackageType type;
	char *name;
	char *version;
	char *architecture;   /* (nullable) */
	char *source_name;    /* never NULL: the name where nothing else is said */
	char *source_version; /* never NULL */
	char *multi_arch;     /* (nullable): "same", "foreign", "allowed" */
	char *origin;	      /* (nullable): who made it, in the words of its own database */
	gboolean held;	      /* its system says that it must not move */
	gboolean essential;
	char *path; /* the database that lists it, "var/lib/dpkg/status" */
	int layer;  /* index of the layer that brought this version, -1 unknown */
} CamPackage;

CamPackage *cam_package_new(CamPackageType type, const char *name, const char *version);
CamPackage *cam_package_copy(const CamPackage *self);
/* By name, then architecture, version and database: a total order for sorting. */
int cam_package_compare(const CamPackage *a, const CamPackage *b);
/* Package URL, "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12" (purl-spec).
 * @version_id (nullable): the release; without it no distro is named. */
char *
cam_package_get_purl(const CamPackage *self, const char *distribution, const char *version_id);
void cam_package_free(CamPackage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamPackage, cam_package_free)

G_END_DECLS
