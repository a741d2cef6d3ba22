/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call of a client. Each has a completion queue of its own and waits for each step, so a call
 * belongs to one thread and many calls share a channel without knowing of each other.
 *
 * The status is asked for at the start and waited for at the end. gRPC hands it out only when all
 * messages were taken, which is why what nobody wants is read all the same.
 */
#include "plugin/containerd/grpc-channel-private.h"

#include <string.h>

#include "plugin/containerd/grpc-bytes.h"
#include "plugin/containerd/grpc-status.h"

#define MAX_HEADERS 2

struct _CamGrpcCall {
	CamGrpcChannel *channel;
	GCancellable *cancellable; /* (nullable) */
	gulong cancelled_id;
	guint timeout;
	grpc_completion_queue *queue;
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_status_code status;
	grpc_slice details;
	gboolean has_initial; /* asked for */
	gboolean finished;    /* @status is there */
};

/* ---- batches ---- */

static const char STATUS_TAG[] = "status", STEP_TAG[] = "step";

static gboolean
wait(CamGrpcCall *self, const char *tag)
{
	grpc_event event = grpc_completion_queue_pluck(self->queue, (gpointer) tag,
						       gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

	return event.type == GRPC_OP_COMPLETE && event.success != 0;
}

/* FALSE if the call is over, or gRPC does not want it. */
static gboolean
step(CamGrpcCall *self, const grpc_op *ops, gsize n_ops)
{
	return grpc_call_start_batch(self->call, ops, n_ops, (gpointer) STEP_TAG, NULL) ==
		       GRPC_CALL_OK &&
	       wait(self, STEP_TAG);
}

static void
ask_status(CamGrpcCall *self)
{
	grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

	op.data.recv_status_on_client.trailing_metadata = &self->trailing;
	op.data.recv_status_on_client.status = &self->status;
	op.data.recv_status_on_client.status_details = &self->details;
	grpc_call_start_batch(self->call, &op, 1, (gpointer) STATUS_TAG, NULL);
}

static void
finish(CamGrpcCall *self)
{
	if (self->finished)
		return;
	wait(self, STATUS_TAG);
	self->finished = TRUE;
}

/* (nullable): NULL at the end, or for what cannot be unpacked. */
static GBytes *
take_message(CamGrpcCall *self)
{
	grpc_byte_buffer *buffer = NULL;
	GBytes *bytes = NULL;
	grpc_op ops[2] = { { .op = GRPC_OP_RECV_MESSAGE },
			   { .op = GRPC_OP_RECV_INITIAL_METADATA } };
	gsize n_ops = self->has_initial ? 1 : 2;

	ops[0].data.recv_message.recv_message = &buffer;
	ops[1].data.recv_initial_metadata.recv_initial_metadata = &self->initial;
	self->has_initial = TRUE;
	step(self, ops, n_ops);
	if (buffer == NULL)
		return NULL;
	bytes = cam_grpc_buffer_to_bytes(buffer);
	grpc_byte_buffer_destroy(buffer);
	return bytes;
}

/* ---- status ---- */

static gboolean
fail(CamGrpcCall *self, GError **error)
{
	g_autofree char *details = cam_grpc_slice_to_text(self->details);

	if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
		return cam_error_translate(error, NULL);
	switch (self->status) {
	case GRPC_STATUS_OK:
		return cam_set_error(error, CAM_ERROR_INTERNAL,
				     "the server at %s ended the call before it was complete",
				     cam_grpc_channel_get_socket(self->channel));
	case GRPC_STATUS_DEADLINE_EXCEEDED:
		if (self->timeout == 0)
			break;
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE,
				     "the server at %s did not answer within %u ms",
				     cam_grpc_channel_get_socket(self->channel), self->timeout);
	case GRPC_STATUS_UNAVAILABLE:
		return cam_grpc_channel_set_unavailable(self->channel, details, error);
	default:
		break;
	}
	return cam_set_error(error, cam_error_from_grpc_status((int) self->status), "%s",
			     *details != '\0' ? details : "the server gives no reason");
}

/* After a step that failed: the reason is in the status, which comes after the last message. */
static gboolean
fail_with_status(CamGrpcCall *self, GError **error)
{
	GBytes *unwanted;

	while (!self->finished && (unwanted = take_message(self)) != NULL)
		g_bytes_unref(unwanted);
	finish(self);
	return fail(self, error);
}

/* ---- the call ---- */

static void
on_cancelled(GCancellable *cancellable, gpointer data)
{
	CamGrpcCall *self = data;

	grpc_call_cancel(self->call, NULL);
}

static gsize
add_header(grpc_metadata *headers, gsize n, const char *key, const char *value)
{
	if (value == NULL || *value == '\0')
		return n;
	headers[n].key = grpc_slice_from_static_string(key);
	headers[n].value = grpc_slice_from_copied_string(value);
	return n + 1;
}

static gboolean
send_headers(CamGrpcCall *self, const CamGrpcCallOptions *options)
{
	grpc_metadata headers[MAX_HEADERS] = { 0 };
	grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };
	gsize n = 0;
	gboolean sent;

	n = add_header(headers, n, "containerd-namespace", options->name_space);
	n = add_header(headers, n, "containerd-lease", options->lease);
	op.data.send_initial_metadata.count = n;
	op.data.send_initial_metadata.metadata = headers;
	sent = step(self, &op, 1);
	while (n > 0)
		grpc_slice_unref(headers[--n].value);
	return sent;
}

static gboolean
check_header(const char *value, GError **error)
{
	grpc_slice slice;
	gboolean legal;

	if (value == NULL)
		return TRUE;
	slice = grpc_slice_from_copied_string(value);
	legal = grpc_header_nonbin_value_is_legal(slice) != 0;
	grpc_slice_unref(slice);
	return legal || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				      "'%s' cannot be the name of a namespace or lease", value);
}

static grpc_call *
make_call(CamGrpcCall *self, const char *method)
{
	grpc_slice path = grpc_slice_from_copied_string(method);
	gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
	grpc_call *call;

	if (self->timeout > 0)
		deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					gpr_time_from_millis(self->timeout, GPR_TIMESPAN));
	call = grpc_channel_create_call(cam_grpc_channel_get_core(self->channel), NULL,
					GRPC_PROPAGATE_DEFAULTS, self->queue, path, NULL, deadline,
					NULL);
	grpc_slice_unref(path);
	return call;
}

CamGrpcCall *
cam_grpc_channel_start(CamGrpcChannel *channel, const char *method,
		       const CamGrpcCallOptions *options, GCancellable *cancellable, GError **error)
{
	static const CamGrpcCallOptions defaults = { 0 };
	g_autoptr(CamGrpcCall) self = NULL;

	if (options == NULL)
		options = &defaults;
	if (!check_header(options->name_space, error) || !check_header(options->lease, error))
		return NULL;
	self = g_new0(CamGrpcCall, 1);
	self->channel = g_object_ref(channel);
	self->timeout = options->timeout;
	self->details = grpc_empty_slice();
	grpc_metadata_array_init(&self->initial);
	grpc_metadata_array_init(&self->trailing);
	self->queue = grpc_completion_queue_create_for_pluck(NULL);
	self->call = make_call(self, method);
	ask_status(self);
	if (cancellable != NULL) {
		self->cancellable = g_object_ref(cancellable);
		self->cancelled_id =
			g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self, NULL);
	}
	if (send_headers(self, options))
		return g_steal_pointer(&self);
	fail_with_status(self, error);
	return NULL;
}

gboolean
cam_grpc_call_send(CamGrpcCall *self, GBytes *message, GError **error)
{
	grpc_byte_buffer *buffer = cam_grpc_buffer_from_bytes(message);
	grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };
	gboolean sent;

	op.data.send_message.send_message = buffer;
	sent = step(self, &op, 1);
	grpc_byte_buffer_destroy(buffer);
	return sent || fail_with_status(self, error);
}

gboolean
cam_grpc_call_close(CamGrpcCall *self, GError **error)
{
	grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };

	return step(self, &op, 1) || fail_with_status(self, error);
}

gboolean
cam_grpc_call_receive(CamGrpcCall *self, GBytes **message, GError **error)
{
	*message = self->finished ? NULL : take_message(self);
	if (*message != NULL)
		return TRUE;
	finish(self);
	return self->status == GRPC_STATUS_OK || fail(self, error);
}

void
cam_grpc_call_free(CamGrpcCall *self)
{
	if (self == NULL)
		return;
	/* Waits for a handler that runs. */
	if (self->cancelled_id != 0)
		g_cancellable_disconnect(self->cancellable, self->cancelled_id);
	if (!self->finished) {
		grpc_call_cancel(self->call, NULL);
		finish(self);
	}
	grpc_call_unref(self->call);
	grpc_completion_queue_shutdown(self->queue);
	grpc_completion_queue_pluck(self->queue, NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	grpc_completion_queue_destroy(self->queue);
	grpc_metadata_array_destroy(&self->initial);
	grpc_metadata_array_destroy(&self->trailing);
	grpc_slice_unref(self->details);
	g_clear_object(&self->cancellable);
	g_object_unref(self->channel);
	g_free(self);
}

/* ---- the usual forms ---- */

CamGrpcCall *
cam_grpc_channel_start_stream(CamGrpcChannel *channel, const char *method, GBytes *request,
			      const CamGrpcCallOptions *options, GCancellable *cancellable,
			      GError **error)
{
	g_autoptr(CamGrpcCall) call =
		cam_grpc_channel_start(channel, method, options, cancellable, error);

	if (call == NULL || !cam_grpc_call_send(call, request, error) ||
	    !cam_grpc_call_close(call, error))
		return NULL;
	return g_steal_pointer(&call);
}

GBytes *
cam_grpc_channel_call(CamGrpcChannel *channel, const char *method, GBytes *request,
		      const CamGrpcCallOptions *options, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamGrpcCall) call = cam_grpc_channel_start_stream(channel, method, request,
								    options, cancellable, error);
	g_autoptr(GBytes) answer = NULL;
	g_autoptr(GBytes) end = NULL;

	if (call == NULL || !cam_grpc_call_receive(call, &answer, error))
		return NULL;
	/* The status counts, also behind an answer. */
	if (answer != NULL && cam_grpc_call_receive(call, &end, error) && end == NULL)
		return g_steal_pointer(&answer);
	if (error != NULL && *error == NULL)
		cam_set_error(error, CAM_ERROR_INTERNAL, "%s answered %s of one message", method,
			      answer == NULL ? "nothing instead" : "more instead");
	return NULL;
}
