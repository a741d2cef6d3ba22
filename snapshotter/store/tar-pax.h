/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/**
 * CamTarPax: what one extended header says. NULL and FALSE: it says nothing about that.
 */
typedef struct {
	char *path, *link_path;
	gboolean has_size, has_uid, has_gid, has_mtime, has_dev_major, has_dev_minor;
	guint64 size;
	guint32 uid, gid, dev_major, dev_minor;
	gint64 mtime;	    /* nanoseconds */
	GHashTable *xattrs; /* name → GBytes; NULL if none */
	/* GNU.sparse.* */
	gboolean is_sparse, map_in_data, has_real_size;
	char *sparse_name;
	guint64 real_size;
	GArray *extents; /* CamTarExtent; forms 0.0 and 0.1 */
} CamTarPax;

CamTarPax *cam_tar_pax_parse(const char *data, gsize size, GError **error);
void cam_tar_pax_free(CamTarPax *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTarPax, cam_tar_pax_free)

/* (transfer full) (nullable): a(ayay) sorted by name */
GVariant *cam_tar_pax_get_xattrs(const CamTarPax *self);

/* Decimal digits only, up to @end; no sign, no blanks. */
gboolean cam_tar_decimal(const char *text, const char *end, const char *what, guint64 *value,
			 GError **error);

/* Ascending, apart, inside @size, together @stored bytes. */
gboolean cam_tar_extents_check(const GArray *extents, guint64 size, guint64 stored, GError **error);

G_END_DECLS
