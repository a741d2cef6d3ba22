/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One worker at a time in the cache of apt repositories. Whoever holds the lock knows that every
 * temporary file there belongs to nobody.
 */
#include "scanners/apt/cache-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define RETRY_INTERVAL (50 * 1000) /* microseconds */

static void
sweep_directory(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *full = g_build_filename(path, name, NULL);

		if (g_str_has_prefix(name, "verify-") || strstr(name, ".tmp-") != NULL ||
		    name[0] == '.')
			cam_remove_tree_at(AT_FDCWD, full, NULL);
	}
}

int
cam_apt_cache_lock(const char *cache, GCancellable *cancellable, GError **error)
{
	g_autofree char *path = g_build_filename(cache, "lock", NULL);
	g_autofree char *indexes = g_build_filename(cache, "indexes", NULL);
	g_autofree char *releases = g_build_filename(cache, "releases", NULL);
	g_auto(CamFd) fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot open %s", path);
		return -1;
	}
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			cam_set_error_errno(error, errno, "cannot lock %s", path);
			return -1;
		}
		if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
			cam_error_translate(error, NULL);
			return -1;
		}
		g_usleep(RETRY_INTERVAL);
	}
	sweep_directory(cache);
	sweep_directory(indexes);
	sweep_directory(releases);
	return cam_fd_steal(&fd);
}
