/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* One path that a package ships. */
typedef struct {
	CamNodeType type;
	guint32 mode, uid, gid;
	guint64 size;
	CamSha256 sha256;  /* regular files */
	char *link_target; /* (nullable): symbolic links */
	char *md5;	   /* (nullable): hex, of conffiles, as the package database records it */
} CamDebEntry;

/**
 * CamDebContent: what a .deb ships, as this host read it from a file whose digest is that of a
 * signed index. Evidence against which a layer is held; nothing in it comes from an image.
 */
typedef struct {
	GHashTable *entries; /* (element-type utf8 CamDebEntry): path without leading "/" */
	GHashTable *control; /* (element-type utf8 GBytes): members of the control archive */
} CamDebContent;

/* Reads all of the package: it is unpacked in memory, piece by piece. */
CamDebContent *cam_deb_content_read(const char *path, GCancellable *cancellable, GError **error);
void cam_deb_content_free(CamDebContent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDebContent, cam_deb_content_free)

/* For remembering it by the package's digest. */
GBytes *cam_deb_content_to_bytes(const CamDebContent *self);
/* (nullable): NULL for what cam_deb_content_to_bytes() does not write. */
CamDebContent *cam_deb_content_from_bytes(GBytes *bytes);

/* (transfer full): a member of the control archive as text; "" where there is none. */
char *cam_deb_content_dup_control(const CamDebContent *self, const char *member);

G_END_DECLS
