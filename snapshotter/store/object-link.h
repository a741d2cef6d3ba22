/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/object-writer.h"

G_BEGIN_DECLS

/**
 * CamObjectLinks:
 *
 * Files that become objects of a repository as they are, by hard links. They are collected in a
 * directory of the store's and put in place together: at once, and only after their contents are
 * on the disk, for an object that exists is never looked at again. Thread-safe.
 */
typedef struct _CamObjectLinks CamObjectLinks;

/* @dirfd: where a directory may be made, on the repository's file system; used until freed */
CamObjectLinks *cam_object_links_new(int dirfd, OstreeRepo *repo);

typedef enum {
	CAM_LINK_MADE,
	CAM_LINK_PRESENT, /* there is such an object */
	CAM_LINK_REFUSED, /* must be copied: another file system, not just what the object is, or no
			     proof that no process can still write to it */
} CamLinkResult;

/**
 * cam_object_links_add:
 * @job: hashed; its fd is the file
 *
 * What overlayfs noted on the file for itself is taken off, and @job's stamp set anew.
 * %CAM_ERROR_ABORTED if the file is not what was hashed, or somebody has it open for writing.
 */
gboolean cam_object_links_add(CamObjectLinks *self, CamObjectJob *job, CamLinkResult *result,
			      GError **error);
/* %CAM_ERROR_ABORTED, and nothing is put in place, if a file changed since. */
gboolean cam_object_links_publish(CamObjectLinks *self, GError **error);
/* What was not published is forgotten. */
void cam_object_links_free(CamObjectLinks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamObjectLinks, cam_object_links_free)

G_END_DECLS
