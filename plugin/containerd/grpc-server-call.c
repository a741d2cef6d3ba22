/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call from the server's side: what it was asked, what it sends, how it ends. When it begins
 * and who runs it is the server's business.
 */
#include "plugin/containerd/grpc-server-private.h"

#include <string.h>

#include "plugin/containerd/grpc-bytes.h"
#include "plugin/containerd/grpc-status.h"
#include "plugin/containerd/wire.h"
#include "scanners/scanners.h"

/* gRPC clients take 8 KiB of headers and trailers; text may triple when it is escaped. */
#define MAX_STATUS_TEXT	 2048
#define NAMESPACE_HEADER "containerd-namespace"

CamGrpcServerCall *
cam_grpc_server_call_new(CamGrpcServer *server)
{
	CamGrpcServerCall *self = g_new0(CamGrpcServerCall, 1);

	self->server = server;
	self->cancellable = g_cancellable_new();
	self->link.data = self;
	grpc_call_details_init(&self->details);
	grpc_metadata_array_init(&self->metadata);
	g_mutex_init(&self->lock);
	g_cond_init(&self->changed);
	return self;
}

void
cam_grpc_server_call_free(CamGrpcServerCall *self)
{
	if (self->core != NULL)
		grpc_call_unref(self->core);
	if (self->request != NULL)
		grpc_byte_buffer_destroy(self->request);
	grpc_metadata_array_destroy(&self->metadata);
	grpc_call_details_destroy(&self->details);
	g_clear_pointer(&self->headers, g_hash_table_unref);
	g_clear_pointer(&self->kept, g_bytes_unref);
	g_object_unref(self->cancellable);
	g_mutex_clear(&self->lock);
	g_cond_clear(&self->changed);
	g_free(self);
}

static void
start_batch(CamGrpcServerCall *self, const grpc_op *ops, gsize n_ops, CamGrpcTag *tag)
{
	/* It fails only if the operations do not go together. */
	if (grpc_call_start_batch(self->core, ops, n_ops, tag, NULL) != GRPC_CALL_OK)
		g_error("gRPC does not take a batch of operations");
}

static void
add_opening(CamGrpcServerCall *self, grpc_op *ops, gsize *n)
{
	if (!self->opened)
		ops[(*n)++].op = GRPC_OP_SEND_INITIAL_METADATA;
	self->opened = TRUE;
}

static grpc_byte_buffer *
add_message(GBytes *message, grpc_op *ops, gsize *n)
{
	grpc_byte_buffer *buffer = cam_grpc_buffer_from_bytes(message);

	ops[*n].op = GRPC_OP_SEND_MESSAGE;
	ops[(*n)++].data.send_message.send_message = buffer;
	return buffer;
}

void
cam_grpc_server_call_begin(CamGrpcServerCall *self)
{
	grpc_op close = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };
	grpc_op receive = { .op = GRPC_OP_RECV_MESSAGE };

	close.data.recv_close_on_server.cancelled = &self->cancelled;
	start_batch(self, &close, 1, &self->closed);
	if (self->route == NULL)
		return;
	receive.data.recv_message.recv_message = &self->request;
	start_batch(self, &receive, 1, &self->received);
}

static char *
status_text(const GError *error)
{
	g_autofree char *line = g_strdelimit(g_strdup(error->message), "\r\n\t", ' ');
	/* The client shows it on a terminal. */
	g_autofree char *text = cam_text_escape(line);
	const char *end;

	if (strlen(text) <= MAX_STATUS_TEXT)
		return g_steal_pointer(&text);
	end = g_utf8_find_prev_char(text, text + MAX_STATUS_TEXT + 1);
	return g_strdup_printf("%.*s…", (int) (end - text), text);
}

void
cam_grpc_server_call_finish(CamGrpcServerCall *self, const GError *error)
{
	grpc_op ops[3] = { 0 };
	gsize n = 0;
	grpc_byte_buffer *buffer = NULL;
	grpc_slice details;
	int status = GRPC_STATUS_OK;
	g_autofree char *text = NULL;

	if (error != NULL) {
		text = status_text(error);
		status = cam_error_to_grpc_status((CamError) error->code);
	}
	details = grpc_slice_from_copied_string(text != NULL ? text : "");
	add_opening(self, ops, &n);
	if (error == NULL && self->kept != NULL)
		buffer = add_message(self->kept, ops, &n);
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = (grpc_status_code) status;
	ops[n++].data.send_status_from_server.status_details = &details;
	start_batch(self, ops, n, &self->finished);
	if (buffer != NULL)
		grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(details);
}

static gboolean
answer(CamGrpcServerCall *self, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	const CamGrpcMethod *method = self->route->method;
	gpointer request;
	gboolean done;

	/* While it waited for a thread. */
	if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
		return cam_error_translate(error, NULL);
	bytes = cam_grpc_buffer_to_bytes(self->request);
	if (bytes == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the request cannot be decompressed");
	request = cam_wire_unpack(method->request, bytes, error);
	if (request == NULL)
		return FALSE;
	done = method->handle(self, request, self->route->user_data, error);
	cam_wire_free(request);
	if (!done)
		return cam_error_translate(error, NULL);
	if (self->kept == NULL && !method->streams)
		self->kept = g_bytes_new_static("", 0);
	return TRUE;
}

void
cam_grpc_server_call_run(CamGrpcServerCall *self)
{
	g_autoptr(GError) error = NULL;

	answer(self, &error);
	cam_grpc_server_call_finish(self, error);
}

/* Sends what was kept and waits until gRPC has taken it. */
static gboolean
flush(CamGrpcServerCall *self, GError **error)
{
	grpc_op ops[2] = { 0 };
	gsize n = 0;
	grpc_byte_buffer *buffer;
	gboolean failed;

	add_opening(self, ops, &n);
	buffer = add_message(self->kept, ops, &n);
	self->sending = TRUE;
	start_batch(self, ops, n, &self->sent);
	g_mutex_lock(&self->lock);
	while (self->sending)
		g_cond_wait(&self->changed, &self->lock);
	failed = self->failed;
	g_mutex_unlock(&self->lock);
	grpc_byte_buffer_destroy(buffer);
	g_clear_pointer(&self->kept, g_bytes_unref);
	if (failed)
		return cam_set_error(error, CAM_ERROR_CANCELLED, "the client is gone");
	return TRUE;
}

gboolean
cam_grpc_server_call_send(CamGrpcServerCall *self, gconstpointer message, GError **error)
{
	g_return_val_if_fail(self->kept == NULL || self->route->method->streams, FALSE);

	if (self->kept != NULL && !flush(self, error))
		return FALSE;
	self->kept = cam_wire_pack(message);
	return TRUE;
}

GCancellable *
cam_grpc_server_call_get_cancellable(CamGrpcServerCall *self)
{
	return self->cancellable;
}

const char *
cam_grpc_server_call_get_header(CamGrpcServerCall *self, const char *name)
{
	if (self->headers == NULL) {
		self->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		for (gsize i = 0; i < self->metadata.count; i++) {
			const grpc_metadata *header = &self->metadata.metadata[i];

			g_hash_table_replace(self->headers, cam_grpc_slice_to_text(header->key),
					     cam_grpc_slice_to_text(header->value));
		}
	}
	return g_hash_table_lookup(self->headers, name);
}

const char *
cam_grpc_server_call_get_namespace(CamGrpcServerCall *self)
{
	return cam_grpc_server_call_get_header(self, NAMESPACE_HEADER);
}
