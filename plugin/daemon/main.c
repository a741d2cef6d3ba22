/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cambiumd, from argv to exit status. */
#include <config.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "plugin/daemon/daemon.h"

static CamExit
refuse(const GError *error)
{
	fprintf(stderr, "cambiumd: %s\n'cambiumd --help' lists the options\n", error->message);
	return CAM_EXIT_USAGE;
}

/* Whether there is nothing else to do. */
static gboolean
answer(const CamDaemonOptions *options, CamExit *code)
{
	g_autofree char *help = NULL;

	if (!options->help && !options->version)
		return FALSE;
	help = cam_daemon_help();
	fputs(options->help ? help : "cambiumd " CAM_VERSION "\n", stdout);
	*code = fflush(stdout) == 0 ? CAM_EXIT_OK : CAM_EXIT_FAILED;
	return TRUE;
}

static CamExit
run(const CamDaemonOptions *options)
{
	g_autoptr(GError) error = NULL;
	CamExit code = CAM_EXIT_FAILED;
	g_autoptr(CamDaemon) daemon = cam_daemon_new(options, &code, &error);

	if (daemon != NULL && cam_daemon_run(daemon, &error))
		return CAM_EXIT_OK;
	/* Not fatal to GLib, as g_error() would be. */
	g_critical("%s", error->message);
	return code;
}

/* The soft limit is there for programs that use select(2). */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char **argv)
{
	CamDaemonOptions options = { 0 };
	CamOptionSet set = { cam_daemon_options, &options };
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	CamExit code = CAM_EXIT_OK;

	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	/* Snapshots get the modes that they ask for. */
	umask(0022);
	if (cam_options_parse(&set, 1, argc > 0 ? argv + 1 : argv, FALSE, words, &error) < 0)
		return refuse(error);
	if (words->len > 0) {
		cam_set_error(&error, CAM_ERROR_INVALID_ARGUMENT,
			      "'%s' is one argument too many: there are options only",
			      (const char *) g_ptr_array_index(words, 0));
		return refuse(error);
	}
	return answer(&options, &code) ? code : run(&options);
}
