/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamArchiveMembers:
 *
 * An archive as a set of files that can be opened by name, in any order. Opening reads the archive
 * through once for its headers, and each large member is found by reading it again up to there:
 * in a plain tar that is a seek from header to header, in a compressed one it costs inflating
 * what lies before. Links within the archive are followed.
 */
typedef struct _CamArchiveMembers CamArchiveMembers;

CamArchiveMembers *
cam_archive_members_open(const char *path, GCancellable *cancellable, GError **error);
gboolean cam_archive_members_has(CamArchiveMembers *self, const char *name);
/* Bytes of a member; -1 if there is none. */
gint64 cam_archive_members_get_size(CamArchiveMembers *self, const char *name);
GInputStream *cam_archive_members_open_member(CamArchiveMembers *self, const char *name,
					      GCancellable *cancellable, GError **error);
GBytes *cam_archive_members_read(CamArchiveMembers *self, const char *name, gsize max_size,
				 GCancellable *cancellable, GError **error);
void cam_archive_members_close(CamArchiveMembers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamArchiveMembers, cam_archive_members_close)

G_END_DECLS
