/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream that outlives the connections it is fed by. Owns when to try again and when to give
 * up; how to open at an offset is the opener's business.
 */
#include "snapshotter/transport/resuming-stream.h"

#include "snapshotter/oci/error.h"
#include "snapshotter/transport/pause.h"

#define MAX_FRUITLESS 5	   /* failures in a row without one byte */
#define MAX_RESUMED   1000 /* in the life of a stream */
#define MAX_TIMED_OUT 5	   /* likewise: a server that is slow again and again stays slow */

typedef struct {
	GInputStream parent_instance;
	CamStreamOpener open;
	gpointer user_data;
	GDestroyNotify destroy;
	GInputStream *base; /* (nullable): the source at @offset */
	goffset offset;
	goffset opened_at; /* offset at which @base was opened */
	gint64 size;
	guint fruitless, resumed, timed_out;
} CamResumingStream;

typedef struct {
	GInputStreamClass parent_class;
} CamResumingStreamClass;

GType cam_resuming_stream_get_type(void);
G_DEFINE_TYPE(CamResumingStream, cam_resuming_stream, G_TYPE_INPUT_STREAM)

/* What a peer or the network did can pass; what we ourselves found wrong cannot. */
static gboolean
is_passing(const GError *error)
{
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return FALSE;
	return error->domain != CAM_ERROR || error->code == (int) CAM_ERROR_UNAVAILABLE;
}

static gssize
read_once(CamResumingStream *self, void *buffer, gsize count, GCancellable *cancellable,
	  GError **error)
{
	gssize n;

	if (self->base == NULL && self->size >= 0 && self->offset >= self->size)
		return 0;
	if (self->base == NULL) {
		self->base = self->open(self->offset, self->user_data, cancellable, error);
		self->opened_at = self->offset;
	}
	if (self->base == NULL)
		return -1;
	n = g_input_stream_read(self->base, buffer, count, cancellable, error);
	if (n == 0 && count > 0 && self->size >= 0 && self->offset < self->size) {
		/* An end right where it was opened is the end, not a broken connection. */
		cam_set_error(error,
			      self->offset == self->opened_at ? CAM_ERROR_DATA_LOSS
							      : CAM_ERROR_UNAVAILABLE,
			      "it ends after %" G_GOFFSET_FORMAT " of %" G_GINT64_FORMAT " bytes",
			      self->offset, self->size);
		return -1;
	}
	return n;
}

static gssize
cam_resuming_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
			 GError **error)
{
	CamResumingStream *self = (CamResumingStream *) stream;

	for (;;) {
		g_autoptr(GError) local = NULL;
		gboolean opened_before = self->base != NULL;
		gssize n = read_once(self, buffer, count, cancellable, &local);

		if (n >= 0) {
			self->offset += n;
			if (n > 0)
				self->fruitless = 0;
			return n;
		}
		if (g_error_matches(local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
			self->timed_out++;
		/* An opener that fails has tried often enough. */
		if (!is_passing(local) || (!opened_before && self->base == NULL) ||
		    ++self->fruitless > MAX_FRUITLESS || ++self->resumed > MAX_RESUMED ||
		    self->timed_out > MAX_TIMED_OUT) {
			gboolean of_network = local->domain != CAM_ERROR;

			cam_error_translate(&local, "cannot read on at byte %" G_GOFFSET_FORMAT,
					    self->offset);
			if (of_network && local->code != (int) CAM_ERROR_CANCELLED)
				local->code = (int) CAM_ERROR_UNAVAILABLE;
			g_propagate_error(error, g_steal_pointer(&local));
			return -1;
		}
		g_clear_object(&self->base);
		if (self->fruitless > 1 &&
		    !cam_pause(cam_pause_for_attempt(self->fruitless - 1), cancellable, error))
			return -1;
	}
}

static gboolean
cam_resuming_stream_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	CamResumingStream *self = (CamResumingStream *) stream;

	g_clear_object(&self->base);
	return TRUE;
}

static void
cam_resuming_stream_finalize(GObject *object)
{
	CamResumingStream *self = (CamResumingStream *) object;

	g_clear_object(&self->base);
	if (self->destroy != NULL)
		self->destroy(self->user_data);
	G_OBJECT_CLASS(cam_resuming_stream_parent_class)->finalize(object);
}

static void
cam_resuming_stream_class_init(CamResumingStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_resuming_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_resuming_stream_read;
	G_INPUT_STREAM_CLASS(klass)->close_fn = cam_resuming_stream_close;
}

static void
cam_resuming_stream_init(CamResumingStream *self)
{
}

GInputStream *
cam_resuming_stream_new(goffset offset, gint64 size, CamStreamOpener open, gpointer user_data,
			GDestroyNotify destroy)
{
	CamResumingStream *self = g_object_new(cam_resuming_stream_get_type(), NULL);

	self->offset = offset;
	self->size = size;
	self->open = open;
	self->user_data = user_data;
	self->destroy = destroy;
	return G_INPUT_STREAM(self);
}
