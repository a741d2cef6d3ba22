/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server: the thread that talks to gRPC, the threads that handle calls, and how all of them
 * come to an end. What one call does is grpc-server-call.c's.
 *
 * All of gRPC's events arrive in one thread, on one queue. It never blocks: a call gets its request
 * there and is handed to a thread of the pool, which sends the answer itself. So a call whose
 * client has gone is known to be so while its handler still runs. New calls are asked for only
 * while there are not too many; the others wait inside gRPC, whose flow control holds their
 * clients.
 */
#include "plugin/containerd/grpc-server.h"

#include <glib-unix.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <unistd.h>

#include "plugin/containerd/grpc-library.h"
#include "plugin/containerd/grpc-server-private.h"

#define DEFAULT_HANDLERS	32
#define DEFAULT_CALLS		512
#define DEFAULT_MESSAGE_SIZE	(4 * 1024 * 1024)
#define DEFAULT_MESSAGE_TIMEOUT 20000

struct _CamGrpcServer {
	GObject parent_instance;
	CamGrpcServerOptions options;
	GHashTable *routes; /* path → CamGrpcRoute */
	GPtrArray *services;
	grpc_server *core;
	grpc_completion_queue *queue;
	GThread *thread;
	GThreadPool *pool;

	/* Of the thread that talks to gRPC alone. */
	GQueue waiting; /* calls without a request, the oldest first */
	gboolean asked; /* gRPC will tell of the next call */

	GMutex lock;
	GCond changed;
	guint n_calls;
	gboolean running, ended;
	CamGrpcTag shut_down;
};
G_DEFINE_FINAL_TYPE(CamGrpcServer, cam_grpc_server, G_TYPE_OBJECT)

typedef struct {
	gpointer user_data;
	GDestroyNotify destroy;
} Service;

static void
service_free(gpointer data)
{
	Service *service = data;

	if (service->destroy != NULL)
		service->destroy(service->user_data);
	g_free(service);
}

static void
change_n_calls(CamGrpcServer *self, int by)
{
	g_mutex_lock(&self->lock);
	self->n_calls += (guint) by;
	g_cond_broadcast(&self->changed);
	g_mutex_unlock(&self->lock);
}

static void ask_for_call(CamGrpcServer *self);

static void
on_end(CamGrpcServerCall *call)
{
	CamGrpcServer *self = call->server;

	if (--call->open_ends > 0)
		return;
	cam_grpc_server_call_free(call);
	change_n_calls(self, -1);
	ask_for_call(self);
}

static void
on_finished(gpointer owner, gboolean ok)
{
	on_end(owner);
}

static void
on_closed(gpointer owner, gboolean ok)
{
	CamGrpcServerCall *call = owner;

	if (call->cancelled)
		g_cancellable_cancel(call->cancellable);
	on_end(call);
}

static void
on_sent(gpointer owner, gboolean ok)
{
	CamGrpcServerCall *call = owner;

	g_mutex_lock(&call->lock);
	call->sending = FALSE;
	call->failed = !ok;
	g_cond_signal(&call->changed);
	g_mutex_unlock(&call->lock);
}

static void
on_received(gpointer owner, gboolean ok)
{
	CamGrpcServerCall *call = owner;
	g_autoptr(GError) error = NULL;

	g_queue_unlink(&call->server->waiting, &call->link);
	if (call->request != NULL) {
		g_thread_pool_push(call->server->pool, call, NULL);
		return;
	}
	cam_set_error(&error, CAM_ERROR_INVALID_ARGUMENT, "the call has no request");
	cam_grpc_server_call_finish(call, error);
}

static void
take_call(CamGrpcServer *self, CamGrpcServerCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_strndup((const char *) GRPC_SLICE_START_PTR(call->details.method),
					  GRPC_SLICE_LENGTH(call->details.method));

	call->route = g_hash_table_lookup(self->routes, path);
	cam_grpc_server_call_begin(call);
	if (call->route != NULL) {
		call->since = g_get_monotonic_time();
		g_queue_push_tail_link(&self->waiting, &call->link);
		return;
	}
	cam_set_error(&error, CAM_ERROR_UNIMPLEMENTED, "unknown method %s", path);
	cam_grpc_server_call_finish(call, error);
}

static void
on_arrived(gpointer owner, gboolean ok)
{
	CamGrpcServerCall *call = owner;
	CamGrpcServer *self = call->server;

	self->asked = FALSE;
	if (!ok) {
		cam_grpc_server_call_free(call);
		return;
	}
	call->open_ends = 2;
	change_n_calls(self, 1);
	take_call(self, call);
	ask_for_call(self);
}

static void
on_shut_down(gpointer owner, gboolean ok)
{
	CamGrpcServer *self = owner;

	g_mutex_lock(&self->lock);
	self->ended = TRUE;
	g_cond_broadcast(&self->changed);
	g_mutex_unlock(&self->lock);
}

static void
ask_for_call(CamGrpcServer *self)
{
	CamGrpcServerCall *call;
	gboolean wanted;

	g_mutex_lock(&self->lock);
	wanted = self->running && !self->asked && self->n_calls < self->options.calls;
	g_mutex_unlock(&self->lock);
	if (!wanted)
		return;
	call = cam_grpc_server_call_new(self);
	call->arrived = (CamGrpcTag){ on_arrived, call };
	call->received = (CamGrpcTag){ on_received, call };
	call->closed = (CamGrpcTag){ on_closed, call };
	call->finished = (CamGrpcTag){ on_finished, call };
	call->sent = (CamGrpcTag){ on_sent, call };
	self->asked = TRUE;
	grpc_server_request_call(self->core, &call->core, &call->details, &call->metadata,
				 self->queue, self->queue, &call->arrived);
}

/* Ends calls that never say what they want; returns when to look again. */
static gpr_timespec
give_up_waiting(CamGrpcServer *self)
{
	gint64 timeout = (gint64) self->options.message_timeout * G_TIME_SPAN_MILLISECOND;

	for (GList *l = self->waiting.head; l != NULL; l = l->next) {
		CamGrpcServerCall *call = l->data;
		gint64 left = call->since + timeout - g_get_monotonic_time();

		if (left > 0)
			return gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
					    gpr_time_from_micros(left, GPR_TIMESPAN));
		/* Leaves the queue when gRPC says that nothing was received. */
		grpc_call_cancel_with_status(call->core, GRPC_STATUS_DEADLINE_EXCEEDED,
					     "the request did not come", NULL);
	}
	return gpr_inf_future(GPR_CLOCK_REALTIME);
}

static gpointer
talk(gpointer data)
{
	CamGrpcServer *self = data;

	ask_for_call(self);
	for (;;) {
		grpc_event event =
			grpc_completion_queue_next(self->queue, give_up_waiting(self), NULL);
		CamGrpcTag *tag = event.tag;

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_OP_COMPLETE)
			tag->done(tag->owner, event.success != 0);
	}
}

static void
run_call(gpointer data, gpointer user_data)
{
	cam_grpc_server_call_run(data);
}

static void
create_core(CamGrpcServer *self)
{
	grpc_arg args[] = {
		{ .type = GRPC_ARG_INTEGER,
		  .key = (char *) GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
		  .value.integer = (int) self->options.message_size },
		{ .type = GRPC_ARG_INTEGER,
		  .key = (char *) GRPC_ARG_MAX_CONCURRENT_STREAMS,
		  .value.integer = (int) self->options.calls },
	};
	grpc_channel_args list = { G_N_ELEMENTS(args), args };

	self->core = grpc_server_create(&list, NULL);
	self->queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(self->core, self->queue, NULL);
}

CamGrpcServer *
cam_grpc_server_new(const CamGrpcServerOptions *options)
{
	CamGrpcServer *self = g_object_new(CAM_TYPE_GRPC_SERVER, NULL);
	CamGrpcServerOptions *o = &self->options;

	if (options != NULL)
		*o = *options;
	o->handlers = o->handlers != 0 ? o->handlers : DEFAULT_HANDLERS;
	o->calls = o->calls != 0 ? o->calls : DEFAULT_CALLS;
	o->message_size = o->message_size != 0 ? o->message_size : DEFAULT_MESSAGE_SIZE;
	o->message_timeout = o->message_timeout != 0 ? o->message_timeout : DEFAULT_MESSAGE_TIMEOUT;
	create_core(self);
	return self;
}

void
cam_grpc_server_add_service(CamGrpcServer *self, const CamGrpcMethod *methods, gpointer user_data,
			    GDestroyNotify destroy)
{
	Service *service = g_new(Service, 1);

	g_return_if_fail(self->thread == NULL);
	*service = (Service){ user_data, destroy };
	g_ptr_array_add(self->services, service);
	for (; methods->path != NULL; methods++) {
		CamGrpcRoute *route = g_new(CamGrpcRoute, 1);

		*route = (CamGrpcRoute){ methods, user_data };
		g_hash_table_insert(self->routes, (gpointer) methods->path, route);
	}
}

gboolean
cam_grpc_server_start(CamGrpcServer *self, GError **error)
{
	g_autoptr(GError) local = NULL;

	g_return_val_if_fail(self->thread == NULL && !self->ended, FALSE);

	/* Threads that are kept: their number is the bound, and calls come in crowds. */
	self->pool = g_thread_pool_new(run_call, NULL, (gint) self->options.handlers, TRUE, &local);
	if (local != NULL) {
		g_thread_pool_free(g_steal_pointer(&self->pool), TRUE, TRUE);
		return cam_set_error(
			error, CAM_ERROR_RESOURCE_EXHAUSTED,
			"cannot start %u threads for requests: %s (see TasksMax of the "
			"service)",
			self->options.handlers, local->message);
	}
	grpc_server_start(self->core);
	self->running = TRUE;
	self->thread = cam_thread_start("grpc", talk, self, error);
	if (self->thread != NULL)
		return TRUE;
	self->running = FALSE;
	g_thread_pool_free(g_steal_pointer(&self->pool), TRUE, TRUE);
	return FALSE;
}

void
cam_grpc_server_add_connection(CamGrpcServer *self, int fd)
{
	grpc_server_credentials *credentials;

	/* gRPC takes it that nothing blocks. */
	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	g_mutex_lock(&self->lock);
	if (self->running) {
		credentials = grpc_insecure_server_credentials_create();
		grpc_server_add_channel_from_fd(self->core, fd, credentials);
		grpc_server_credentials_release(credentials);
	} else {
		close(fd);
	}
	g_mutex_unlock(&self->lock);
}

static void
wait_for_calls(CamGrpcServer *self, guint grace)
{
	gint64 until = g_get_monotonic_time() + (gint64) grace * G_TIME_SPAN_MILLISECOND;

	while (self->n_calls > 0 && g_cond_wait_until(&self->changed, &self->lock, until))
		;
}

void
cam_grpc_server_stop(CamGrpcServer *self, guint grace)
{
	gboolean running;

	g_mutex_lock(&self->lock);
	running = self->running;
	self->running = FALSE;
	g_mutex_unlock(&self->lock);
	if (!running)
		return;
	self->shut_down = (CamGrpcTag){ on_shut_down, self };
	grpc_server_shutdown_and_notify(self->core, self->queue, &self->shut_down);
	g_mutex_lock(&self->lock);
	wait_for_calls(self, grace);
	g_mutex_unlock(&self->lock);
	/* Idle connections too: their clients may never say that they have seen the end. */
	grpc_server_cancel_all_calls(self->core);
	g_mutex_lock(&self->lock);
	while (!self->ended || self->n_calls > 0)
		g_cond_wait(&self->changed, &self->lock);
	g_mutex_unlock(&self->lock);
	grpc_completion_queue_shutdown(self->queue);
	g_thread_join(g_steal_pointer(&self->thread));
	g_thread_pool_free(g_steal_pointer(&self->pool), FALSE, TRUE);
}

guint
cam_grpc_server_get_n_calls(CamGrpcServer *self)
{
	guint n_calls;

	g_mutex_lock(&self->lock);
	n_calls = self->n_calls;
	g_mutex_unlock(&self->lock);
	return n_calls;
}

static void
drain(grpc_completion_queue *queue)
{
	grpc_event event;

	grpc_completion_queue_shutdown(queue);
	do {
		event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	} while (event.type != GRPC_QUEUE_SHUTDOWN);
}

static void
cam_grpc_server_finalize(GObject *object)
{
	CamGrpcServer *self = CAM_GRPC_SERVER(object);

	cam_grpc_server_stop(self, 0);
	if (!self->ended) {
		/* It was never started. */
		grpc_server_shutdown_and_notify(self->core, self->queue, NULL);
		drain(self->queue);
	}
	grpc_server_destroy(self->core);
	grpc_completion_queue_destroy(self->queue);
	g_hash_table_unref(self->routes);
	g_ptr_array_unref(self->services);
	g_mutex_clear(&self->lock);
	g_cond_clear(&self->changed);
	cam_grpc_library_release();
	G_OBJECT_CLASS(cam_grpc_server_parent_class)->finalize(object);
}

static void
cam_grpc_server_class_init(CamGrpcServerClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_grpc_server_finalize;
}

static void
cam_grpc_server_init(CamGrpcServer *self)
{
	cam_grpc_library_hold();
	self->routes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	self->services = g_ptr_array_new_with_free_func(service_free);
	g_queue_init(&self->waiting);
	g_mutex_init(&self->lock);
	g_cond_init(&self->changed);
}
