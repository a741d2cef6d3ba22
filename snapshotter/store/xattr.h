/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* What overlayfs, mounted by root, keeps about its own business. */
#define CAM_XATTR_OVERLAY "trusted.overlay."

/* *@names: (transfer full): the names, each ended by NUL, *@size bytes together; nothing on file
 * systems that have no attributes. */
gboolean cam_xattr_list(int fd, char **names, gsize *size, GError **error);
/* @names: (element-type utf8): sorted here
 * *@xattrs: (transfer full): a(ayay) sorted by name */
gboolean cam_xattr_read(int fd, GPtrArray *names, GVariant **xattrs, GError **error);

G_END_DECLS
