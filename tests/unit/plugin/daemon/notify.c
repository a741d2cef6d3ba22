/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/notify.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
listen_at(const char *path, gboolean abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(address.sun_path, path);
	if (abstract)
		address.sun_path[0] = '\0';
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address,
			     (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			==, 0);
	return fd;
}

static void
check(int fd, const char *wanted)
{
	char text[128] = { 0 };

	g_assert_cmpint(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), >, 0);
	g_assert_true(g_str_has_prefix(text, wanted));
}

static void
test_notify(void)
{
	g_autofree char *directory = g_dir_make_tmp("cam-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "n", NULL);
	g_autofree char *abstract = g_strdup_printf("@cam-notify-%d", (int) getpid());
	const char *const addresses[] = { path, abstract };

	g_unsetenv("NOTIFY_SOCKET");
	cam_notify("READY=1");
	for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
		int fd = listen_at(addresses[i], i == 1);

		g_setenv("NOTIFY_SOCKET", addresses[i], TRUE);
		cam_notify("READY=1");
		check(fd, "READY=1");
		cam_notify_reloading();
		check(fd, "RELOADING=1\nMONOTONIC_USEC=");
		close(fd);
		/* Nobody there: no harm. */
		cam_notify("STOPPING=1");
	}
	g_unlink(path);
	g_rmdir(directory);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/notify/notify", test_notify);
	return g_test_run();
}
