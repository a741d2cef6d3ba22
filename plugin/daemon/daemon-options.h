/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/option.h"

G_BEGIN_DECLS

typedef struct {
	const char *root, *socket, *config;
	int log_level; /* 0 or a CamLogLevel */
	gboolean help, version;
} CamDaemonOptions;

extern const CamOption cam_daemon_options[];
/* What cambiumd(8) says: a phrase, and paragraphs. */
extern const char cam_daemon_summary[], cam_daemon_description[];

/* What `cambiumd --help` says. */
char *cam_daemon_help(void);

G_END_DECLS
