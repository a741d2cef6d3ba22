/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Debian's containerd, on a place of the test's own. */
#pragma once

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "plugin/containerd/containerd-client.h"

typedef struct {
	char *directory, *socket;
	GSubprocess *process; /* (nullable): where it cannot run */
	CamContainerd *client;
} RealContainerd;

/* A test that fails leaves no daemon behind. */
static inline void
real_containerd_die_with_us(gpointer data)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* FALSE, and the test skipped, where containerd is not installed or may not run. */
static inline gboolean
real_containerd_start(RealContainerd *self)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *program = g_find_program_in_path("containerd");
	g_autofree char *config = NULL, *text = NULL;
	g_autofree char *version = NULL;
	g_autoptr(GSubprocessLauncher) launcher = NULL;

	*self = (RealContainerd){ 0 };
	if (program == NULL || geteuid() != 0) {
		g_test_skip("containerd is not installed, or wants root");
		return FALSE;
	}
	self->directory = g_dir_make_tmp("cd-XXXXXX", &error);
	g_assert_no_error(error);
	self->socket = g_build_filename(self->directory, "s", NULL);
	config = g_build_filename(self->directory, "config.toml", NULL);
	text = g_strdup_printf("version = 2\nroot = \"%s/root\"\nstate = \"%s/state\"\n"
			       "disabled_plugins = [\"io.containerd.grpc.v1.cri\", "
			       "\"io.containerd.internal.v1.opt\"]\n"
			       "[grpc]\naddress = \"%s\"\n[ttrpc]\naddress = \"%s.ttrpc\"\n",
			       self->directory, self->directory, self->socket, self->socket);
	g_assert_true(g_file_set_contents(config, text, -1, &error));
	self->process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE |
						 G_SUBPROCESS_FLAGS_STDOUT_SILENCE,
					 &error, program, "--config", config, NULL);
	g_assert_no_error(error);
	self->client = cam_containerd_new(self->socket, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < 300 && version == NULL; i++) {
		version = cam_containerd_get_version(self->client, NULL, NULL);
		if (version == NULL)
			g_usleep(100000);
	}
	g_assert_nonnull(version);
	return TRUE;
}

static inline void
real_containerd_stop(RealContainerd *self)
{
	int dirfd;

	g_clear_object(&self->client);
	if (self->process != NULL) {
		g_subprocess_send_signal(self->process, SIGTERM);
		g_subprocess_wait(self->process, NULL, NULL);
		g_clear_object(&self->process);
	}
	if (self->directory != NULL) {
		dirfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cam_remove_tree_at(dirfd, self->directory + 1, NULL);
		close(dirfd);
	}
	g_clear_pointer(&self->directory, g_free);
	g_clear_pointer(&self->socket, g_free);
}
