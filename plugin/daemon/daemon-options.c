/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of cambiumd, for its parser, its help and its man page alike. */
#include "plugin/daemon/daemon-options.h"

#include <config.h>

#include "plugin/cli/help.h"
#include "plugin/config.h"

const CamOption cam_daemon_options[] = {
	{ "root", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(CamDaemonOptions, root), "DIR", NULL,
	  CAM_COMPLETE_DIRECTORY,
	  "the store to serve, as cambium --store (default: " CAM_STATE_DIR " for root)" },
	{ "socket", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(CamDaemonOptions, socket), "PATH", NULL,
	  CAM_COMPLETE_FILE, "where to listen for containerd (default: " CAM_DAEMON_SOCKET ")" },
	{ "config", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(CamDaemonOptions, config), "FILE", NULL,
	  CAM_COMPLETE_FILE, "configuration to read instead of " CAM_CONFIG_FILE },
	{ "log-level", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(CamDaemonOptions, log_level), "LEVEL",
	  cam_log_level_names, CAM_COMPLETE_CHOICES, "what to tell" },
	{ "help", 'h', CAM_OPTION_FLAG, G_STRUCT_OFFSET(CamDaemonOptions, help), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "explain the program" },
	{ "version", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(CamDaemonOptions, version), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "print the version" },
	{ NULL },
};

const char cam_daemon_summary[] = "containerd's images in Cambium's store";

const char cam_daemon_description[] =
	"Serves containerd as a proxy plugin: containerd unpacks images into the store of cambium, "
	"containers run from it, and what is unpacked is scanned where it lies. Layers that the "
	"store has are neither downloaded nor unpacked again. containerd reaches it by a few lines "
	"of its configuration; the folder examples/containerd has them for each of its "
	"versions.\n\n"
	"One process serves one store, and the command line works on the same store beside it. It "
	"needs root: it mounts. Sockets that systemd passes are used instead of making one.\n\n"
	"SIGTERM and SIGINT end it: requests that run may take 10 seconds more, then it exits with "
	"status 0. Containers go on running without it. SIGHUP reads the configuration again, of "
	"which the log level and the policy take effect. Exit status 1 means that it failed, 2 "
	"wrong usage or a configuration that cannot be read.\n\n"
	"It logs to the journal where standard error is the journal, else to standard error.";

char *
cam_daemon_help(void)
{
	g_autofree char *description = cam_text_fill(cam_daemon_description, 0, 96);
	GString *out = g_string_new("Usage: cambiumd [OPTION…]\n\n");

	g_string_append(out, description);
	cam_help_append_options(out, "Options", cam_daemon_options);
	g_string_append(out, "\nSee also: cambiumd(8), cambium.conf(5), cambium(1)\n");
	return g_string_free(out, FALSE);
}
