/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zstandard, RFC 8878, by libzstd: frames concatenated, skippable frames passed over. */
#include "snapshotter/base/codec.h"

#include <zstd.h>

#define WINDOW_LOG_MAX 27 /* 128 MiB: what "zstd --ultra -22" needs and what "zstd -d" accepts */
#define LEVEL	       3

typedef struct {
	CamCodec codec;
	ZSTD_DCtx *context;
	gboolean between; /* at the end of a frame */
} ZstdDecoder;

static gboolean
zstd_decoder_step(CamCodec *codec, CamCodecBuffers *b, gboolean *end, GError **error)
{
	ZstdDecoder *self = (ZstdDecoder *) codec;
	ZSTD_inBuffer in = { b->in, b->in_size, 0 };
	ZSTD_outBuffer out = { b->out, b->out_size, 0 };
	gboolean moved = TRUE;

	while (moved && out.pos < out.size && (in.pos < in.size || !self->between)) {
		gsize in_before = in.pos, out_before = out.pos;
		gsize code = ZSTD_decompressStream(self->context, &out, &in);

		if (ZSTD_isError(code))
			return cam_set_error(error, CAM_ERROR_DATA_LOSS,
					     "zstd data are damaged: %s", ZSTD_getErrorName(code));
		self->between = code == 0;
		moved = in.pos > in_before || out.pos > out_before;
	}
	if (b->in_end && in.pos == in.size && out.pos < out.size) {
		if (!self->between)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS, "zstd data end too early");
		*end = TRUE;
	}
	b->in += in.pos;
	b->in_size -= in.pos;
	b->out += out.pos;
	b->out_size -= out.pos;
	return TRUE;
}

static void
zstd_decoder_free(CamCodec *codec)
{
	ZSTD_freeDCtx(((ZstdDecoder *) codec)->context);
	g_free(codec);
}

CamCodec *
cam_zstd_decoder_new(void)
{
	ZstdDecoder *self = g_new0(ZstdDecoder, 1);

	self->codec.step = zstd_decoder_step;
	self->codec.free = zstd_decoder_free;
	self->context = ZSTD_createDCtx();
	ZSTD_DCtx_setParameter(self->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return &self->codec;
}

typedef struct {
	CamCodec codec;
	ZSTD_CCtx *context;
} ZstdEncoder;

static gboolean
zstd_encoder_step(CamCodec *codec, CamCodecBuffers *b, gboolean *end, GError **error)
{
	ZstdEncoder *self = (ZstdEncoder *) codec;
	ZSTD_inBuffer in = { b->in, b->in_size, 0 };
	ZSTD_outBuffer out = { b->out, b->out_size, 0 };
	ZSTD_EndDirective directive = b->in_end ? ZSTD_e_end : ZSTD_e_continue;

	while (!*end && out.pos < out.size && (in.pos < in.size || b->in_end)) {
		gsize left = ZSTD_compressStream2(self->context, &out, &in, directive);

		if (ZSTD_isError(left))
			return cam_set_error(error, CAM_ERROR_INTERNAL, "cannot compress: %s",
					     ZSTD_getErrorName(left));
		*end = b->in_end && left == 0;
	}
	b->in += in.pos;
	b->in_size -= in.pos;
	b->out += out.pos;
	b->out_size -= out.pos;
	return TRUE;
}

static void
zstd_encoder_free(CamCodec *codec)
{
	ZSTD_freeCCtx(((ZstdEncoder *) codec)->context);
	g_free(codec);
}

CamCodec *
cam_zstd_encoder_new(void)
{
	ZstdEncoder *self = g_new0(ZstdEncoder, 1);

	self->codec.step = zstd_encoder_step;
	self->codec.free = zstd_encoder_free;
	self->context = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(self->context, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(self->context, ZSTD_c_checksumFlag, 1);
	return &self->codec;
}
