/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that may not be had. */
#include "snapshotter/base/thread.h"

GThread *
cam_thread_start(const char *name, GThreadFunc func, gpointer data, GError **error)
{
	g_autoptr(GError) local = NULL;
	GThread *thread = g_thread_try_new(name, func, data, &local);

	if (thread == NULL)
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "cannot start the thread '%s': %s (see 'ulimit -u', and TasksMax of "
			      "the service)",
			      name, local->message);
	return thread;
}
