/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pace of what a peer sends. A time-out for each read is no bound: a byte now and then keeps it
 * from ever running out.
 */
#include "snapshotter/transport/paced-stream.h"

typedef struct {
	GInputStream parent_instance;
	GInputStream *base;
	CamPace pace;
	gboolean limited;
	gint64 waited, waited_in_window; /* microseconds */
	guint64 read_in_window;
} CamPacedStream;

typedef struct {
	GInputStreamClass parent_class;
} CamPacedStreamClass;

GType cam_paced_stream_get_type(void);
G_DEFINE_TYPE(CamPacedStream, cam_paced_stream, G_TYPE_INPUT_STREAM)

static gboolean
check_pace(CamPacedStream *self, GError **error)
{
	const CamPace *pace = &self->pace;
	guint64 wanted = (guint64) pace->min_rate * pace->window / 1000;

	if (self->limited && self->waited > (gint64) pace->longest * G_TIME_SPAN_MILLISECOND) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
			    "it did not come within %u seconds", pace->longest / 1000);
		return FALSE;
	}
	if (self->waited_in_window < (gint64) pace->window * G_TIME_SPAN_MILLISECOND)
		return TRUE;
	if (self->read_in_window < wanted) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
			    "the server sends less than %u bytes a second", pace->min_rate);
		return FALSE;
	}
	self->waited_in_window = 0;
	self->read_in_window = 0;
	return TRUE;
}

static gssize
cam_paced_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		      GError **error)
{
	CamPacedStream *self = (CamPacedStream *) stream;
	gint64 begun = g_get_monotonic_time(), waited;
	gssize n = g_input_stream_read(self->base, buffer, count, cancellable, error);

	if (n <= 0)
		return n;
	waited = g_get_monotonic_time() - begun;
	self->waited += waited;
	self->waited_in_window += waited;
	self->read_in_window += (guint64) n;
	return check_pace(self, error) ? n : -1;
}

static gboolean
cam_paced_stream_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	return g_input_stream_close(((CamPacedStream *) stream)->base, cancellable, error);
}

static void
cam_paced_stream_finalize(GObject *object)
{
	g_clear_object(&((CamPacedStream *) object)->base);
	G_OBJECT_CLASS(cam_paced_stream_parent_class)->finalize(object);
}

static void
cam_paced_stream_class_init(CamPacedStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_paced_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_paced_stream_read;
	G_INPUT_STREAM_CLASS(klass)->close_fn = cam_paced_stream_close;
}

static void
cam_paced_stream_init(CamPacedStream *self)
{
}

GInputStream *
cam_paced_stream_new(GInputStream *base, const CamPace *pace)
{
	CamPacedStream *self = g_object_new(cam_paced_stream_get_type(), NULL);

	self->base = base;
	self->pace = *pace;
	return G_INPUT_STREAM(self);
}

void
cam_paced_stream_limit(GInputStream *stream)
{
	if (G_TYPE_CHECK_INSTANCE_TYPE(stream, cam_paced_stream_get_type()))
		((CamPacedStream *) stream)->limited = TRUE;
}
