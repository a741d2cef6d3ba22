/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamArchive:
 *
 * Reads archives through libarchive (tar of all kinds, zip, ar, cpio; compressed with gzip, bzip2,
 * xz, lzma, zstd or lz4, all in this process), one entry after the other. For layers the store has
 * its own strict reader: this one serves docker-archives, OCI archives, .deb packages, zipped
 * feeds and jars. Paths come as raw bytes whatever the locale of the process.
 */
typedef struct _CamArchive CamArchive;

typedef enum {
	CAM_ARCHIVE_FILE,
	CAM_ARCHIVE_DIRECTORY,
	CAM_ARCHIVE_SYMLINK,
	CAM_ARCHIVE_HARDLINK,
	CAM_ARCHIVE_OTHER,
} CamArchiveEntryType;

typedef struct {
	const char *path;	 /* raw bytes, as archived */
	const char *link_target; /* (nullable) */
	CamArchiveEntryType type;
	gint64 size; /* -1 where the archive does not say */
	guint32 mode, uid, gid;
	gint64 mtime; /* seconds since 1970 */
} CamArchiveEntry;

/* @base: kept until the archive is closed; a zip is read by its central directory where @base can
 * seek, else front to back. Something that is no archive is %CAM_ERROR_INVALID_ARGUMENT. */
CamArchive *cam_archive_open_stream(GInputStream *base, GError **error);
CamArchive *cam_archive_open_file(const char *path, GError **error);
void cam_archive_close(CamArchive *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamArchive, cam_archive_close)

/* (transfer none) (nullable): the next entry, valid until the next call; NULL without error at
 * the end. */
const CamArchiveEntry *
cam_archive_next(CamArchive *self, GCancellable *cancellable, GError **error);
/* Whether what was opened is compressed as a whole, so that skipping costs as much as reading;
 * known once an entry was read. */
gboolean cam_archive_is_compressed(CamArchive *self);
/* A stream over the current entry's content; it dies with the next call of cam_archive_next(). */
GInputStream *cam_archive_entry_stream(CamArchive *self);
/* All of the current entry; beyond @max_size %CAM_ERROR_RESOURCE_EXHAUSTED. */
GBytes *cam_archive_entry_bytes(CamArchive *self, gsize max_size, GCancellable *cancellable,
				GError **error);

/**
 * cam_archive_decompress_stream_new:
 * @base: (transfer none): a single compressed file, of any of the compressions above, or a plain
 * one
 *
 * A stream over what it expands to. For layers and other large things use
 * cam_decompress_stream_new(), which is faster and stricter but knows only gzip and zstd.
 */
GInputStream *cam_archive_decompress_stream_new(GInputStream *base, GError **error);

/**
 * CamArchiveWriter: writes a plain tar (pax where needed) with numeric ids and given times.
 */
typedef struct _CamArchiveWriter CamArchiveWriter;

CamArchiveWriter *cam_archive_writer_new(GOutputStream *out, GError **error);
gboolean cam_archive_writer_add_bytes(CamArchiveWriter *self, const char *path, GBytes *content,
				      guint32 mode, gint64 mtime, GError **error);
/* @size bytes are read from @content. */
gboolean cam_archive_writer_add_stream(CamArchiveWriter *self, const char *path,
				       GInputStream *content, guint64 size, guint32 mode,
				       gint64 mtime, GCancellable *cancellable, GError **error);
gboolean cam_archive_writer_add_directory(CamArchiveWriter *self, const char *path, guint32 mode,
					  gint64 mtime, GError **error);
gboolean cam_archive_writer_add_symlink(CamArchiveWriter *self, const char *path,
					const char *target, gint64 mtime, GError **error);
/* Writes the end of the archive; without it the archive is incomplete. */
gboolean cam_archive_writer_finish(CamArchiveWriter *self, GError **error);
void cam_archive_writer_free(CamArchiveWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamArchiveWriter, cam_archive_writer_free)

G_END_DECLS
