/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* Appends a checksum of all that is in the file @fd, which is open for reading and writing. */
gboolean cam_sealed_file_seal(int fd, GError **error);
/* %CAM_ERROR_DATA_LOSS, with @path, unless the file is as it was sealed. */
gboolean cam_sealed_file_check(int fd, const char *path, GError **error);

G_END_DECLS
