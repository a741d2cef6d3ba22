/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamUpperDirectory: one directory of an overlayfs's upper layer, as a layer's tar sees it.
 */
typedef struct {
	GPtrArray *whiteouts; /* (element-type utf8): names of what is hidden, sorted; first
			       * ".wh..opq" where all of the lower directory is */
	GPtrArray *names;     /* (element-type utf8): all others, sorted by their bytes */
	GVariant *xattrs;     /* (nullable) a(ayay): those that a layer holds, sorted */
} CamUpperDirectory;

/* A directory of which overlayfs keeps a part elsewhere is %CAM_ERROR_UNIMPLEMENTED; one with a
 * name that would read as a whiteout is %CAM_ERROR_INVALID_ARGUMENT. */
CamUpperDirectory *cam_upper_directory_read(int fd, GError **error);
void cam_upper_directory_free(CamUpperDirectory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamUpperDirectory, cam_upper_directory_free)

/* *@xattrs: (transfer full) (nullable): those of a regular file that a layer holds, sorted. */
gboolean cam_upper_file_xattrs(int fd, GVariant **xattrs, GError **error);
/* overlayfs's own form of a whiteout: a character device 0/0. */
gboolean cam_upper_is_whiteout(const struct stat *st);

G_END_DECLS
