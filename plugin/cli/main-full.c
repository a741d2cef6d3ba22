/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that the other one executes when containerd is needed: the same, with gRPC. */
#include <locale.h>

#include "plugin/cli/backend.h"
#include "plugin/containerd/containerd-transport.h"
#include "plugin/containerd/host-images.h"
#include "plugin/plugin.h"

int
main(int argc, char **argv)
{
	static const CamCliBackend backend = {
		.open_containerd = cam_containerd_transport_open,
		.list_host = cam_host_list_images,
	};

	setlocale(LC_ALL, "");
	return cam_cli_main(argv, &backend);
}
