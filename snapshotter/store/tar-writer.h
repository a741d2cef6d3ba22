/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/rootfs.h"
#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/**
 * CamTarMember: all that the headers of one member say.
 */
typedef struct {
	const char *path;     /* raw bytes; of a directory without the "/" at the end */
	const char *hardlink; /* (nullable): the member is a hard link to this path */
	const CamStat *stat; /* type, mode, owner, size, link target, device; xattrs are not read */
	GVariant *xattrs;    /* (nullable) a(ayay): those to be written */
	gint64 mtime;	     /* nanoseconds since 1970 */
} CamTarMember;

/**
 * cam_tar_append_header:
 * @out: headers are appended, whole blocks
 *
 * The ustar header of POSIX.1-2017 (pax, "ustar Interchange Format"), after a pax extended header
 * that holds what ustar cannot: long or non-ASCII names, numbers beyond the octal fields, parts
 * of seconds, xattrs (as "SCHILY.xattr.NAME"). The bytes depend on @member alone.
 *
 * %CAM_ERROR_INVALID_ARGUMENT for what no tar can say.
 */
gboolean cam_tar_append_header(GByteArray *out, const CamTarMember *member, GError **error);

/* Bytes of zeros that fill the last block of a content of @size bytes. */
static inline gsize
cam_tar_padding(guint64 size)
{
	return (CAM_TAR_BLOCK_SIZE - size % CAM_TAR_BLOCK_SIZE) % CAM_TAR_BLOCK_SIZE;
}

G_END_DECLS
