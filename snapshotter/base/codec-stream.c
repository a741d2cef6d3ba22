/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An input stream that passes another stream's bytes through a CamCodec. Owns the input buffer and
 * the end-of-stream logic; knows no format.
 */
#include "snapshotter/base/codec.h"

#define CHUNK (128 * 1024)

#define CAM_TYPE_CODEC_STREAM (cam_codec_stream_get_type())
G_DECLARE_FINAL_TYPE(CamCodecStream, cam_codec_stream, CAM, CODEC_STREAM, GFilterInputStream)

struct _CamCodecStream {
	GFilterInputStream parent;
	CamCodec *codec;
	CamCodecChoose choose;
	guint8 *chunk;
	const guint8 *in;
	gsize in_size;
	gboolean in_end, end;
};

G_DEFINE_FINAL_TYPE(CamCodecStream, cam_codec_stream, G_TYPE_FILTER_INPUT_STREAM)

static gboolean
fill(CamCodecStream *self, GCancellable *cancellable, GError **error)
{
	GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(self));

	if (self->in_size > 0 || self->in_end)
		return TRUE;
	if (!g_input_stream_read_all(base, self->chunk, CHUNK, &self->in_size, cancellable, error))
		return cam_error_translate(error, NULL);
	self->in = self->chunk;
	self->in_end = self->in_size < CHUNK;
	if (self->codec == NULL)
		self->codec = self->choose(self->in, self->in_size);
	return TRUE;
}

static gssize
cam_codec_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		      GError **error)
{
	CamCodecStream *self = CAM_CODEC_STREAM(stream);
	CamCodecBuffers buffers = { .out = buffer, .out_size = count };

	while (!self->end && buffers.out_size == count) {
		if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
			cam_error_translate(error, NULL);
			return -1;
		}
		if (!fill(self, cancellable, error))
			return -1;
		buffers.in = self->in;
		buffers.in_size = self->in_size;
		buffers.in_end = self->in_end;
		if (!self->codec->step(self->codec, &buffers, &self->end, error))
			return -1;
		self->in = buffers.in;
		self->in_size = buffers.in_size;
	}
	return (gssize) (count - buffers.out_size);
}

static void
cam_codec_stream_finalize(GObject *object)
{
	CamCodecStream *self = CAM_CODEC_STREAM(object);

	if (self->codec != NULL)
		self->codec->free(self->codec);
	g_free(self->chunk);
	G_OBJECT_CLASS(cam_codec_stream_parent_class)->finalize(object);
}

static void
cam_codec_stream_init(CamCodecStream *self)
{
	self->chunk = g_malloc(CHUNK);
}

static void
cam_codec_stream_class_init(CamCodecStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_codec_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_codec_stream_read;
}

GInputStream *
cam_codec_stream_new(GInputStream *base, CamCodec *codec, CamCodecChoose choose)
{
	CamCodecStream *self = g_object_new(CAM_TYPE_CODEC_STREAM, "base-stream", base,
					    "close-base-stream", FALSE, NULL);

	self->codec = codec;
	self->choose = choose;
	return G_INPUT_STREAM(self);
}
