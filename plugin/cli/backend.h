/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"
#include "plugin/host.h"

G_BEGIN_DECLS

/**
 * CamCliBackend: what reaches containerd.
 *
 * gRPC costs more time to load than a warm scan takes. So there are two programs with the same
 * command line: the light `cambium` has no backend and executes `cambium-full`, which has one, when
 * a command needs containerd.
 */
struct _CamCliBackend {
	CamTransportOpener open_containerd;
	CamHostLister list_host;
};

/* (transfer none): that of this program. In the light one this does not return, unless the full
 * one cannot be executed; the error says where it was looked for. Call it before any output. */
const CamCliBackend *cam_cli_need_backend(CamCli *self, GError **error);

/* The socket of containerd: what the command line says, else the configuration. */
const char *cam_cli_containerd_address(CamCli *self);

G_END_DECLS
