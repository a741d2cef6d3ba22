/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

#define CAM_TAR_BLOCK_SIZE  512
#define CAM_TAR_MAX_PATH    4096 /* of names and link targets, as the kernel's PATH_MAX */
#define CAM_TAR_MAX_NAME    255	 /* of one component */
#define CAM_TAR_MAX_DEPTH   1024
#define CAM_TAR_MAX_PAX	    (1024 * 1024) /* one extended header */
#define CAM_TAR_MAX_EXTENTS (256 * 1024)  /* of one sparse file */

typedef enum {
	CAM_TAR_REGULAR,
	CAM_TAR_HARDLINK,
	CAM_TAR_SYMLINK,
	CAM_TAR_CHARACTER,
	CAM_TAR_BLOCK,
	CAM_TAR_DIRECTORY,
	CAM_TAR_FIFO,
} CamTarType;

/* A piece of a sparse file that is in the archive; the rest reads as zeros. */
typedef struct {
	guint64 offset, length;
} CamTarExtent;

/**
 * CamTarEntry: one member, with every extension applied.
 */
typedef struct {
	const char *path; /* cleaned: no leading or double "/", no "."; "" is the root, whatever the
			     type */
	const char *link_target; /* (nullable): symbolic link: as is; hard link: cleaned path */
	CamTarType type;
	guint32 mode; /* 07777 at most */
	guint32 uid, gid;
	gint64 mtime;	     /* nanoseconds since 1970; 0 where 64 bits cannot hold it */
	guint64 size;	     /* of the file; sparse: with its holes */
	guint64 stored_size; /* content bytes in the archive */
	guint32 rdev_major, rdev_minor;
	GVariant *xattrs;	     /* (nullable) a(ayay), sorted by name */
	const CamTarExtent *extents; /* (nullable): NULL: not sparse */
	guint n_extents;
	guint64 position; /* of the first header block of the member */
} CamTarEntry;

typedef struct {
	/* As read(2): 0 at the end. May be called again after the end. */
	gssize (*read)(gpointer user_data, void *buffer, gsize size, GError **error);
	/* (nullable): told every byte of the archive that is no file content, in order. What is
	 * not told are exactly the stored_size bytes of each entry, at their places, but for those
	 * that cam_tar_reader_content_is_raw() was called for. */
	gboolean (*raw)(gpointer user_data, gconstpointer data, gsize size, GError **error);
} CamTarSource;

/**
 * CamTarReader:
 *
 * A streaming reader of tar that sees what containerd sees, through Go's archive/tar: v7, ustar,
 * star, pax, GNU (long names, all four sparse forms, base-256 numbers). Names are bytes. Where Go
 * takes the last of two answers, so does this; what Go refuses is refused. TAR.md lists where
 * readers differ and what is done then; a test holds it against Go. Refused by name, unless
 * cam_tar_reader_allow_ambiguous() is called: the kinds of #CamTarAmbiguity, because reading them
 * as Go does is dangerous.
 *
 * Every error is %CAM_ERROR_INVALID_ARGUMENT (malformed), %CAM_ERROR_RESOURCE_EXHAUSTED (a cap)
 * or %CAM_ERROR_DATA_LOSS (truncated) and names entry and offset.
 */
typedef struct _CamTarReader CamTarReader;

/* @source must outlive the reader. */
CamTarReader *cam_tar_reader_new(const CamTarSource *source, gpointer user_data);
/* Reads them as Go does. For layers that are in the store already, and where it was asked for. */
void cam_tar_reader_allow_ambiguous(CamTarReader *self);
void cam_tar_reader_free(CamTarReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTarReader, cam_tar_reader_free)

/* (transfer none) (nullable): valid until the next call; content that was not read is passed over.
 * NULL without error at the end, when all of the source has been read. */
const CamTarEntry *cam_tar_reader_next(CamTarReader *self, GError **error);
/* The entry's stored bytes; 0 at their end. */
gssize cam_tar_reader_read(CamTarReader *self, void *buffer, gsize size, GError **error);
/* Says that the source leaves the content of the current entry out. */
void cam_tar_reader_content_is_absent(CamTarReader *self);
/* Says that the content of the current entry is to be told as raw bytes when it is passed over. */
void cam_tar_reader_content_is_raw(CamTarReader *self);
/* Bytes of the archive so far, content included also where it is absent. */
guint64 cam_tar_reader_get_position(CamTarReader *self);

G_END_DECLS
