/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gRPC as a whole: its life in this process, and where its log lines go. */
#include "plugin/containerd/grpc-library.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>

static void
log_line(gpr_log_func_args *args)
{
	g_debug("gRPC: %s", args->message);
}

void
cam_grpc_library_hold(void)
{
	gpr_set_log_function(log_line);
	grpc_init();
}

void
cam_grpc_library_release(void)
{
	grpc_shutdown();
}
