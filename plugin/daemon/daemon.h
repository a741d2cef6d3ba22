/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"
#include "plugin/daemon/daemon-options.h"

G_BEGIN_DECLS

/**
 * CamDaemon: everything that cambiumd consists of, put together.
 */
typedef struct _CamDaemon CamDaemon;

/**
 * cam_daemon_new:
 *
 * Takes the root and begins to listen: clients may connect from then on, and wait. *@code is the
 * exit status for an error.
 */
CamDaemon *cam_daemon_new(const CamDaemonOptions *options, CamExit *code, GError **error);
/* Serves until a signal ends it. */
gboolean cam_daemon_run(CamDaemon *self, GError **error);
void cam_daemon_free(CamDaemon *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDaemon, cam_daemon_free)

G_END_DECLS
