/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/* The 512 bytes of a header, POSIX.1-2017 "ustar Interchange Format", with GNU's use of the tail.
 */
typedef struct {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char link_name[100];
	char magic[8]; /* with the version */
	char user_name[32], group_name[32];
	char dev_major[8], dev_minor[8];
	union {
		char prefix[155];
		struct {
			char atime[12], ctime[12], offset[12], long_names[4], unused;
			char sparse[4][24];
			char is_extended;
			char real_size[12];
		} gnu;
	} tail;
	char padding[12];
} CamTarHeader;

typedef enum {
	CAM_TAR_FORMAT_V7,
	CAM_TAR_FORMAT_USTAR,
	CAM_TAR_FORMAT_GNU,
} CamTarFormat;

gboolean cam_tar_header_is_zero(const CamTarHeader *header);
/* Checks checksum and magic. */
gboolean cam_tar_header_check(const CamTarHeader *header, CamTarFormat *format, GError **error);
/* Octal digits between spaces and NULs, or base-256. An empty field is 0. */
gboolean
cam_tar_number(const char *field, gsize size, const char *what, gint64 *value, GError **error);
/* The same for what cannot be negative. */
gboolean cam_tar_unsigned(const char *field, gsize size, const char *what, guint64 max,
			  guint64 *value, GError **error);
/* Name with the ustar prefix, not yet cleaned. */
char *cam_tar_header_name(const CamTarHeader *header, CamTarFormat format);

/* Removes leading "/", "." and empty components. INVALID_ARGUMENT for `..`, RESOURCE_EXHAUSTED for
 * names that are too long or deep. *@was_directory: whether it ended in "/" or "/.". */
char *cam_tar_clean_path(const char *path, gboolean *was_directory, GError **error);

G_END_DECLS
