/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

typedef enum {
	CAM_TAR_SPARSE_NONE,
	CAM_TAR_SPARSE_MAP_IN_HEADER, /* GNU's forms 0.0 and 0.1 */
	CAM_TAR_SPARSE_MAP_IN_DATA,   /* 1.0 */
} CamTarSparse;

/**
 * CamTarPax: what one extended header says, as Go's archive/tar takes it: of two records with one
 * key the last one counts, an empty value says nothing. NULL and FALSE: it says nothing about that.
 */
typedef struct _CamTarPaxRecords CamTarPaxRecords;
typedef struct {
	char *data;
	CamTarPaxRecords *records;
	/* What follows is there after the merge. */
	char *path, *link_path;
	gboolean has_size, has_uid, has_gid, has_mtime;
	gint64 size, uid, gid;
	gint64 mtime;	    /* nanoseconds */
	GHashTable *xattrs; /* name → GBytes; NULL if none */
	/* GNU.sparse.* */
	CamTarSparse sparse;
	gboolean has_stray_sparse_keys; /* such keys, but not those that make a sparse file */
	gboolean has_real_size;
	char *sparse_name;
	gint64 real_size;
	GArray *extents; /* CamTarExtent; only CAM_TAR_SPARSE_MAP_IN_HEADER */
} CamTarPax;

/* Takes @data apart into records. @data: (transfer full) */
CamTarPax *cam_tar_pax_parse(char *data, gsize size, GError **error);
/* Reads the values: only those of the last header in front of an entry count, and need be good.
 * @with_sparse: FALSE for the old sparse files of GNU, which have their map elsewhere. */
gboolean cam_tar_pax_merge(CamTarPax *self, gboolean with_sparse, GError **error);
/* (transfer full) (nullable): the "path" of a global header */
char *cam_tar_pax_get_path(const CamTarPax *self);
void cam_tar_pax_free(CamTarPax *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTarPax, cam_tar_pax_free)

/* (transfer full) (nullable): a(ayay) sorted by name */
GVariant *cam_tar_pax_get_xattrs(const CamTarPax *self);

/* Seconds as nanoseconds since 1970. What 64 bits cannot hold becomes 1970, as containerd sets the
 * time of such files. */
gint64 cam_tar_time(gint64 seconds, gint64 nanoseconds);

/* A decimal number of 64 bits up to @end, with an optional sign; no blanks. */
gboolean
cam_tar_decimal(const char *text, const char *end, const char *what, gint64 *value, GError **error);

/* Ascending, apart, inside @size, together @stored bytes. */
gboolean cam_tar_extents_check(const GArray *extents, guint64 size, guint64 stored, GError **error);

G_END_DECLS
