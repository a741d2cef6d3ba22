/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/listener.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
	char *directory, *path;
	GAsyncQueue *clients; /* descriptor + 1 */
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
	self->directory = g_dir_make_tmp("cam-XXXXXX", NULL);
	self->path = g_build_filename(self->directory, "run", "s", NULL);
	self->clients = g_async_queue_new();
}

static void
tear_down(Fixture *self, gconstpointer data)
{
	g_autofree char *run = g_path_get_dirname(self->path);

	g_async_queue_unref(self->clients);
	g_unlink(self->path);
	g_rmdir(run);
	g_assert_cmpint(g_rmdir(self->directory), ==, 0);
	g_free(self->directory);
	g_free(self->path);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A socket without a process, as a crash leaves it. */
static void
leave_stale(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	g_autofree char *parent = g_path_get_dirname(path);

	g_mkdir(parent, 0755);
	strcpy(address.sun_path, path);
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(fd, 1), ==, 0);
	close(fd);
}

static void
take(int fd, gpointer user_data)
{
	g_async_queue_push(user_data, GINT_TO_POINTER(fd + 1));
}

static void
test_serve(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamListener) listener = cam_listener_new(self->path, &error);
	struct stat st;

	g_assert_no_error(error);
	g_assert_cmpint(lstat(self->path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
	g_assert_cmpstr(cam_listener_get_name(listener), ==, self->path);
	g_assert_true(cam_listener_start(listener, take, self->clients, NULL));
	for (guint i = 0; i < 10; i++) {
		g_auto(CamFd) client = connect_to(self->path), server = -1;
		char byte = 0;

		g_assert_cmpint(client, >=, 0);
		server = GPOINTER_TO_INT(g_async_queue_pop(self->clients)) - 1;
		g_assert_cmpint(write(server, "x", 1), ==, 1);
		g_assert_cmpint(read(client, &byte, 1), ==, 1);
		g_assert_cmpint(byte, ==, 'x');
	}
	cam_listener_stop(listener);
	g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
	cam_listener_stop(listener);
}

/* Clients that ask for nothing leave descriptors to the work of the others. */
static void
test_many(Fixture *self, gconstpointer data)
{
	g_autoptr(CamListener) listener = cam_listener_new(self->path, NULL);
	struct rlimit limit, small;
	g_auto(CamFd) client = -1, server = -1;
	char byte;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
	small = limit;
	small.rlim_cur = 200; /* less than what is reserved */
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "refusing a connection*");
	g_assert_true(cam_listener_start(listener, take, self->clients, NULL));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &small), ==, 0);
	client = connect_to(self->path);
	g_assert_cmpint(read(client, &byte, 1), ==, 0); /* closed at once */
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
	cam_fd_close(cam_fd_steal(&client));
	client = connect_to(self->path);
	server = GPOINTER_TO_INT(g_async_queue_pop(self->clients)) - 1;
	g_assert_cmpint(server, >=, 0);
	cam_listener_stop(listener);
	g_test_assert_expected_messages();
}

static void
test_stale(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamListener) first = NULL, second = NULL;

	leave_stale(self->path);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "replacing *");
	first = cam_listener_new(self->path, &error);
	g_test_assert_expected_messages();
	g_assert_no_error(error);

	/* A living one is left alone. */
	second = cam_listener_new(self->path, &error);
	g_assert_null(second);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_assert_nonnull(strstr(error->message, "another process listens on"));
	g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

static void
test_somebody_elses(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamListener) listener = cam_listener_new(self->path, &error);

	/* Who replaced our socket keeps his. */
	g_assert_no_error(error);
	g_unlink(self->path);
	g_assert_true(g_file_set_contents(self->path, "", 0, NULL));
	cam_listener_stop(listener);
	g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));

	g_assert_null(cam_listener_new(self->path, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_assert_nonnull(strstr(error->message, "is no socket"));
}

static void
test_bad_paths(Fixture *self, gconstpointer data)
{
	g_autofree char *name = g_strnfill(120, 'a');
	g_autofree char *longer = g_strconcat("/", name, NULL);
	const char *const paths[] = { "relative", longer, "" };

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_listener_new(paths[i], &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		g_assert_nonnull(strstr(error->message, "107"));
	}
	leave_stale(self->path);
}

static void
test_systemd(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *other = g_strdup_printf("%d", (int) getpid() + 1);

	g_assert_null(cam_listener_new_from_systemd(&error));
	g_assert_no_error(error);

	/* Meant for somebody else: not ours, and not our children's either. */
	g_setenv("LISTEN_PID", other, TRUE);
	g_setenv("LISTEN_FDS", "1", TRUE);
	g_assert_null(cam_listener_new_from_systemd(&error));
	g_assert_no_error(error);
	g_assert_null(g_getenv("LISTEN_FDS"));
	leave_stale(self->path);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/listener/serve", test_serve },
		{ "/listener/many", test_many },
		{ "/listener/stale", test_stale },
		{ "/listener/somebody-elses", test_somebody_elses },
		{ "/listener/bad-paths", test_bad_paths },
		{ "/listener/systemd", test_systemd },
	};

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
	return g_test_run();
}
