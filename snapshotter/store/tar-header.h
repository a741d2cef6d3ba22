/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/tar-reader.h"

G_BEGIN_DECLS

/* The 512 bytes of a header, POSIX.1-2017 "ustar Interchange Format", with the uses that GNU
 * and Schily's star make of the tail. */
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
			char prefix[131], atime[12], ctime[12];
		} star;
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
	CAM_TAR_FORMAT_V7, /* and every magic that is not known */
	CAM_TAR_FORMAT_USTAR,
	CAM_TAR_FORMAT_STAR, /* Schily's: ustar with a shorter prefix, "tar" at the end */
	CAM_TAR_FORMAT_GNU,
} CamTarFormat;

/* The numbers of a header, of any 64-bit value. */
typedef struct {
	CamTarFormat format;
	gint64 mode, uid, gid, size, mtime;
	gint64 dev_major, dev_minor; /* 0 in format V7, which has none */
} CamTarFields;

gboolean cam_tar_header_is_zero(const CamTarHeader *header);
/* Checks the checksum and reads every number: as in Go's archive/tar one malformed number makes the
 * header invalid, whatever its type. */
gboolean cam_tar_header_parse(const CamTarHeader *header, CamTarFields *fields, GError **error);
/* Octal digits up to a NUL, between spaces and NULs, or base-256. An empty field is 0. */
gboolean
cam_tar_number(const char *field, gsize size, const char *what, gint64 *value, GError **error);
/* Name with the prefix, not yet cleaned. *@mangled: a GNU header with text where its times belong,
 * which only Go's archive/tar takes as the prefix of ustar. */
char *cam_tar_header_name(const CamTarHeader *header, CamTarFormat format, gboolean *mangled);

/* Removes leading "/", "." and empty components, and resolves ".." by the text alone, never above
 * the root. RESOURCE_EXHAUSTED for names that are too long or deep. *@goes_up: whether there was a
 * "..". */
char *cam_tar_clean_path(const char *path, gboolean *goes_up, GError **error);

G_END_DECLS
