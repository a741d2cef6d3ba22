/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/layer/layer-writer.h"
#include "rebuild/pkgmgr/deb-file.h"

G_BEGIN_DECLS

/**
 * CamDpkgDatabase:
 *
 * The package database of an image, read and then changed in memory: var/lib/dpkg/status with
 * info/, and status.d (distroless). What is changed keeps the style that it has in the image.
 */
typedef struct _CamDpkgDatabase CamDpkgDatabase;

CamDpkgDatabase *cam_dpkg_database_read(CamRootfs *rootfs, GError **error);
void cam_dpkg_database_free(CamDpkgDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDpkgDatabase, cam_dpkg_database_free)

/**
 * CamDpkgRecord: what the database says of one installed package. Paths are without leading "/".
 */
typedef struct {
	GHashTable *files;     /* (nullable) (element-type utf8): what the package shipped */
	gboolean complete;     /* @files names directories, links and conffiles too */
	GHashTable *conffiles; /* (element-type utf8 utf8): path → MD5 as it was shipped */
} CamDpkgRecord;
void cam_dpkg_record_clear(CamDpkgRecord *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamDpkgRecord, cam_dpkg_record_clear)

/* FAILED_PRECONDITION if the package is not in the database. */
gboolean cam_dpkg_database_get(CamDpkgDatabase *self, const char *name, const char *architecture,
			       CamDpkgRecord *out, GError **error);
/* Whether a package other than this ships @path. */
gboolean cam_dpkg_database_is_shared(CamDpkgDatabase *self, const char *name,
				     const char *architecture, const char *path);
/* Whether the image diverts @path or overrides its owner or mode. */
gboolean cam_dpkg_database_is_special(CamDpkgDatabase *self, const char *path);

/**
 * cam_dpkg_database_put:
 * @files: (element-type utf8): all paths of the package as archived, in order
 * @conffiles: (element-type utf8 utf8): path → MD5 as shipped
 *
 * Records that @deb is installed in the place of the package of its name.
 */
gboolean
cam_dpkg_database_put(CamDpkgDatabase *self, const char *name, const char *architecture,
		      CamDebFile *deb, GPtrArray *files, GHashTable *conffiles, GError **error);

/* Adds the files of the database that have changed; @self must live until @tar was written. */
gboolean
cam_dpkg_database_emit(CamDpkgDatabase *self, CamLayerTar *tar, gint64 mtime, GError **error);

G_END_DECLS
