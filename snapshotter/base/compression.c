/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which compression bytes or a media type stand for, and the streams that (de)compress. The
 * algorithms are in gzip-codec.c and zstd-codec.c.
 */
#include "snapshotter/base/compression.h"

#include <string.h>

#include "snapshotter/base/codec.h"

static gboolean
plain_step(CamCodec *codec, CamCodecBuffers *b, gboolean *end, GError **error)
{
	gsize n = MIN(b->in_size, b->out_size);

	if (n > 0)
		memcpy(b->out, b->in, n);
	b->in += n;
	b->in_size -= n;
	b->out += n;
	b->out_size -= n;
	*end = b->in_end && b->in_size == 0;
	return TRUE;
}

static void
plain_free(CamCodec *codec)
{
	g_free(codec);
}

CamCodec *
cam_plain_codec_new(void)
{
	CamCodec *codec = g_new0(CamCodec, 1);

	codec->step = plain_step;
	codec->free = plain_free;
	return codec;
}

static CamCodec *
decoder_new(CamCompression compression)
{
	switch (compression) {
	case CAM_COMPRESSION_NONE:
		return cam_plain_codec_new();
	case CAM_COMPRESSION_GZIP:
		return cam_gzip_decoder_new();
	case CAM_COMPRESSION_ZSTD:
		return cam_zstd_decoder_new();
	case CAM_COMPRESSION_AUTO:
		break;
	}
	return NULL;
}

static CamCodec *
choose_decoder(gconstpointer data, gsize size)
{
	return decoder_new(cam_compression_guess(data, size));
}

GInputStream *
cam_decompress_stream_new(GInputStream *base, CamCompression compression)
{
	return cam_codec_stream_new(base, decoder_new(compression), choose_decoder);
}

GInputStream *
cam_compress_stream_new(GInputStream *base, CamCompression compression, GError **error)
{
	switch (compression) {
	case CAM_COMPRESSION_NONE:
		return cam_codec_stream_new(base, cam_plain_codec_new(), NULL);
	case CAM_COMPRESSION_GZIP:
		return cam_codec_stream_new(base, cam_gzip_encoder_new(), NULL);
	case CAM_COMPRESSION_ZSTD:
		return cam_codec_stream_new(base, cam_zstd_encoder_new(), NULL);
	case CAM_COMPRESSION_AUTO:
		break;
	}
	cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
		      "cannot compress without a named compression; name gzip, zstd or none");
	return NULL;
}

CamCompression
cam_compression_guess(gconstpointer data, gsize size)
{
	static const guint8 gzip_magic[] = { 0x1f, 0x8b, 0x08 };
	static const guint8 zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const guint8 zstd_skippable[] = { 0x2a, 0x4d, 0x18 }; /* behind 0x50 … 0x5f */
	const guint8 *bytes = data;

	if (size >= sizeof gzip_magic && memcmp(bytes, gzip_magic, sizeof gzip_magic) == 0)
		return CAM_COMPRESSION_GZIP;
	if (size >= sizeof zstd_magic && memcmp(bytes, zstd_magic, sizeof zstd_magic) == 0)
		return CAM_COMPRESSION_ZSTD;
	if (size >= 4 && (bytes[0] & 0xf0) == 0x50 &&
	    memcmp(bytes + 1, zstd_skippable, sizeof zstd_skippable) == 0)
		return CAM_COMPRESSION_ZSTD;
	return CAM_COMPRESSION_NONE;
}

CamCompression
cam_compression_for_media_type(const char *media_type)
{
	/* "+" is OCI's separator, "." docker's. */
	if (media_type == NULL)
		return CAM_COMPRESSION_AUTO;
	if (g_str_has_suffix(media_type, "+gzip") || g_str_has_suffix(media_type, ".tar.gzip"))
		return CAM_COMPRESSION_GZIP;
	if (g_str_has_suffix(media_type, "+zstd") || g_str_has_suffix(media_type, ".tar.zstd"))
		return CAM_COMPRESSION_ZSTD;
	if (g_str_has_suffix(media_type, ".v1.tar") || g_str_has_suffix(media_type, ".diff.tar"))
		return CAM_COMPRESSION_NONE;
	return CAM_COMPRESSION_AUTO;
}
