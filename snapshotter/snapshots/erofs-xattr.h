/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/digest.h"

G_BEGIN_DECLS

/* Bytes that cam_erofs_add_redirect() and cam_erofs_add_opaque() append. */
#define CAM_EROFS_REDIRECT_SIZE 112
#define CAM_EROFS_OPAQUE_SIZE	20

/**
 * cam_erofs_pack_xattrs:
 * @xattrs: (nullable): a(ayay), names NUL-terminated
 * @packed: (out) (nullable): NULL where nothing is left
 *
 * Extended attributes as EROFS stores them behind an inode. Left out: `trusted.*`, of which
 * `trusted.overlay.*` would steer the overlay on top and which no container may see (containerd
 * drops them too), and name spaces that EROFS does not know (no Linux disk file system would take
 * those from a layer either). INVALID_ARGUMENT for what does not fit: a name
 * of over 255 bytes, a value of over 65535, or over 256 KiB together.
 */
gboolean cam_erofs_pack_xattrs(GVariant *xattrs, GBytes **packed, GError **error);

/* The two attributes by which overlayfs finds a file's content in the object store. */
void cam_erofs_add_redirect(GByteArray *out, const CamSha256 *object);

/* Nothing of the layers below a directory shows in it. */
void cam_erofs_add_opaque(GByteArray *out);

G_END_DECLS
