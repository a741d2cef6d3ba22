/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamTarLister: the entries of a tar as libarchive sees them; a second opinion to hold our own
 * reader against. Contents are never asked for.
 */
typedef struct _CamTarLister CamTarLister;

typedef struct {
	/* The next bytes, valid until the next call; 0 at the end. */
	gssize (*read)(gpointer user_data, gconstpointer *data, GError **error);
	/* Passes over up to @request bytes that read has not handed out; says how many. */
	gint64 (*skip)(gpointer user_data, gint64 request);
} CamTarListerSource;

typedef struct {
	const char *path;	 /* (nullable): as archived */
	const char *link_target; /* (nullable) */
	char type; /* '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory,
		    * '6' FIFO: the flags of the format */
	guint32 mode, uid, gid;
	guint64 size;
} CamTarListEntry;

CamTarLister *
cam_tar_lister_new(const CamTarListerSource *source, gpointer user_data, GError **error);
/* (transfer none) (nullable): NULL without error at the end. */
const CamTarListEntry *cam_tar_lister_next(CamTarLister *self, GError **error);
void cam_tar_lister_free(CamTarLister *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTarLister, cam_tar_lister_free)

G_END_DECLS
