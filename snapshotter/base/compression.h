/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

typedef enum {
	CAM_COMPRESSION_NONE,
	CAM_COMPRESSION_GZIP,
	CAM_COMPRESSION_ZSTD,
	CAM_COMPRESSION_AUTO, /* reading only: by the first bytes */
} CamCompression;

/**
 * cam_decompress_stream_new:
 * @base: (transfer none): compressed bytes
 *
 * Inflates with ISA-L (gzip, members concatenated as RFC 1952 allows) or libzstd (frames
 * concatenated, windows up to 128 MiB). Truncation, garbage behind the end and bad checksums are
 * %CAM_ERROR_DATA_LOSS. Memory is bounded by the window.
 */
GInputStream *cam_decompress_stream_new(GInputStream *base, CamCompression compression);

/**
 * cam_compress_stream_new:
 * @base: (transfer none): plain bytes
 *
 * A stream that reads as the compressed form of @base. The output depends on the bytes alone
 * (gzip: zlib level 6, no name, no time; zstd: level 3, checksum on, one thread), never on time,
 * CPU or how reads are cut.
 */
GInputStream *
cam_compress_stream_new(GInputStream *base, CamCompression compression, GError **error);

/* What the first bytes (6 are enough) say. */
CamCompression cam_compression_guess(gconstpointer data, gsize size);
/* What a layer's media type says; AUTO for one that is not known. */
CamCompression cam_compression_for_media_type(const char *media_type);

/**
 * cam_readahead_stream_new:
 * @base: (transfer none): read from a thread of its own from now on
 *
 * Reads up to @depth chunks ahead in another thread, so that, for example, inflating and parsing
 * use two cores. Closing it stops and joins the thread. A read that was cancelled is the last one.
 */
GInputStream *cam_readahead_stream_new(GInputStream *base, guint depth);

G_END_DECLS
