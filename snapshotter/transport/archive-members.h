/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamArchiveMembers:
 *
 * An archive as a set of files that can be opened by name, in any order. Opening reads the archive
 * through once for its headers. Large members are read in a second pass, which goes on where the
 * member before ended; what lies before that is found by another pass, unless it was expected. In a
 * plain tar a pass is a seek from header to header. Links within the archive are followed.
 */
typedef struct _CamArchiveMembers CamArchiveMembers;

#define CAM_ARCHIVE_HEAD_SIZE 16

CamArchiveMembers *
cam_archive_members_open(const char *path, GCancellable *cancellable, GError **error);
gboolean cam_archive_members_has(CamArchiveMembers *self, const char *name);
/* Bytes of a member; -1 if there is none. */
gint64 cam_archive_members_get_size(CamArchiveMembers *self, const char *name);
GInputStream *cam_archive_members_open_member(CamArchiveMembers *self, const char *name,
					      GCancellable *cancellable, GError **error);
/* (transfer none): the first bytes of a member, up to %CAM_ARCHIVE_HEAD_SIZE; NULL if there is none
 */
const guint8 *cam_archive_members_get_head(CamArchiveMembers *self, const char *name, gsize *size);
/**
 * cam_archive_members_expect:
 * @names: NULL-terminated
 * @dirfd: a directory for temporary files
 *
 * Says that these members are going to be opened, in whatever order. Those that a pass through a
 * compressed archive comes across on the way to another one are kept in temporary files, so that
 * the archive is inflated no more than once for all of them.
 */
void cam_archive_members_expect(CamArchiveMembers *self, const char *const *names, int dirfd);
GBytes *cam_archive_members_read(CamArchiveMembers *self, const char *name, gsize max_size,
				 GCancellable *cancellable, GError **error);
void cam_archive_members_close(CamArchiveMembers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamArchiveMembers, cam_archive_members_close)

G_END_DECLS
