/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gRPC client against a server of a few lines, on gRPC's C core too, that misbehaves on demand.
 */
#include "plugin/containerd/grpc-channel.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/plugin/containerd/core-server.h"

typedef struct {
	char *directory, *socket;
	CoreServer *server;
	CamGrpcChannel *channel;
} Fixture;

/* ---- what the server does ---- */

static void
echo(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	core_call_send(call, request);
	core_call_finish(call, GRPC_STATUS_OK, "");
}

static void
headers(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);
	g_autofree char *name_space = core_call_get_header(call, "containerd-namespace");
	g_autofree char *lease = core_call_get_header(call, "containerd-lease");
	g_autofree char *text = g_strdup_printf("%s %s", name_space, lease);
	g_autoptr(GBytes) answer = g_bytes_new(text, strlen(text));

	core_call_send(call, answer);
	core_call_finish(call, GRPC_STATUS_OK, "");
}

static void
refuse(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	core_call_finish(call, GRPC_STATUS_NOT_FOUND, "image \"shop:1.0\": not\nfound");
}

static void
answer_and_refuse(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	core_call_send(call, request);
	core_call_finish(call, GRPC_STATUS_DATA_LOSS, "after all");
}

static void
answer_nothing(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	core_call_finish(call, GRPC_STATUS_OK, "");
}

static void
answer_twice(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	core_call_send(call, request);
	core_call_send(call, request);
	core_call_finish(call, GRPC_STATUS_OK, "");
}

/* As many messages as the request has bytes. */
static void
count(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	for (gsize i = 0; i < g_bytes_get_size(request); i++) {
		g_autofree char *text = g_strdup_printf("%zu", i);
		g_autoptr(GBytes) answer = g_bytes_new(text, strlen(text));

		core_call_send(call, answer);
	}
	core_call_finish(call, GRPC_STATUS_OK, "");
}

static void
ping_pong(CoreCall *call)
{
	GBytes *request;

	while ((request = core_call_receive(call)) != NULL) {
		core_call_send(call, request);
		g_bytes_unref(request);
	}
	core_call_finish(call, GRPC_STATUS_OK, "");
}

/* Takes one message, answers, and wants no more. */
static void
lose_interest(CoreCall *call)
{
	g_autoptr(GBytes) request = core_call_receive(call);

	core_call_send(call, request);
	core_call_finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "no space left on device");
}

static void
never(CoreCall *call)
{
	core_call_wait_cancelled(call);
	core_call_finish(call, GRPC_STATUS_CANCELLED, "");
}

static const CoreMethod methods[] = {
	{ "/test/Echo", echo },
	{ "/test/Headers", headers },
	{ "/test/Refuse", refuse },
	{ "/test/AnswerAndRefuse", answer_and_refuse },
	{ "/test/AnswerNothing", answer_nothing },
	{ "/test/AnswerTwice", answer_twice },
	{ "/test/Count", count },
	{ "/test/PingPong", ping_pong },
	{ "/test/LoseInterest", lose_interest },
	{ "/test/Never", never },
	{ NULL },
};

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->directory = g_dir_make_tmp("grpc-XXXXXX", &error);
	g_assert_no_error(error);
	f->socket = g_build_filename(f->directory, "s", NULL);
	f->server = core_server_new(f->socket, methods);
	f->channel = cam_grpc_channel_new(f->socket, &error);
	g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_object(&f->channel);
	g_clear_pointer(&f->server, core_server_free);
	g_unlink(f->socket);
	g_rmdir(f->directory);
	g_free(f->directory);
	g_free(f->socket);
}

static GBytes *
call(Fixture *f, const char *method, const char *text, GError **error)
{
	g_autoptr(GBytes) request = g_bytes_new(text, strlen(text));

	return cam_grpc_channel_call(f->channel, method, request, NULL, NULL, error);
}

static void
assert_text(GBytes *bytes, const char *text)
{
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, strlen(text));
}

/* ---- one answer ---- */

static void
test_unary(Fixture *f, gconstpointer data)
{
	static const gsize sizes[] = { 0, 1, 20, 70000, 4000000 };
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *text = g_strnfill(sizes[i], 'x');
		g_autoptr(GBytes) answer = call(f, "/test/Echo", text, &error);

		g_assert_no_error(error);
		assert_text(answer, text);
	}
}

static void
test_headers(Fixture *f, gconstpointer data)
{
	CamGrpcCallOptions options = { .name_space = "k8s.io", .lease = "cambium-1" };
	g_autoptr(GBytes) request = g_bytes_new_static("", 0);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) both =
		cam_grpc_channel_call(f->channel, "/test/Headers", request, &options, NULL, &error);
	g_autoptr(GBytes) none = NULL;

	g_assert_no_error(error);
	assert_text(both, "k8s.io cambium-1");
	none = call(f, "/test/Headers", "", &error);
	g_assert_no_error(error);
	assert_text(none, "(null) (null)");

	options.name_space = "line\nbreak";
	g_assert_null(cam_grpc_channel_call(f->channel, "/test/Headers", request, &options, NULL,
					    &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_errors(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *method;
		CamError code;
		const char *message;
	} cases[] = {
		{ "/test/Refuse", CAM_ERROR_NOT_FOUND, "image \"shop:1.0\": not found" },
		{ "/test/AnswerAndRefuse", CAM_ERROR_DATA_LOSS, "after all" },
		{ "/test/AnswerNothing", CAM_ERROR_INTERNAL, "answered nothing" },
		{ "/test/AnswerTwice", CAM_ERROR_INTERNAL, "answered more" },
		{ "/test/Unknown", CAM_ERROR_UNIMPLEMENTED, "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(call(f, cases[i].method, "x", &error));
		g_assert_error(error, CAM_ERROR, (int) cases[i].code);
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, cases[i].message));
	}
}

/* ---- streams ---- */

static void
test_server_stream(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) request = g_bytes_new_static("xxxxx", 5);
	g_autoptr(GBytes) none = g_bytes_new_static("", 0);
	g_autoptr(CamGrpcCall) stream = cam_grpc_channel_start_stream(f->channel, "/test/Count",
								      request, NULL, NULL, &error);
	g_autoptr(CamGrpcCall) abandoned = NULL;
	g_autoptr(CamGrpcCall) empty = NULL;
	GBytes *message = NULL;

	g_assert_no_error(error);
	for (guint i = 0; i < 5; i++) {
		g_autofree char *text = g_strdup_printf("%u", i);

		g_assert_true(cam_grpc_call_receive(stream, &message, &error));
		assert_text(message, text);
		g_bytes_unref(message);
	}
	g_assert_true(cam_grpc_call_receive(stream, &message, &error));
	g_assert_null(message);
	g_assert_true(cam_grpc_call_receive(stream, &message, &error));
	g_assert_null(message);

	empty = cam_grpc_channel_start_stream(f->channel, "/test/Count", none, NULL, NULL, &error);
	g_assert_true(cam_grpc_call_receive(empty, &message, &error));
	g_assert_null(message);

	/* Freed in the middle. */
	abandoned = cam_grpc_channel_start_stream(f->channel, "/test/Count", request, NULL, NULL,
						  &error);
	g_assert_true(cam_grpc_call_receive(abandoned, &message, &error));
	g_bytes_unref(message);
}

static void
test_both_ways(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamGrpcCall) stream =
		cam_grpc_channel_start(f->channel, "/test/PingPong", NULL, NULL, &error);
	GBytes *message = NULL;

	g_assert_no_error(error);
	for (guint i = 0; i < 100; i++) {
		g_autofree char *text = g_strnfill(i * 1000, 'x');
		g_autoptr(GBytes) request = g_bytes_new(text, strlen(text));

		g_assert_true(cam_grpc_call_send(stream, request, &error));
		g_assert_true(cam_grpc_call_receive(stream, &message, &error));
		assert_text(message, text);
		g_bytes_unref(message);
	}
	g_assert_true(cam_grpc_call_close(stream, &error));
	g_assert_true(cam_grpc_call_receive(stream, &message, &error));
	g_assert_null(message);
}

/* The server's reason is told, not that something could not be sent. */
static void
test_lost_interest(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = g_strnfill(100000, 'x');
	g_autoptr(GBytes) request = g_bytes_new(text, strlen(text));
	g_autoptr(CamGrpcCall) stream =
		cam_grpc_channel_start(f->channel, "/test/LoseInterest", NULL, NULL, &error);

	for (guint i = 0; i < 1000 && cam_grpc_call_send(stream, request, &error); i++)
		g_usleep(1000);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_assert_cmpstr(error->message, ==, "no space left on device");
}

/* ---- time and cancellation ---- */

static gpointer
cancel_soon(gpointer cancellable)
{
	g_usleep(50000);
	g_cancellable_cancel(cancellable);
	return NULL;
}

static void
test_cancel(Fixture *f, gconstpointer data)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GBytes) request = g_bytes_new_static("", 0);
	g_autoptr(GError) error = NULL;
	GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);

	g_assert_null(cam_grpc_channel_call(f->channel, "/test/Never", request, NULL, cancellable,
					    &error));
	g_thread_join(thread);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	g_clear_error(&error);
	/* Cancelled before it begins. */
	g_assert_null(cam_grpc_channel_call(f->channel, "/test/Echo", request, NULL, cancellable,
					    &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

static void
test_deadline(Fixture *f, gconstpointer data)
{
	CamGrpcCallOptions options = { .timeout = 50 };
	g_autoptr(GBytes) request = g_bytes_new_static("", 0);
	g_autoptr(GError) error = NULL;

	g_assert_null(
		cam_grpc_channel_call(f->channel, "/test/Never", request, &options, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "did not answer within 50 ms"));
}

/* ---- sockets ---- */

static void
test_no_server(Fixture *f, gconstpointer data)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) answer = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_clear_pointer(&f->server, core_server_free);
	g_unlink(f->socket);
	g_assert_null(call(f, "/test/Echo", "", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "there is no such socket"));
	g_clear_error(&error);

	/* A socket that nobody listens at any more. */
	g_strlcpy(address.sun_path, f->socket, sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	close(fd);
	g_assert_null(call(f, "/test/Echo", "", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, "nobody listens"));
	g_clear_error(&error);
	g_unlink(f->socket);

	/* The server comes back: so does the connection, soon. */
	f->server = core_server_new(f->socket, methods);
	for (guint i = 0; i < 50 && answer == NULL; i++) {
		g_usleep(100000);
		answer = call(f, "/test/Echo", "again", NULL);
	}
	assert_text(answer, "again");
}

/* One who listens and is slow, as on a machine that has much to do, is waited for; cancelling that
 * does not wait. */
static void
test_silent_server(Fixture *f, gconstpointer data)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CamGrpcCallOptions options = { .timeout = 500 };
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GBytes) request = g_bytes_new_static("", 0);
	g_autoptr(GError) error = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	GThread *thread;

	g_clear_pointer(&f->server, core_server_free);
	g_unlink(f->socket);
	g_strlcpy(address.sun_path, f->socket, sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(fd, 5), ==, 0);
	g_assert_null(
		cam_grpc_channel_call(f->channel, "/test/Echo", request, &options, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "did not answer within 500 ms"));
	g_clear_error(&error);
	thread = g_thread_new("cancel", cancel_soon, cancellable);
	g_assert_null(cam_grpc_channel_call(f->channel, "/test/Echo", request, NULL, cancellable,
					    &error));
	g_thread_join(thread);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	close(fd);
}

static void
test_bad_sockets(void)
{
	g_autofree char *longer = g_strnfill(108, 'x');
	g_autoptr(GError) error = NULL;

	longer[0] = '/';
	g_assert_null(cam_grpc_channel_new("relative", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_grpc_channel_new(longer, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

/* ---- threads ---- */

static gpointer
call_often(gpointer data)
{
	Fixture *f = data;

	for (guint i = 0; i < 100; i++) {
		g_autofree char *text = g_strdup_printf("%p %u", g_thread_self(), i);
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) answer = call(f, "/test/Echo", text, &error);

		g_assert_no_error(error);
		assert_text(answer, text);
	}
	return NULL;
}

static void
test_threads(Fixture *f, gconstpointer data)
{
	GThread *threads[8];

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("caller", call_often, f);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
}

#define ADD(path, function) \
	g_test_add("/grpc-channel/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("unary", test_unary);
	ADD("headers", test_headers);
	ADD("errors", test_errors);
	ADD("server-stream", test_server_stream);
	ADD("both-ways", test_both_ways);
	ADD("lost-interest", test_lost_interest);
	ADD("cancel", test_cancel);
	ADD("deadline", test_deadline);
	ADD("no-server", test_no_server);
	ADD("silent-server", test_silent_server);
	g_test_add_func("/grpc-channel/bad-sockets", test_bad_sockets);
	ADD("threads", test_threads);
	return g_test_run();
}
