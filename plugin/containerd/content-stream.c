/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A blob that containerd sends, as a stream. */
#include "plugin/containerd/content-stream.h"

#include <string.h>

#include "plugin/containerd/containerd-private.h"
#include "proto/content.pb-c.h"

#define CAM_TYPE_CONTENT_STREAM (cam_content_stream_get_type())
G_DECLARE_FINAL_TYPE(CamContentStream, cam_content_stream, CAM, CONTENT_STREAM, GInputStream)

struct _CamContentStream {
	GInputStream parent_instance;
	CamGrpcCall *call;
	GBytes *data; /* (nullable) */
	gsize taken;  /* of @data */
	gboolean ended;
};

G_DEFINE_FINAL_TYPE(CamContentStream, cam_content_stream, G_TYPE_INPUT_STREAM)

static void
free_message(gpointer message)
{
	cam_wire_free(message);
}

gboolean
cam_content_stream_receive(CamGrpcCall *call, GBytes **data, GError **error)
{
	gpointer message = NULL;
	Cam__Content__ReadResponse *answer;

	*data = NULL;
	if (!cam_containerd_receive(call, &cam__content__read_response__descriptor, &message,
				    error))
		return FALSE;
	answer = message;
	if (answer != NULL)
		*data = g_bytes_new_with_free_func(answer->data.data, answer->data.len,
						   free_message, answer);
	return TRUE;
}

static gssize
cam_content_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
			GError **error)
{
	CamContentStream *self = CAM_CONTENT_STREAM(stream);
	gsize size = 0;
	gconstpointer bytes = NULL;

	while (!self->ended &&
	       (self->data == NULL || self->taken == g_bytes_get_size(self->data))) {
		g_clear_pointer(&self->data, g_bytes_unref);
		self->taken = 0;
		if (!cam_content_stream_receive(self->call, &self->data, error))
			return -1;
		self->ended = self->data == NULL;
	}
	if (self->ended)
		return 0;
	bytes = g_bytes_get_data(self->data, &size);
	count = MIN(count, size - self->taken);
	memcpy(buffer, (const char *) bytes + self->taken, count);
	self->taken += count;
	return (gssize) count;
}

static gboolean
cam_content_stream_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	CamContentStream *self = CAM_CONTENT_STREAM(stream);

	self->ended = TRUE;
	g_clear_pointer(&self->data, g_bytes_unref);
	g_clear_pointer(&self->call, cam_grpc_call_free);
	return TRUE;
}

static void
cam_content_stream_class_init(CamContentStreamClass *klass)
{
	/* Disposing of a stream closes it. */
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_content_stream_read;
	G_INPUT_STREAM_CLASS(klass)->close_fn = cam_content_stream_close;
}

static void
cam_content_stream_init(CamContentStream *self)
{
}

GInputStream *
cam_content_stream_new(CamGrpcCall *call, GBytes *first)
{
	CamContentStream *self = g_object_new(CAM_TYPE_CONTENT_STREAM, NULL);

	self->call = call;
	self->data = first;
	return G_INPUT_STREAM(self);
}
