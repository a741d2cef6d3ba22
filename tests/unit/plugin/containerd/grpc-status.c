/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/containerd/grpc-status.h"

#include <grpc/status.h>

static void
test_there_and_back(void)
{
	for (int code = CAM_ERROR_UNKNOWN; code <= CAM_ERROR_INTERNAL; code++) {
		int status = cam_error_to_grpc_status((CamError) code);

		g_assert_cmpint(status, !=, GRPC_STATUS_OK);
		g_assert_cmpint(cam_error_from_grpc_status(status), ==, code);
	}
}

static void
test_names(void)
{
	g_assert_cmpint(cam_error_to_grpc_status(CAM_ERROR_NOT_FOUND), ==, GRPC_STATUS_NOT_FOUND);
	g_assert_cmpint(cam_error_to_grpc_status(CAM_ERROR_UNAVAILABLE), ==,
			GRPC_STATUS_UNAVAILABLE);
	g_assert_cmpint(cam_error_from_grpc_status(GRPC_STATUS_DEADLINE_EXCEEDED), ==,
			CAM_ERROR_UNAVAILABLE);
	g_assert_cmpint(cam_error_from_grpc_status(GRPC_STATUS_OUT_OF_RANGE), ==,
			CAM_ERROR_INVALID_ARGUMENT);
	g_assert_cmpint(cam_error_from_grpc_status(4711), ==, CAM_ERROR_UNKNOWN);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/grpc-status/there-and-back", test_there_and_back);
	g_test_add_func("/grpc-status/names", test_names);
	return g_test_run();
}
