/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a file that is to become an object by a hard link can still be written to. */
#include "snapshotter/store/file-writers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* A read lease is given only while nobody has the file open for writing. Should somebody want to
 * open it in this very moment, the signal for that must be one that nobody dies of. */
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
