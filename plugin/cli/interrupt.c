/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals to cancellation. A handler may do next to nothing, so it writes into a pipe and a thread
 * does the rest. Blocking the signals and waiting for them instead would leave them blocked in
 * every program that is started.
 */
#include "plugin/cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t first_signal;
static int wake_fd = -1;

static void
on_signal(int number)
{
	int saved = errno;
	char byte = 1;

	if (first_signal != 0)
		_exit(128 + number);
	first_signal = number;
	if (write(wake_fd, &byte, 1) != 1)
		_exit(128 + number);
	errno = saved;
}

static gpointer
wait_for_signal(gpointer data)
{
	g_autoptr(GCancellable) cancellable = g_steal_pointer(&((gpointer *) data)[0]);
	int fd = GPOINTER_TO_INT(((gpointer *) data)[1]);
	char byte;

	g_free(data);
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	g_cancellable_cancel(cancellable);
	close(fd);
	return NULL;
}

void
cam_interrupt_watch(GCancellable *cancellable)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	GThread *thread;
	gpointer *data;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	if (!g_unix_open_pipe(fds, FD_CLOEXEC, NULL))
		return;
	wake_fd = fds[1];
	data = g_new(gpointer, 2);
	data[0] = g_object_ref(cancellable);
	data[1] = GINT_TO_POINTER(fds[0]);
	/* Without it signals end the process, as they do by default. */
	thread = g_thread_try_new("signals", wait_for_signal, data, NULL);
	if (thread == NULL)
		return;
	g_thread_unref(thread);
	sigemptyset(&action.sa_mask);
	for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &action, NULL);
}

int
cam_interrupt_signal(void)
{
	return first_signal;
}
