/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table between gRPC's status codes and CAM_ERROR's. It knows no call and no message. */
#include "plugin/containerd/grpc-status.h"

#include <grpc/status.h>

/* For a code that several statuses stand for, the first one is what goes out. */
static const struct {
	int status;
	CamError code;
} statuses[] = {
	{ GRPC_STATUS_UNKNOWN, CAM_ERROR_UNKNOWN },
	{ GRPC_STATUS_CANCELLED, CAM_ERROR_CANCELLED },
	{ GRPC_STATUS_INVALID_ARGUMENT, CAM_ERROR_INVALID_ARGUMENT },
	{ GRPC_STATUS_NOT_FOUND, CAM_ERROR_NOT_FOUND },
	{ GRPC_STATUS_ALREADY_EXISTS, CAM_ERROR_ALREADY_EXISTS },
	{ GRPC_STATUS_PERMISSION_DENIED, CAM_ERROR_PERMISSION_DENIED },
	{ GRPC_STATUS_UNAUTHENTICATED, CAM_ERROR_UNAUTHENTICATED },
	{ GRPC_STATUS_RESOURCE_EXHAUSTED, CAM_ERROR_RESOURCE_EXHAUSTED },
	{ GRPC_STATUS_FAILED_PRECONDITION, CAM_ERROR_FAILED_PRECONDITION },
	{ GRPC_STATUS_ABORTED, CAM_ERROR_ABORTED },
	{ GRPC_STATUS_UNIMPLEMENTED, CAM_ERROR_UNIMPLEMENTED },
	{ GRPC_STATUS_UNAVAILABLE, CAM_ERROR_UNAVAILABLE },
	{ GRPC_STATUS_DATA_LOSS, CAM_ERROR_DATA_LOSS },
	{ GRPC_STATUS_INTERNAL, CAM_ERROR_INTERNAL },
	/* Trying again may work. */
	{ GRPC_STATUS_DEADLINE_EXCEEDED, CAM_ERROR_UNAVAILABLE },
	{ GRPC_STATUS_OUT_OF_RANGE, CAM_ERROR_INVALID_ARGUMENT },
};

CamError
cam_error_from_grpc_status(int status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].code;
	}
	return CAM_ERROR_UNKNOWN;
}

int
cam_error_to_grpc_status(CamError code)
{
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
		if (statuses[i].code == code)
			return statuses[i].status;
	}
	return GRPC_STATUS_UNKNOWN;
}
