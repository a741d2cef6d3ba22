/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The HTTP client against a server of a few lines that says exactly what a test wants it to. */
#include "snapshotter/transport/http.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/oci/digest.h"
#include "snapshotter/transport/http-exchange.h"

#define HELLO	     "hello, world"
#define HELLO_DIGEST "sha256:09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"

typedef struct {
	GSocketService *service;
	GMainContext *context;
	GMainLoop *loop;
	GThread *thread;
	char *base; /* http://127.0.0.1:PORT */
	char *path; /* a temporary directory */
	int dirfd;
	GMutex lock;
	GPtrArray *requests; /* (element-type utf8): request line and headers */
} Fixture;

/* The answer to the @n-th request for @path; %s stands for the address of the server. */
static char *
answer_to(Fixture *f, const char *path, const char *head, guint n)
{
	const char *range = strstr(head, "Range: bytes=");
	gsize start = range != NULL ? (gsize) g_ascii_strtoull(range + 13, NULL, 10) : 0;

	if (g_str_equal(path, "/hello"))
		return g_strdup("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" HELLO);
	if (g_str_equal(path, "/cut") && start > 0)
		return g_strdup_printf("HTTP/1.1 206 Partial Content\r\nContent-Length: %zu\r\n"
				       "Content-Range: bytes %zu-11/12\r\n\r\n%.3s",
				       12 - start, start, HELLO + start);
	if (g_str_equal(path, "/cut") || (g_str_equal(path, "/whole-again") && n == 0))
		return g_strdup("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello");
	if (g_str_equal(path, "/whole-again"))
		return g_strdup("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" HELLO);
	if (g_str_equal(path, "/changes"))
		return g_strdup_printf(
			"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nETag: \"%u\"\r\n\r\n"
			"hello",
			n);
	if (g_str_equal(path, "/other-range") && start > 0)
		return g_strdup("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\n"
				"Content-Range: bytes 0-11/12\r\n\r\n" HELLO);
	if (g_str_equal(path, "/other-range"))
		return g_strdup("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello");
	if (g_str_equal(path, "/busy") && n == 0)
		return g_strdup("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	if (g_str_equal(path, "/busy"))
		return g_strdup("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" HELLO);
	if (g_str_equal(path, "/redirect"))
		return g_strdup(
			"HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n");
	/* As it is asked for where this server is the proxy. */
	if (g_str_equal(path, "http://8.8.8.8/inward"))
		return g_strdup_printf("HTTP/1.1 302 Found\r\nLocation: %s/hello\r\n"
				       "Content-Length: 0\r\n\r\n",
				       f->base);
	if (g_str_equal(path, "/loop"))
		return g_strdup(
			"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
	if (g_str_equal(path, "/to-file"))
		return g_strdup("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
				"Content-Length: 0\r\n\r\n");
	if (g_str_equal(path, "/secret"))
		return g_strdup("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
	return g_strdup("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static guint
count(Fixture *f, const char *path)
{
	g_autofree char *line = g_strdup_printf("GET %s ", path);
	guint n = 0;

	g_mutex_lock(&f->lock);
	for (guint i = 0; i < f->requests->len; i++)
		n += g_str_has_prefix(g_ptr_array_index(f->requests, i), line);
	g_mutex_unlock(&f->lock);
	return n;
}

/* Byte by byte, until the client has had enough or some seconds are over. */
static void
trickle(GSocketConnection *connection, const char *path)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	gboolean in_header = g_str_equal(path, "/trickle/header");

	if (!in_header)
		g_output_stream_write_all(out, head, strlen(head), NULL, NULL, NULL);
	for (guint i = 0; i < 500; i++) {
		const char *bytes = in_header && i < 9 ? "HTTP/1.1 " + i : "2";

		if (g_output_stream_write(out, bytes, 1, NULL, NULL) != 1)
			return;
		g_usleep(10 * 1000);
	}
}

/* One request a connection: closing it is how answers are cut short. */
static gboolean
serve(GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
      gpointer user_data)
{
	Fixture *f = user_data;
	g_autoptr(GString) head = g_string_new(NULL);
	g_auto(GStrv) words = NULL;
	g_autofree char *answer = NULL;
	char c;

	while (strstr(head->str, "\r\n\r\n") == NULL &&
	       g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(connection)), &c, 1,
				   NULL, NULL) == 1)
		g_string_append_c(head, c);
	words = g_strsplit(head->str, " ", 3);
	if (g_strv_length(words) < 3)
		return TRUE;
	if (g_str_has_prefix(words[1], "/trickle/")) {
		trickle(connection, words[1]);
		return TRUE;
	}
	answer = answer_to(f, words[1], head->str, count(f, words[1]));
	g_mutex_lock(&f->lock);
	g_ptr_array_add(f->requests, g_strdup(head->str));
	g_mutex_unlock(&f->lock);
	g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), answer,
				  strlen(answer), NULL, NULL, NULL);
	return TRUE;
}

static gpointer
run_loop(gpointer data)
{
	Fixture *f = data;
	g_autoptr(GError) error = NULL;
	guint16 port;

	g_main_context_push_thread_default(f->context);
	f->service = g_threaded_socket_service_new(4);
	port = g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(f->service), NULL, &error);
	g_assert_no_error(error);
	g_signal_connect(f->service, "run", G_CALLBACK(serve), f);
	g_mutex_lock(&f->lock);
	f->base = g_strdup_printf("http://127.0.0.1:%u", port);
	g_mutex_unlock(&f->lock);
	g_main_loop_run(f->loop);
	g_socket_service_stop(f->service);
	g_socket_listener_close(G_SOCKET_LISTENER(f->service));
	g_clear_object(&f->service);
	g_main_context_pop_thread_default(f->context);
	return NULL;
}

static void
set_up(Fixture *f, gconstpointer data)
{
	g_mutex_init(&f->lock);
	f->requests = g_ptr_array_new_with_free_func(g_free);
	f->context = g_main_context_new();
	f->loop = g_main_loop_new(f->context, FALSE);
	f->thread = g_thread_new("server", run_loop, f);
	f->path = g_dir_make_tmp("cam-http-XXXXXX", NULL);
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (gboolean ready = FALSE; !ready;) {
		g_usleep(1000);
		g_mutex_lock(&f->lock);
		ready = f->base != NULL;
		g_mutex_unlock(&f->lock);
	}
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	static const char *const names[] = { "out", "out.part" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		unlinkat(f->dirfd, names[i], 0);
	close(f->dirfd);
	g_assert_cmpint(g_rmdir(f->path), ==, 0);
	g_free(f->path);
	g_main_loop_quit(f->loop);
	g_thread_join(f->thread);
	g_main_loop_unref(f->loop);
	g_main_context_unref(f->context);
	g_ptr_array_unref(f->requests);
	g_free(f->base);
	g_mutex_clear(&f->lock);
}

/* -1 if it is had and says hello; else the code of the error. */
static int
get(Fixture *f, const char *path, gsize max_size)
{
	g_autoptr(CamHttpClient) client = cam_http_client_new();
	g_autofree char *url = g_strconcat(f->base, path, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = cam_http_client_get_bytes(client, url, max_size, NULL, &error);

	if (bytes == NULL) {
		g_assert_true(error->domain == CAM_ERROR);
		g_test_message("%s", error->message);
		return error->code;
	}
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), HELLO,
			strlen(HELLO));
	return -1;
}

static void
test_get(Fixture *f, gconstpointer data)
{
	g_assert_cmpint(get(f, "/hello", 100), ==, -1);
	g_assert_cmpint(get(f, "/hello", 12), ==, -1);
	g_assert_cmpint(get(f, "/hello", 11), ==, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_assert_cmpint(get(f, "/redirect", 100), ==, -1);
	g_assert_cmpint(get(f, "/busy", 100), ==, -1);
	g_assert_cmpuint(count(f, "/busy"), ==, 2);
	g_assert_cmpint(get(f, "/absent", 100), ==, CAM_ERROR_NOT_FOUND);
	g_assert_cmpint(get(f, "/secret", 100), ==, CAM_ERROR_UNAUTHENTICATED);
	g_assert_cmpint(get(f, "/loop", 100), ==, CAM_ERROR_UNAVAILABLE);
	g_assert_cmpint(get(f, "/to-file", 100), ==, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_broken(Fixture *f, gconstpointer data)
{
	g_assert_cmpint(get(f, "/cut", 100), ==, -1);
	g_assert_cmpuint(count(f, "/cut"), ==, 4); /* 5 + 3 + 3 + 1 bytes */
	g_assert_cmpint(get(f, "/whole-again", 100), ==, -1);
	g_assert_cmpint(get(f, "/changes", 100), ==, CAM_ERROR_ABORTED);
	g_assert_cmpint(get(f, "/other-range", 100), ==, CAM_ERROR_DATA_LOSS);
}

/* What came of a request to a server that sends 100 bytes a second: -1 if all is well so far. */
static int
get_slowly(Fixture *f, const char *path, const CamPace *pace)
{
	g_autoptr(CamHttpClient) client = cam_http_client_new();
	g_autofree char *url = g_strconcat(f->base, path, NULL);
	CamHttpRequest request = { .url = url, .once = TRUE };
	g_autoptr(CamHttpResponse) response = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	cam_http_client_set_pace(client, pace);
	response = cam_http_client_send(client, &request, NULL, &error);
	if (response != NULL)
		bytes = cam_http_response_read(response, 50, NULL, &error);
	g_assert_null(bytes);
	g_assert_nonnull(error);
	return error->code;
}

/* A byte now and then keeps a time-out for each read from running out. */
static void
test_trickle(Fixture *f, gconstpointer data)
{
	static const CamPace pace = { .window = 200, .min_rate = 1000, .longest = 60000 };
	static const CamPace patient = { .window = 200, .min_rate = 10, .longest = 60000 };
	static const CamPace hurried = { .window = 60000, .min_rate = 1, .longest = 200 };

	g_assert_cmpint(get_slowly(f, "/trickle/header", &pace), ==, CAM_ERROR_UNAVAILABLE);
	g_assert_cmpint(get_slowly(f, "/trickle/body", &pace), ==, CAM_ERROR_UNAVAILABLE);
	g_assert_cmpint(get_slowly(f, "/trickle/body", &hurried), ==, CAM_ERROR_UNAVAILABLE);
	g_assert_cmpint(get_slowly(f, "/trickle/body", &patient), ==, CAM_ERROR_RESOURCE_EXHAUSTED);
}

static int
download(Fixture *f, const char *path, const char *digest, gint64 size)
{
	g_autoptr(CamHttpClient) client = cam_http_client_new();
	g_autofree char *url = g_strconcat(f->base, path, NULL);
	g_autoptr(GError) error = NULL;

	if (cam_http_client_download(client, url, f->dirfd, "out", digest, size, NULL, NULL,
				     &error))
		return -1;
	g_assert_true(error->domain == CAM_ERROR);
	g_assert_nonnull(strstr(error->message, path));
	return error->code;
}

static void
assert_file(Fixture *f, const char *name, const char *wanted)
{
	g_autofree char *path = g_build_filename(f->path, name, NULL);
	g_autofree char *content = NULL;

	g_file_get_contents(path, &content, NULL, NULL);
	g_assert_cmpstr(content, ==, wanted);
}

static void
write_part(Fixture *f, const char *content)
{
	g_autofree char *path = g_build_filename(f->path, "out.part", NULL);

	g_assert_true(g_file_set_contents(path, content, -1, NULL));
}

static void
test_download(Fixture *f, gconstpointer data)
{
	g_assert_cmpint(download(f, "/cut", HELLO_DIGEST, 12), ==, -1);
	assert_file(f, "out", HELLO);
	assert_file(f, "out.part", NULL);
	/* It is there: nobody is asked. */
	g_assert_cmpint(download(f, "/absent", HELLO_DIGEST, 12), ==, -1);
	g_assert_cmpuint(count(f, "/absent"), ==, 0);
}

static void
test_download_resumes(Fixture *f, gconstpointer data)
{
	write_part(f, "hello, wo");
	g_assert_cmpint(download(f, "/cut", HELLO_DIGEST, 12), ==, -1);
	assert_file(f, "out", HELLO);
	g_assert_cmpuint(count(f, "/cut"), ==, 1);
}

/* A wrong part is dropped; without a digest a part is never believed. */
static void
test_download_wrong_part(Fixture *f, gconstpointer data)
{
	write_part(f, "jello");
	g_assert_cmpint(download(f, "/cut", HELLO_DIGEST, 12), ==, -1);
	assert_file(f, "out", HELLO);
	g_assert_cmpint(unlinkat(f->dirfd, "out", 0), ==, 0);
	write_part(f, "jello");
	g_assert_cmpint(download(f, "/hello", NULL, -1), ==, -1);
	assert_file(f, "out", HELLO);
}

static void
test_download_mismatch(Fixture *f, gconstpointer data)
{
	g_autofree char *other = cam_digest_for_data("x", 1);

	g_assert_cmpint(download(f, "/hello", other, -1), ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpint(download(f, "/hello", HELLO_DIGEST, 13), ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpint(download(f, "/absent", HELLO_DIGEST, 12), ==, CAM_ERROR_NOT_FOUND);
	assert_file(f, "out", NULL);
}

static void
test_file_url(Fixture *f, gconstpointer data)
{
	g_autoptr(CamHttpClient) client = cam_http_client_new();
	g_autofree char *path = g_build_filename(f->path, "in", NULL);
	g_autofree char *url = g_filename_to_uri(path, NULL, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(path, HELLO, -1, NULL));
	write_part(f, "hello,");
	g_assert_true(cam_http_client_download(client, url, f->dirfd, "out", HELLO_DIGEST, 12, NULL,
					       NULL, &error));
	g_assert_no_error(error);
	assert_file(f, "out", HELLO);
	g_unlink(path);
}

static void
test_cancelled(Fixture *f, gconstpointer data)
{
	g_autoptr(CamHttpClient) client = cam_http_client_new();
	g_autofree char *url = g_strconcat(f->base, "/hello", NULL);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	g_cancellable_cancel(cancellable);
	g_assert_null(cam_http_client_get_bytes(client, url, 100, cancellable, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_CANCELLED);
}

/* A public server may not lead a client that is for public servers back inside. */
static void
test_redirect_inward(Fixture *f, gconstpointer data)
{
	g_autoptr(CamHttpClient) client = NULL;
	g_auto(GStrv) proxies = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	g_setenv("http_proxy", f->base, TRUE);
	proxies = g_proxy_resolver_lookup(g_proxy_resolver_get_default(), "http://8.8.8.8/", NULL,
					  NULL);
	if (proxies == NULL || !g_str_has_prefix(proxies[0], "http://127.0.0.1:")) {
		g_test_skip("GIO has no proxies from the environment here");
	} else {
		client = cam_http_client_new_public();
		bytes = cam_http_client_get_bytes(client, "http://8.8.8.8/inward", 100, NULL,
						  &error);
		g_assert_null(bytes);
		g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
		g_assert_nonnull(strstr(error->message, "loopback"));
		g_assert_cmpuint(count(f, "http://8.8.8.8/inward"), ==, 1);
		g_assert_cmpuint(count(f, "/hello"), ==, 0);
	}
	g_unsetenv("http_proxy");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(Fixture *f, gconstpointer data);
	} tests[] = {
		{ "/transport/http/get", test_get },
		{ "/transport/http/broken", test_broken },
		{ "/transport/http/trickle", test_trickle },
		{ "/transport/http/download", test_download },
		{ "/transport/http/download-resumes", test_download_resumes },
		{ "/transport/http/download-wrong-part", test_download_wrong_part },
		{ "/transport/http/download-mismatch", test_download_mismatch },
		{ "/transport/http/file-url", test_file_url },
		{ "/transport/http/redirect-inward", test_redirect_inward },
		{ "/transport/http/cancelled", test_cancelled },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
