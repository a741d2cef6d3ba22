/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gRPC server against our own client, and against what is no client at all. */
#include "plugin/containerd/grpc-server.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugin/containerd/grpc-channel.h"
#include "plugin/containerd/wire.h"
#include "proto/snapshots.pb-c.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

typedef struct {
	char *directory, *socket;
	int listener;
	GThread *acceptor;
	CamGrpcServer *server;
	CamGrpcChannel *channel;
	int last; /* a copy of the connection that was accepted last */
	gint running, peak, cancelled, ended;
} Fixture;

/* ---- what the server does ---- */

static gboolean
echo(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	return cam_grpc_server_call_send(call, request, error);
}

static gboolean
nothing(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	return TRUE;
}

static gboolean
tell_namespace(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Cam__Snapshots__KeyRequest answer = CAM__SNAPSHOTS__KEY_REQUEST__INIT;

	g_assert_null(cam_grpc_server_call_get_header(call, "no-such-header"));
	answer.key = (char *) cam_grpc_server_call_get_namespace(call);
	if (answer.key == NULL)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "no namespace");
	return cam_grpc_server_call_send(call, &answer, error);
}

/* With the request's key as text. */
static gboolean
refuse(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	const Cam__Snapshots__KeyRequest *key = request;

	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s", key->key);
}

static gboolean
refuse_as_library(CamGrpcServerCall *call, gconstpointer request, gpointer user_data,
		  GError **error)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the disk is full");
	return FALSE;
}

static gboolean
wait_until_cancelled(CamGrpcServerCall *call, gconstpointer request, gpointer user_data,
		     GError **error)
{
	Fixture *f = user_data;
	GPollFD poll;

	g_atomic_int_inc(&f->running);
	g_assert_true(g_cancellable_make_pollfd(cam_grpc_server_call_get_cancellable(call), &poll));
	g_poll(&poll, 1, -1);
	g_cancellable_release_fd(cam_grpc_server_call_get_cancellable(call));
	g_atomic_int_inc(&f->cancelled);
	return cam_set_error(error, CAM_ERROR_CANCELLED, "cancelled");
}

static gboolean
take_time(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Fixture *f = user_data;
	int running = g_atomic_int_add(&f->running, 1) + 1, peak;

	do {
		peak = g_atomic_int_get(&f->peak);
	} while (running > peak && !g_atomic_int_compare_and_exchange(&f->peak, peak, running));
	g_usleep(100 * G_TIME_SPAN_MILLISECOND);
	g_atomic_int_add(&f->running, -1);
	return cam_grpc_server_call_send(call, request, error);
}

/* As many messages as the key has bytes. */
static gboolean
stream(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	const Cam__Snapshots__KeyRequest *key = request;

	for (gsize i = 0; i < strlen(key->key); i++) {
		if (!cam_grpc_server_call_send(call, request, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
stream_forever(CamGrpcServerCall *call, gconstpointer request, gpointer user_data, GError **error)
{
	Fixture *f = user_data;
	gboolean more = TRUE;

	while (more) {
		g_atomic_int_inc(&f->running);
		more = cam_grpc_server_call_send(call, request, error);
	}
	g_assert_error(*error, CAM_ERROR, CAM_ERROR_CANCELLED);
	g_atomic_int_inc(&f->ended);
	return FALSE;
}

#define REQUEST &cam__snapshots__key_request__descriptor
static const CamGrpcMethod methods[] = {
	{ "/t.S/Echo", REQUEST, echo, FALSE },
	{ "/t.S/Nothing", REQUEST, nothing, FALSE },
	{ "/t.S/Namespace", REQUEST, tell_namespace, FALSE },
	{ "/t.S/Refuse", REQUEST, refuse, FALSE },
	{ "/t.S/RefuseAsLibrary", REQUEST, refuse_as_library, FALSE },
	{ "/t.S/Wait", REQUEST, wait_until_cancelled, FALSE },
	{ "/t.S/TakeTime", REQUEST, take_time, FALSE },
	{ "/t.S/Stream", REQUEST, stream, TRUE },
	{ "/t.S/StreamForever", REQUEST, stream_forever, TRUE },
	{ NULL },
};

/* ---- the fixture ---- */

static gpointer
accept_all(gpointer data)
{
	Fixture *f = data;
	int fd;

	while ((fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (f->last >= 0)
			close(f->last);
		f->last = dup(fd);
		cam_grpc_server_add_connection(f->server, fd);
	}
	return NULL;
}

static int
make_socket(Fixture *f, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	g_strlcpy(address->sun_path, f->socket, sizeof(address->sun_path));
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void
set_up_with(Fixture *f, const CamGrpcServerOptions *options)
{
	struct sockaddr_un address;

	f->directory = g_dir_make_tmp("cam-XXXXXX", NULL);
	f->socket = g_build_filename(f->directory, "s", NULL);
	f->listener = make_socket(f, &address);
	f->last = -1;
	g_assert_cmpint(bind(f->listener, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(f->listener, 16), ==, 0);
	f->server = cam_grpc_server_new(options);
	cam_grpc_server_add_service(f->server, methods, f, NULL);
	g_assert_true(cam_grpc_server_start(f->server, NULL));
	f->acceptor = g_thread_new("accept", accept_all, f);
	f->channel = cam_grpc_channel_new(f->socket, NULL);
}

static void
set_up(Fixture *f, gconstpointer data)
{
	set_up_with(f, data);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	gint64 begin = g_get_monotonic_time();

	g_clear_object(&f->channel);
	cam_grpc_server_stop(f->server, 1000);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_TIME_SPAN_SECOND);
	g_assert_cmpuint(cam_grpc_server_get_n_calls(f->server), ==, 0);
	shutdown(f->listener, SHUT_RDWR);
	g_thread_join(f->acceptor);
	close(f->listener);
	if (f->last >= 0)
		close(f->last);
	g_object_unref(f->server);
	g_unlink(f->socket);
	g_rmdir(f->directory);
	g_free(f->socket);
	g_free(f->directory);
}

static GBytes *
request_for(const char *key)
{
	Cam__Snapshots__KeyRequest request = CAM__SNAPSHOTS__KEY_REQUEST__INIT;

	request.key = (char *) key;
	return cam_wire_pack(&request);
}

/* (transfer full): the key in the answer */
static char *
call(Fixture *f, const char *method, const char *key, const CamGrpcCallOptions *options,
     GError **error)
{
	g_autoptr(GBytes) request = request_for(key);
	g_autoptr(GBytes) answer =
		cam_grpc_channel_call(f->channel, method, request, options, NULL, error);
	Cam__Snapshots__KeyRequest *message;
	char *result;

	if (answer == NULL)
		return NULL;
	message = cam_wire_unpack(REQUEST, answer, error);
	g_assert_nonnull(message);
	result = g_strdup(message->key);
	cam_wire_free(message);
	return result;
}

static void
assert_alive(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = call(f, "/t.S/Echo", "alive", NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(answer, ==, "alive");
}

/* Within seconds, whatever the machine is busy with. */
static void
wait_for(gint *number, gint at_least)
{
	for (guint i = 0; g_atomic_int_get(number) < at_least; i++) {
		g_assert_cmpuint(i, <, 3000);
		g_usleep(10 * G_TIME_SPAN_MILLISECOND);
	}
}

/* ---- the tests ---- */

static void
test_unary(Fixture *f, gconstpointer data)
{
	static const CamGrpcCallOptions options = { .name_space = "k8s.io" };
	g_autoptr(GError) error = NULL;
	g_autofree char *empty = NULL, *name_space = NULL;

	for (guint i = 0; i < 200; i++)
		assert_alive(f);
	empty = call(f, "/t.S/Nothing", "x", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(empty, ==, "");
	name_space = call(f, "/t.S/Namespace", "x", &options, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(name_space, ==, "k8s.io");
	g_assert_null(call(f, "/t.S/Namespace", "x", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

static void
test_errors(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *huge = g_strnfill(100000, 'x');

	g_assert_null(call(f, "/t.S/Refuse", "has children: remove them", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_true(g_str_has_suffix(error->message, "has children: remove them"));
	g_clear_error(&error);

	g_assert_null(call(f, "/t.S/Refuse", "two\nlines, \x1b[31m, \xc3\xa4 100%", NULL, &error));
	g_assert_true(g_str_has_suffix(error->message, "two lines, \\x1b[31m, \xc3\xa4 100%"));
	g_clear_error(&error);

	g_assert_null(call(f, "/t.S/Refuse", huge, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_cmpuint(strlen(error->message), <, 3000);
	g_clear_error(&error);

	g_assert_null(call(f, "/t.S/RefuseAsLibrary", "", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);

	g_assert_null(call(f, "/t.S/NoSuchMethod", "", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
	assert_alive(f);
}

static void
test_malformed(Fixture *f, gconstpointer data)
{
	static const char *const requests[] = { "\x12", "\x12\x05k", "hello", "\x12\x02\xff\xff" };

	for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
		g_autoptr(GBytes) request = g_bytes_new_static(requests[i], strlen(requests[i]));
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_grpc_channel_call(f->channel, "/t.S/Echo", request, NULL, NULL,
						    &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	}
	assert_alive(f);
}

static void
test_large(Fixture *f, gconstpointer data)
{
	g_autofree char *fits = g_strnfill(3 * 1024 * 1024, 'f');
	g_autofree char *huge = g_strnfill(16 * 1024 * 1024, 'h');
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = call(f, "/t.S/Echo", fits, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(answer, ==, fits);
	g_assert_null(call(f, "/t.S/Echo", huge, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	assert_alive(f);
}

static void
test_stream(Fixture *f, gconstpointer data)
{
	static const guint counts[] = { 0, 1, 2, 500 };

	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
		g_autofree char *key = g_strnfill(counts[i], 'k');
		g_autoptr(GBytes) request = request_for(key);
		g_autoptr(GError) error = NULL;
		g_autoptr(CamGrpcCall) one = cam_grpc_channel_start_stream(
			f->channel, "/t.S/Stream", request, NULL, NULL, &error);
		guint count = 0;

		g_assert_no_error(error);
		for (;;) {
			g_autoptr(GBytes) message = NULL;

			g_assert_true(cam_grpc_call_receive(one, &message, &error));
			if (message == NULL)
				break;
			g_assert_true(g_bytes_equal(message, request));
			count++;
		}
		g_assert_cmpuint(count, ==, counts[i]);
	}
}

/* A client that does not read stops the stream; one that goes away ends it. */
static void
test_slow_reader(Fixture *f, gconstpointer data)
{
	g_autofree char *key = g_strnfill(64 * 1024, 'k');
	g_autoptr(GBytes) request = request_for(key);
	g_autoptr(GBytes) message = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamGrpcCall) one = cam_grpc_channel_start_stream(f->channel, "/t.S/StreamForever",
								   request, NULL, NULL, &error);
	gint sent;

	g_assert_true(cam_grpc_call_receive(one, &message, &error));
	do {
		sent = g_atomic_int_get(&f->running);
		g_usleep(300 * G_TIME_SPAN_MILLISECOND);
	} while (sent != g_atomic_int_get(&f->running));
	g_assert_cmpint(sent, <, 1000);
	g_clear_pointer(&one, cam_grpc_call_free);
	wait_for(&f->ended, 1);
}

static void
test_client_gives_up(Fixture *f, gconstpointer data)
{
	static const CamGrpcCallOptions options = { .timeout = 200 };
	g_autoptr(GBytes) request = request_for("x");
	g_autoptr(GError) error = NULL;
	CamGrpcCall *one =
		cam_grpc_channel_start_stream(f->channel, "/t.S/Wait", request, NULL, NULL, &error);

	g_assert_no_error(error);
	wait_for(&f->running, 1);
	cam_grpc_call_free(one);
	wait_for(&f->cancelled, 1);

	g_assert_null(call(f, "/t.S/Wait", "x", &options, &error));
	wait_for(&f->cancelled, 2);
}

static void
test_client_vanishes(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) request = request_for("x");
	g_autoptr(GError) error = NULL;
	CamGrpcCall *one =
		cam_grpc_channel_start_stream(f->channel, "/t.S/Wait", request, NULL, NULL, &error);

	g_assert_no_error(error);
	wait_for(&f->running, 1);
	shutdown(f->last, SHUT_RDWR);
	wait_for(&f->cancelled, 1);
	cam_grpc_call_free(one);
	assert_alive(f);
}

typedef struct {
	Fixture *f;
	const char *method;
	guint times;
} Client;

static gpointer
run_client(gpointer data)
{
	Client *client = data;

	for (guint i = 0; i < client->times; i++) {
		g_autofree char *key = g_strdup_printf("%p/%u", g_thread_self(), i);
		g_autoptr(GError) error = NULL;
		g_autofree char *answer = call(client->f, client->method, key, NULL, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(answer, ==, key);
	}
	return NULL;
}

static void
run_clients(Client *client, guint n)
{
	g_autofree GThread **threads = g_new(GThread *, n);

	for (guint i = 0; i < n; i++)
		threads[i] = g_thread_new("client", run_client, client);
	for (guint i = 0; i < n; i++)
		g_thread_join(threads[i]);
}

static const CamGrpcServerOptions few = { .handlers = 3, .calls = 4, .message_timeout = 300 };

static void
test_crowd(Fixture *f, gconstpointer data)
{
	Client fast = { f, "/t.S/Echo", 100 }, slow = { f, "/t.S/TakeTime", 1 };

	run_clients(&fast, 32);
	run_clients(&slow, 12);
	g_assert_cmpint(f->peak, <=, data == &few ? 3 : 32);
	g_assert_cmpint(f->peak, >=, 2);
}

static void
test_request_never_comes(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) calls =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_grpc_call_free);

	/* More than there may be at the same time. */
	for (guint i = 0; i < 6; i++)
		g_ptr_array_add(calls,
				cam_grpc_channel_start(f->channel, "/t.S/Echo", NULL, NULL, NULL));
	assert_alive(f);
}

static int
connect_raw(Fixture *f)
{
	struct sockaddr_un address;
	int fd = make_socket(f, &address);

	g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	return fd;
}

/* Reads until the server closes the connection. */
static void
assert_closed(int fd)
{
	struct timeval patience = { .tv_sec = 30 };
	char buffer[4096];
	gssize n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	do {
		n = read(fd, buffer, sizeof(buffer));
	} while (n > 0);
	g_assert_true(n == 0 || errno == ECONNRESET);
}

static void
test_garbage(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *data;
		gsize size;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 28 },
		{ "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS is not spoken here", 32 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 30 },
		/* A frame that claims 16 MB; a header block that is none. */
		{ PREFACE "\xff\xff\xff\x00\x00\x00\x00\x00\x01", 33 },
		{ PREFACE "\0\0\0\x04\0\0\0\0\0\0\0\x08\x01\x05\0\0\0\x01\xff\xff\xff\xff\xff\xff"
			  "\xff\xff",
		  50 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		int fd = connect_raw(f);

		g_assert_cmpint(write(fd, cases[i].data, cases[i].size), ==,
				(gssize) cases[i].size);
		shutdown(fd, SHUT_WR);
		assert_closed(fd);
		close(fd);
		assert_alive(f);
	}
}

/* They hinder neither others nor the end: tear_down() sees how long it takes. */
static void
test_half_open(Fixture *f, gconstpointer data)
{
	int silent[20], begun = connect_raw(f);

	for (gsize i = 0; i < G_N_ELEMENTS(silent); i++)
		silent[i] = connect_raw(f);
	g_assert_cmpint(write(begun, PREFACE, strlen(PREFACE)), >, 0);
	assert_alive(f);
	cam_grpc_server_stop(f->server, 1000);
	assert_closed(begun);
	for (gsize i = 0; i < G_N_ELEMENTS(silent); i++) {
		assert_closed(silent[i]);
		close(silent[i]);
	}
	close(begun);
}

static void
assert_refuses_connections(CamGrpcServer *server)
{
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	cam_grpc_server_add_connection(server, pair[0]);
	assert_closed(pair[1]);
	close(pair[1]);
}

static void
test_stop_waits(Fixture *f, gconstpointer data)
{
	Client client = { f, "/t.S/TakeTime", 1 };
	GThread *thread = g_thread_new("client", run_client, &client);
	g_autoptr(GError) error = NULL;

	wait_for(&f->peak, 1);
	cam_grpc_server_stop(f->server, 20000);
	g_thread_join(thread);
	assert_refuses_connections(f->server);
	g_assert_null(call(f, "/t.S/Echo", "x", NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
}

static void
test_stop_cancels(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) request = request_for("x");
	g_autoptr(GBytes) answer = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamGrpcCall) one =
		cam_grpc_channel_start_stream(f->channel, "/t.S/Wait", request, NULL, NULL, &error);

	g_assert_no_error(error);
	wait_for(&f->running, 1);
	cam_grpc_server_stop(f->server, 50);
	g_assert_cmpint(f->cancelled, ==, 1);
	g_assert_false(cam_grpc_call_receive(one, &answer, &error));
}

static void
test_never_started(void)
{
	g_autoptr(CamGrpcServer) server = cam_grpc_server_new(NULL);

	assert_refuses_connections(server);
	cam_grpc_server_stop(server, 0);
}

#define ADD(name, options, function) \
	g_test_add("/grpc-server/" name, Fixture, options, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("unary", NULL, test_unary);
	ADD("errors", NULL, test_errors);
	ADD("malformed", NULL, test_malformed);
	ADD("large", NULL, test_large);
	ADD("stream", NULL, test_stream);
	ADD("slow-reader", NULL, test_slow_reader);
	ADD("client-gives-up", NULL, test_client_gives_up);
	ADD("client-vanishes", NULL, test_client_vanishes);
	ADD("crowd", NULL, test_crowd);
	ADD("crowd-of-few", &few, test_crowd);
	ADD("request-never-comes", &few, test_request_never_comes);
	ADD("garbage", NULL, test_garbage);
	ADD("half-open", NULL, test_half_open);
	ADD("stop-waits", NULL, test_stop_waits);
	ADD("stop-cancels", NULL, test_stop_cancels);
	g_test_add_func("/grpc-server/never-started", test_never_started);
	return g_test_run();
}
