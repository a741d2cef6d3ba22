/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* gRPC's status codes (its doc/statuscodes.md) and %CAM_ERROR's, one table for both directions.
 * @status: a grpc_status_code; what is none counts as UNKNOWN. OK is no error and must not be
 * asked about. */
CamError cam_error_from_grpc_status(int status);
int cam_error_to_grpc_status(CamError code);

G_END_DECLS
