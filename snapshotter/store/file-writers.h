/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	CAM_WRITERS_NONE,    /* proven: no descriptor and no mapping of the file can write to it */
	CAM_WRITERS_SOME,    /* it is open for writing */
	CAM_WRITERS_UNKNOWN, /* this process may not ask, or the file system cannot tell */
} CamFileWriters;

/* Whether the regular file @fd, which must be open for reading alone, is open for writing
 * elsewhere. The kernel tells who owns the file or has CAP_LEASE. */
CamFileWriters cam_file_get_writers(int fd);

G_END_DECLS
