/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/store/file-stamp.h"

G_BEGIN_DECLS

/**
 * CamUpperMember: one member of the tar that an upper directory is. Valid until the next one is
 * asked for.
 */
typedef struct {
	const char *path;   /* as in the tar, without "/" at the end */
	GByteArray *header; /* all headers of the member, whole blocks */
	CamFd fd;	    /* its content, else -1; who steals it closes it */
	guint64 size;	    /* bytes of content that follow the headers, padding apart */
	CamFileStamp stamp; /* of @fd */
} CamUpperMember;

/**
 * CamUpperWalk:
 *
 * Goes through the upper directory of an overlayfs in the order of a normalised layer tar: sorted
 * by the bytes of names, a directory before what is in it, its whiteouts first. Kernel whiteouts
 * and opaque directories become those of OCI image-spec layer.md; sockets are left out, as every
 * tar does; of several names of one file the first carries the content. The same directory gives
 * the same members, whoever asks.
 *
 * Nothing is followed, neither links nor mounts. Only one file and a few directories are open at
 * a time. Errors: %CAM_ERROR_UNIMPLEMENTED for a directory that was written with overlayfs's
 * redirect_dir or metacopy: what it stands for is elsewhere; %CAM_ERROR_ABORTED if it changes
 * meanwhile; %CAM_ERROR_INVALID_ARGUMENT and RESOURCE_EXHAUSTED for what no layer can say.
 */
typedef struct _CamUpperWalk CamUpperWalk;

/* @upper: a directory's descriptor, used until the walk is freed */
CamUpperWalk *cam_upper_walk_new(int upper);
/* (transfer none) (nullable): NULL without error at the end. */
CamUpperMember *cam_upper_walk_next(CamUpperWalk *self, GError **error);
void cam_upper_walk_free(CamUpperWalk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamUpperWalk, cam_upper_walk_free)

G_END_DECLS
