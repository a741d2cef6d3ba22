/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream that another thread fills: chunks travel through two queues, full ones to the reader
 * and empty ones back, so memory is @depth chunks and no more.
 */
#include "snapshotter/base/compression.h"

#include "snapshotter/base/thread.h"

#include <string.h>

#define CHUNK (256 * 1024)

#define CAM_TYPE_READAHEAD_STREAM (cam_readahead_stream_get_type())
G_DECLARE_FINAL_TYPE(CamReadaheadStream, cam_readahead_stream, CAM, READAHEAD_STREAM,
		     GFilterInputStream)

typedef struct {
	guint8 *data;
	gsize size;
	gboolean last; /* the end, or an error */
	GError *error;
} Chunk;

struct _CamReadaheadStream {
	GFilterInputStream parent;
	GThread *thread;
	GAsyncQueue *full, *empty;
	GCancellable *stop;
	Chunk *current;
	gsize position;
};

G_DEFINE_FINAL_TYPE(CamReadaheadStream, cam_readahead_stream, G_TYPE_FILTER_INPUT_STREAM)

static void
chunk_free(gpointer data)
{
	Chunk *chunk = data;

	g_clear_error(&chunk->error);
	g_free(chunk->data);
	g_free(chunk);
}

static gpointer
fill_thread(gpointer data)
{
	CamReadaheadStream *self = data;
	GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(self));
	gboolean last = FALSE;

	while (!last) {
		Chunk *chunk = g_async_queue_pop(self->empty);

		if (chunk->data == NULL)
			chunk->data = g_malloc(CHUNK);
		if (!g_input_stream_read_all(base, chunk->data, CHUNK, &chunk->size, self->stop,
					     &chunk->error))
			cam_error_translate(&chunk->error, NULL);
		/* What was read before an error is passed on; the error follows it. */
		chunk->last = last = chunk->error != NULL || chunk->size < CHUNK ||
				     g_cancellable_is_cancelled(self->stop);
		g_async_queue_push(self->full, chunk);
	}
	return NULL;
}

static void
on_cancelled(GCancellable *cancellable, GCancellable *stop)
{
	g_cancellable_cancel(stop);
}

/* The base may give nothing for a long time: who is cancelled meanwhile does not wait for it. */
static Chunk *
wait_for_chunk(CamReadaheadStream *self, GCancellable *cancellable)
{
	Chunk *chunk = g_async_queue_try_pop(self->full);
	gulong handler = 0;

	if (chunk != NULL)
		return chunk;
	if (cancellable != NULL)
		handler = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self->stop,
						NULL);
	chunk = g_async_queue_pop(self->full);
	g_cancellable_disconnect(cancellable, handler);
	return chunk;
}

static gssize
cam_readahead_stream_read(GInputStream *stream, void *buffer, gsize count,
			  GCancellable *cancellable, GError **error)
{
	CamReadaheadStream *self = CAM_READAHEAD_STREAM(stream);
	gsize n;

	if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
		cam_error_translate(error, NULL);
		return -1;
	}
	/* Without a thread it is slower. */
	if (self->thread == NULL)
		return g_input_stream_read(
			g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(self)), buffer,
			count, cancellable, error);
	if (self->current == NULL)
		self->current = wait_for_chunk(self, cancellable);
	n = MIN(count, self->current->size - self->position);
	memcpy(buffer, self->current->data + self->position, n);
	self->position += n;
	if (n == 0 && self->current->error != NULL) {
		g_propagate_error(error, g_error_copy(self->current->error));
		return -1;
	}
	if (self->position == self->current->size && !self->current->last) {
		self->position = 0;
		g_async_queue_push(self->empty, g_steal_pointer(&self->current));
	}
	return (gssize) n;
}

static void
stop_thread(CamReadaheadStream *self)
{
	if (self->thread == NULL)
		return;
	g_cancellable_cancel(self->stop);
	/* The thread may wait for an empty chunk: this one finds the stream cancelled. */
	g_async_queue_push(self->empty, g_new0(Chunk, 1));
	g_thread_join(g_steal_pointer(&self->thread));
}

static gboolean
cam_readahead_stream_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	stop_thread(CAM_READAHEAD_STREAM(stream));
	return G_INPUT_STREAM_CLASS(cam_readahead_stream_parent_class)
		->close_fn(stream, cancellable, error);
}

static void
cam_readahead_stream_finalize(GObject *object)
{
	CamReadaheadStream *self = CAM_READAHEAD_STREAM(object);

	g_clear_pointer(&self->current, chunk_free);
	g_async_queue_unref(self->full);
	g_async_queue_unref(self->empty);
	g_object_unref(self->stop);
	G_OBJECT_CLASS(cam_readahead_stream_parent_class)->finalize(object);
}

static void
cam_readahead_stream_init(CamReadaheadStream *self)
{
	self->full = g_async_queue_new_full(chunk_free);
	self->empty = g_async_queue_new_full(chunk_free);
	self->stop = g_cancellable_new();
}

static void
cam_readahead_stream_class_init(CamReadaheadStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_readahead_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_readahead_stream_read;
	G_INPUT_STREAM_CLASS(klass)->close_fn = cam_readahead_stream_close;
}

GInputStream *
cam_readahead_stream_new(GInputStream *base, guint depth)
{
	CamReadaheadStream *self = g_object_new(CAM_TYPE_READAHEAD_STREAM, "base-stream", base,
						"close-base-stream", FALSE, NULL);

	for (guint i = 0; i < MAX(depth, 2); i++)
		g_async_queue_push(self->empty, g_new0(Chunk, 1));
	/* The thread needs no reference: closing, which disposal does at the latest, joins it. */
	self->thread = cam_thread_start("readahead", fill_thread, self, NULL);
	return G_INPUT_STREAM(self);
}
