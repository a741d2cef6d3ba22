/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"
#include "plugin/cli/progress-display.h"

G_BEGIN_DECLS

struct _CamCli {
	char **argv;
	const CamCliBackend *backend; /* (nullable) */
	const CamCommand *command;
	CamGlobalOptions options;
	CamConfig *config;
	GCancellable *cancellable;
	CamProgress *progress;
	CamProgressDisplay *display;
	CamStore *store;
	CamStoreHold *hold; /* (nullable) */
	CamScanEngine *engine;
	CamExit exit_code;
	int output_errno; /* of the first failed write to standard output */
};

guint cam_cli_terminal_width(int fd);
char *cam_cli_store_path(CamCli *self);

G_END_DECLS
