/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/*
 * CamCodec: one (de)compression algorithm as a step function; cam_codec_stream_new() makes an
 * input stream of it. Internal to base/.
 */
typedef struct {
	const guint8 *in;
	gsize in_size;
	guint8 *out;
	gsize out_size;
	gboolean in_end; /* no input follows what is in @in */
} CamCodecBuffers;

typedef struct _CamCodec CamCodec;

struct _CamCodec {
	/*
	 * Consumes from the front of in and produces at the front of out, moving both. Returns
	 * with in consumed or out full, unless *@end is set: then all is produced (decoders: of all
	 * members; input that is left is an error that they report). Given the end of input in the
	 * middle of something, a decoder fails with %CAM_ERROR_DATA_LOSS.
	 */
	gboolean (*step)(CamCodec *self, CamCodecBuffers *buffers, gboolean *end, GError **error);
	void (*free)(CamCodec *self);
};

CamCodec *cam_gzip_decoder_new(void);
CamCodec *cam_gzip_encoder_new(void);
CamCodec *cam_zstd_decoder_new(void);
CamCodec *cam_zstd_encoder_new(void);
CamCodec *cam_plain_codec_new(void);

/* Chooses by the first bytes (fewer than 6 only if there are no more). */
typedef CamCodec *(*CamCodecChoose)(gconstpointer data, gsize size);

/* @codec: (transfer full) (nullable): NULL asks @choose once the first bytes are there. Input is
 * taken in chunks of one size whatever way @base cuts it, so output depends on the bytes alone. */
GInputStream *cam_codec_stream_new(GInputStream *base, CamCodec *codec, CamCodecChoose choose);

G_END_DECLS
