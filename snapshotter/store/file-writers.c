/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a file that is to become an object by a hard link can still be written to. */
#include "snapshotter/store/file-writers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* The kernel grants a read lease only while the file is not open for writing. If it is opened for
 * writing while the lease is held, a signal is sent: it must be one that does not end the process.
 */
CamFileWriters
cam_file_get_writers(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return CAM_WRITERS_UNKNOWN;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
		return errno == EAGAIN ? CAM_WRITERS_SOME : CAM_WRITERS_UNKNOWN;
	(void) fcntl(fd, F_SETLEASE, F_UNLCK);
	return CAM_WRITERS_NONE;
}
