/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gzip, RFC 1952: ISA-L inflates (two to three times zlib's speed), zlib through GIO deflates
 * (what it writes for a level has been stable for decades, ISA-L's depends on the CPU).
 */
#include "snapshotter/base/codec.h"

#include <isa-l.h>
#include <string.h>

#define DEFLATE_LEVEL 6

typedef struct {
	CamCodec codec;
	struct inflate_state state;
	gboolean between; /* a member ended and no byte of the next was seen */
	gboolean started;
	guint8 carry[8]; /* what ISA-L had read beyond the end of a member */
	gsize carry_size;
} GzipDecoder;

static const char *
inflate_error_text(int code)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM:
		return "wrong checksum";
	case ISAL_INVALID_WRAPPER:
	case ISAL_UNSUPPORTED_METHOD:
		return "no gzip header, or garbage behind the end";
	default:
		return "invalid deflate data";
	}
}

static void
next_member(GzipDecoder *self)
{
	struct inflate_state *s = &self->state;
	gsize n = (gsize) (s->read_in_length > 0 ? s->read_in_length / 8 : 0);
	guint64 bits = s->read_in >> (s->read_in_length > 0 ? s->read_in_length % 8 : 0);

	g_assert(self->carry_size + n <= sizeof self->carry);
	for (gsize i = 0; i < n; i++)
		self->carry[self->carry_size++] = (guint8) (bits >> (8 * i));
	isal_inflate_reset(s);
	s->crc_flag = ISAL_GZIP;
	self->between = TRUE;
}

static gboolean
inflate_some(GzipDecoder *self, CamCodecBuffers *b, const guint8 **in, gsize *in_size,
	     GError **error)
{
	struct inflate_state *s = &self->state;
	int code;

	s->next_in = (guint8 *) *in;
	s->avail_in = (guint32) MIN(*in_size, G_MAXINT32);
	s->next_out = b->out;
	s->avail_out = (guint32) MIN(b->out_size, G_MAXINT32);
	if (s->avail_in > 0) {
		self->between = FALSE;
		self->started = TRUE;
	}
	code = isal_inflate(s);
	if (code < 0)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS, "gzip data are damaged: %s",
				     inflate_error_text(code));
	*in_size -= (gsize) (s->next_in - *in);
	*in = s->next_in;
	b->out_size -= (gsize) (s->next_out - b->out);
	b->out = s->next_out;
	if (s->block_state == ISAL_BLOCK_FINISH)
		next_member(self);
	return TRUE;
}

static gboolean
gzip_decoder_step(CamCodec *codec, CamCodecBuffers *b, gboolean *end, GError **error)
{
	GzipDecoder *self = (GzipDecoder *) codec;

	while (b->out_size > 0) {
		gsize in_before = b->in_size + self->carry_size, out_before = b->out_size;
		gboolean was_between = self->between;

		if (self->carry_size > 0) {
			guint8 carry[8];
			const guint8 *p = carry;
			gsize n = self->carry_size;

			memcpy(carry, self->carry, n);
			self->carry_size = 0;
			if (!inflate_some(self, b, &p, &n, error))
				return FALSE;
			g_assert(self->carry_size + n <= sizeof self->carry);
			memmove(self->carry + n, self->carry, self->carry_size);
			memcpy(self->carry, p, n);
			self->carry_size += n;
		} else if (b->in_size > 0 || !self->between) {
			if (!inflate_some(self, b, &b->in, &b->in_size, error))
				return FALSE;
		}
		if (b->in_size + self->carry_size == in_before && b->out_size == out_before &&
		    self->between == was_between)
			break;
	}
	if (b->in_end && b->in_size + self->carry_size == 0 && b->out_size > 0) {
		if (!self->between)
			return cam_set_error(error, CAM_ERROR_DATA_LOSS, "gzip data end too early");
		*end = TRUE;
	}
	return TRUE;
}

static void
gzip_decoder_free(CamCodec *codec)
{
	g_free(codec);
}

CamCodec *
cam_gzip_decoder_new(void)
{
	GzipDecoder *self = g_new0(GzipDecoder, 1);

	self->codec.step = gzip_decoder_step;
	self->codec.free = gzip_decoder_free;
	isal_inflate_init(&self->state);
	self->state.crc_flag = ISAL_GZIP;
	return &self->codec;
}

typedef struct {
	CamCodec codec;
	GConverter *deflate;
} GzipEncoder;

static gboolean
gzip_encoder_step(CamCodec *codec, CamCodecBuffers *b, gboolean *end, GError **error)
{
	GzipEncoder *self = (GzipEncoder *) codec;

	while (b->out_size > 0 && !*end && (b->in_size > 0 || b->in_end)) {
		g_autoptr(GError) local = NULL;
		gsize n_in = 0, n_out = 0;
		GConverterResult result = g_converter_convert(
			self->deflate, b->in, b->in_size, b->out, b->out_size,
			b->in_end ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &n_in, &n_out,
			&local);

		/* zlib wants more room than is left: the caller comes back with more. */
		if (g_error_matches(local, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ||
		    g_error_matches(local, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
			break;
		if (result == G_CONVERTER_ERROR)
			return cam_set_error(error, CAM_ERROR_INTERNAL, "cannot compress: %s",
					     local->message);
		b->in += n_in;
		b->in_size -= n_in;
		b->out += n_out;
		b->out_size -= n_out;
		*end = result == G_CONVERTER_FINISHED;
	}
	return TRUE;
}

static void
gzip_encoder_free(CamCodec *codec)
{
	g_object_unref(((GzipEncoder *) codec)->deflate);
	g_free(codec);
}

CamCodec *
cam_gzip_encoder_new(void)
{
	GzipEncoder *self = g_new0(GzipEncoder, 1);

	self->codec.step = gzip_encoder_step;
	self->codec.free = gzip_encoder_free;
	self->deflate =
		G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, DEFLATE_LEVEL));
	return &self->codec;
}
