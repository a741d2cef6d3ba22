/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamDebFile:
 *
 * A binary package, deb(5): first the members of its control archive, held in memory, then the
 * entries of its data archive one after the other. Compression is whatever libarchive knows.
 */
typedef struct _CamDebFile CamDebFile;

CamDebFile *cam_deb_file_open(const char *path, GCancellable *cancellable, GError **error);
void cam_deb_file_close(CamDebFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDebFile, cam_deb_file_close)

/* (nullable) (transfer none): a member of the control archive: "control", "postinst". */
GBytes *cam_deb_file_get_control(CamDebFile *self, const char *name);
/* (element-type utf8 GBytes) (transfer none): all of them. */
GHashTable *cam_deb_file_list_control(CamDebFile *self);

/* (transfer none): the data archive; an entry's path is as archived, "./usr/bin/x". */
CamArchive *cam_deb_file_get_data(CamDebFile *self);

G_END_DECLS
