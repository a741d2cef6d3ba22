/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells progress what flows through a stream, for sinks that read to the end in one call.
 */
#include "snapshotter/transport/progress-stream.h"

typedef struct {
	GFilterInputStream parent_instance;
	CamProgress *progress; /* (nullable) */
	guint phase;
} CamProgressStream;

typedef struct {
	GFilterInputStreamClass parent_class;
} CamProgressStreamClass;

GType cam_progress_stream_get_type(void);
G_DEFINE_TYPE(CamProgressStream, cam_progress_stream, G_TYPE_FILTER_INPUT_STREAM)

static gssize
cam_progress_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
			 GError **error)
{
	CamProgressStream *self = (CamProgressStream *) stream;
	GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(stream));
	gssize n = g_input_stream_read(base, buffer, count, cancellable, error);

	if (n > 0)
		cam_progress_advance(self->progress, self->phase, (guint64) n);
	return n;
}

static void
cam_progress_stream_finalize(GObject *object)
{
	CamProgressStream *self = (CamProgressStream *) object;

	g_clear_object(&self->progress);
	G_OBJECT_CLASS(cam_progress_stream_parent_class)->finalize(object);
}

static void
cam_progress_stream_class_init(CamProgressStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_progress_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_progress_stream_read;
}

static void
cam_progress_stream_init(CamProgressStream *self)
{
}

GInputStream *
cam_progress_stream_new(GInputStream *base, CamProgress *progress, guint phase)
{
	CamProgressStream *self = g_object_new(cam_progress_stream_get_type(), "base-stream", base,
					       "close-base-stream", FALSE, NULL);

	self->progress = progress != NULL ? g_object_ref(progress) : NULL;
	self->phase = phase;
	return G_INPUT_STREAM(self);
}
