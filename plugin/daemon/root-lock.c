/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One daemon a root: a lock that goes with the process that holds it, however that ends. */
#include "plugin/daemon/root-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME "daemon.lock"

static gboolean
refuse(int fd, const char *root, GError **error)
{
	char text[16] = { 0 };
	gssize size = pread(fd, text, sizeof(text) - 1, 0);
	int pid = size > 0 ? atoi(text) : 0;

	if (pid > 0)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "another cambiumd, process %d, serves %s: stop it first, or "
				     "name another root with --root",
				     pid, root);
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "another cambiumd serves %s: stop it first, or name another root with "
			     "--root",
			     root);
}

int
cam_root_lock(int dirfd, const char *root, GError **error)
{
	g_auto(CamFd) fd =
		openat(dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	g_autofree char *pid = g_strdup_printf("%d\n", (int) getpid());

	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot open %s/" LOCK_NAME, root);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			refuse(fd, root, error);
		else
			cam_set_error_errno(error, errno, "cannot lock %s/" LOCK_NAME, root);
		return -1;
	}
	if (ftruncate(fd, 0) != 0) {
		cam_set_error_errno(error, errno, "cannot write %s/" LOCK_NAME, root);
		return -1;
	}
	if (!cam_write_all(fd, pid, strlen(pid), error)) {
		cam_error_translate(error, "%s/" LOCK_NAME, root);
		return -1;
	}
	return cam_fd_steal(&fd);
}
