/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A gRPC server for tests, on the C core alone: what it does is the test's, one thread a call. */
#pragma once

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <string.h>

#include "plugin/containerd/grpc-bytes.h"

typedef struct {
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array headers;
	grpc_completion_queue *queue;
	gboolean opened; /* initial metadata was sent */
	int cancelled;
	const struct _CoreServer *server;
} CoreCall;

/* Ends with core_call_finish(). */
typedef void (*CoreHandler)(CoreCall *call);

/* Tables end with an entry without path. */
typedef struct {
	const char *path;
	CoreHandler handler;
} CoreMethod;

typedef struct _CoreServer {
	const CoreMethod *methods;
	grpc_server *server;
	grpc_completion_queue *queue;
	GThread *thread;
	GThreadPool *pool;
} CoreServer;

static gboolean
core_step(CoreCall *call, const grpc_op *ops, gsize n_ops)
{
	static const char tag[] = "step";

	return grpc_call_start_batch(call->call, ops, n_ops, (gpointer) tag, NULL) ==
		       GRPC_CALL_OK &&
	       grpc_completion_queue_pluck(call->queue, (gpointer) tag,
					   gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
		       .success;
}

/* (nullable): NULL at the end */
static inline GBytes *
core_call_receive(CoreCall *call)
{
	grpc_byte_buffer *buffer = NULL;
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };
	GBytes *bytes = NULL;

	op.data.recv_message.recv_message = &buffer;
	core_step(call, &op, 1);
	if (buffer != NULL) {
		bytes = cam_grpc_buffer_to_bytes(buffer);
		grpc_byte_buffer_destroy(buffer);
	}
	return bytes;
}

static inline void
core_call_open(CoreCall *call)
{
	grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };

	if (!call->opened)
		core_step(call, &op, 1);
	call->opened = TRUE;
}

static inline void
core_call_send(CoreCall *call, GBytes *message)
{
	grpc_byte_buffer *buffer = cam_grpc_buffer_from_bytes(message);
	grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };

	core_call_open(call);
	op.data.send_message.send_message = buffer;
	core_step(call, &op, 1);
	grpc_byte_buffer_destroy(buffer);
}

static inline char *
core_call_get_header(CoreCall *call, const char *key)
{
	for (gsize i = 0; i < call->headers.count; i++) {
		if (grpc_slice_str_cmp(call->headers.metadata[i].key, key) == 0)
			return cam_grpc_slice_to_text(call->headers.metadata[i].value);
	}
	return NULL;
}

static inline void
core_call_wait_cancelled(CoreCall *call)
{
	grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };

	op.data.recv_close_on_server.cancelled = &call->cancelled;
	core_step(call, &op, 1);
}

static inline void
core_call_finish(CoreCall *call, grpc_status_code status, const char *text)
{
	grpc_slice details = grpc_slice_from_copied_string(text);
	grpc_op op = { .op = GRPC_OP_SEND_STATUS_FROM_SERVER };

	core_call_open(call);
	op.data.send_status_from_server.status = status;
	op.data.send_status_from_server.status_details = &details;
	core_step(call, &op, 1);
	grpc_slice_unref(details);
}

static CoreCall *
core_call_new(CoreServer *self)
{
	CoreCall *call = g_new0(CoreCall, 1);

	grpc_call_details_init(&call->details);
	grpc_metadata_array_init(&call->headers);
	call->queue = grpc_completion_queue_create_for_pluck(NULL);
	call->server = self;
	return call;
}

static void
core_call_free(CoreCall *call)
{
	if (call->call != NULL)
		grpc_call_unref(call->call);
	grpc_call_details_destroy(&call->details);
	grpc_metadata_array_destroy(&call->headers);
	grpc_completion_queue_shutdown(call->queue);
	grpc_completion_queue_pluck(call->queue, NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	grpc_completion_queue_destroy(call->queue);
	g_free(call);
}

static void
core_call_run(gpointer data, gpointer user_data)
{
	CoreCall *call = data;
	const CoreMethod *method = call->server->methods;

	while (method->path != NULL && grpc_slice_str_cmp(call->details.method, method->path) != 0)
		method++;
	if (method->path != NULL)
		method->handler(call);
	else
		core_call_finish(call, GRPC_STATUS_UNIMPLEMENTED, "unknown method");
	core_call_free(call);
}

static gpointer
core_server_run(gpointer data)
{
	CoreServer *self = data;

	for (;;) {
		CoreCall *call = core_call_new(self);
		grpc_event event;

		grpc_server_request_call(self->server, &call->call, &call->details, &call->headers,
					 call->queue, self->queue, call);
		event = grpc_completion_queue_next(self->queue, gpr_inf_future(GPR_CLOCK_REALTIME),
						   NULL);
		if (event.success && event.tag == call) {
			g_thread_pool_push(self->pool, call, NULL);
			continue;
		}
		/* The shutdown, and the request that it ended, in either order. */
		grpc_completion_queue_next(self->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		core_call_free(call);
		return NULL;
	}
}

static inline CoreServer *
core_server_new(const char *socket, const CoreMethod *methods)
{
	CoreServer *self = g_new0(CoreServer, 1);
	g_autofree char *address = g_strconcat("unix:", socket, NULL);
	grpc_server_credentials *credentials = NULL;

	grpc_init();
	credentials = grpc_insecure_server_credentials_create();
	self->methods = methods;
	self->queue = grpc_completion_queue_create_for_next(NULL);
	self->server = grpc_server_create(NULL, NULL);
	grpc_server_register_completion_queue(self->server, self->queue, NULL);
	g_assert_cmpint(grpc_server_add_http2_port(self->server, address, credentials), !=, 0);
	grpc_server_credentials_release(credentials);
	grpc_server_start(self->server);
	self->pool = g_thread_pool_new(core_call_run, NULL, 16, FALSE, NULL);
	self->thread = g_thread_new("server", core_server_run, self);
	return self;
}

static inline void
core_server_free(CoreServer *self)
{
	grpc_server_shutdown_and_notify(self->server, self->queue, self);
	grpc_server_cancel_all_calls(self->server);
	g_thread_join(self->thread);
	g_thread_pool_free(self->pool, FALSE, TRUE);
	grpc_server_destroy(self->server);
	grpc_completion_queue_shutdown(self->queue);
	while (grpc_completion_queue_next(self->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
		       .type != GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(self->queue);
	g_free(self);
	grpc_shutdown();
}
