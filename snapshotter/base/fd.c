/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File descriptors and small files: confined opening, complete writes, durable replacement.
 * Everything is relative to a directory descriptor; nothing here knows what the
 * files mean.
 */
#include "snapshotter/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_CHUNK (64 * 1024)

void
cam_fd_close(CamFd fd)
{
	int saved = errno;

	if (fd >= 0)
		(void) close(fd);
	errno = saved;
}

static int
open_confined(int dirfd, const char *path, int flags, guint mode, guint64 resolve, GError **error)
{
	struct open_how how = {
		.flags = (guint64) (flags | O_CLOEXEC),
		.mode = (flags & (O_CREAT | __O_TMPFILE)) ? mode : 0,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	/* EAGAIN: a rename elsewhere on the system made the kernel unsure that `..` stayed below.
	 */
	do
		fd = (int) syscall(SYS_openat2, dirfd, path, &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd >= 0)
		return fd;
	if (errno == EXDEV)
		cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
			      "cannot open %s: it leads out of its directory", path);
	else
		cam_set_error_errno(error, errno, "cannot open %s", path);
	return -1;
}

int
cam_openat_beneath(int dirfd, const char *path, int flags, guint mode, GError **error)
{
	return open_confined(dirfd, path, flags, mode, RESOLVE_BENEATH, error);
}

int
cam_openat_in_root(int dirfd, const char *path, int flags, guint mode, GError **error)
{
	return open_confined(dirfd, path, flags, mode, RESOLVE_IN_ROOT, error);
}

gboolean
cam_write_all(int fd, gconstpointer data, gsize size, GError **error)
{
	const guint8 *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cam_set_error_errno(error, errno, "cannot write");
		p += n;
		size -= (gsize) n;
	}
	return TRUE;
}

/* Takes @fd. */
static int
only_regular(int fd, const char *path, GError **error)
{
	g_auto(CamFd) own = fd;
	struct stat st;

	if (own < 0)
		return -1;
	if (fstat(own, &st) != 0) {
		cam_set_error_errno(error, errno, "cannot look at %s", path);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s is no regular file", path);
		return -1;
	}
	return cam_fd_steal(&own);
}

int
cam_open_regular_at(int dirfd, const char *path, GError **error)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open %s", path);
	return only_regular(fd, path, error);
}

int
cam_open_regular_beneath(int dirfd, const char *path, GError **error)
{
	return only_regular(cam_openat_beneath(dirfd, path,
					       O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0,
					       error),
			    path, error);
}

int
cam_open_regular_in_root(int dirfd, const char *path, GError **error)
{
	return only_regular(
		cam_openat_in_root(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, error), path,
		error);
}

GBytes *
cam_read_fd(int fd, const char *name, gsize max_size, GError **error)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	while (TRUE) {
		guint8 chunk[READ_CHUNK];
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			cam_set_error_errno(error, errno, "cannot read %s", name);
			return NULL;
		}
		if (n == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&content));
		if ((gsize) n > max_size - content->len) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "%s is larger than the %" G_GSIZE_FORMAT " bytes allowed",
				      name, max_size);
			return NULL;
		}
		g_byte_array_append(content, chunk, (guint) n);
	}
}

GBytes *
cam_read_file_at(int dirfd, const char *path, gsize max_size, GError **error)
{
	g_auto(CamFd) fd = cam_open_regular_at(dirfd, path, error);

	return fd < 0 ? NULL : cam_read_fd(fd, path, max_size, error);
}

/* The directory part and the last component of @path. */
static int
open_parent(int dirfd, const char *path, const char **name, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = NULL;
	int fd;

	*name = slash != NULL ? slash + 1 : path;
	parent = slash == NULL	 ? g_strdup(".")
		 : slash == path ? g_strdup("/")
				 : g_strndup(path, (gsize) (slash - path));
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open directory %s", parent);
	return fd;
}

static gboolean
write_and_sync(int fd, GBytes *bytes, guint mode, GError **error)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(bytes, &size);

	if (!cam_write_all(fd, data, size, error))
		return FALSE;
	/* Not left to the umask: the mode is part of what the caller asked for. */
	if (fchmod(fd, mode) < 0)
		return cam_set_error_errno(error, errno, "cannot set mode");
	if (fsync(fd) < 0)
		return cam_set_error_errno(error, errno, "cannot sync");
	return TRUE;
}

gboolean
cam_write_file_at(int dirfd, const char *path, GBytes *bytes, guint mode, GError **error)
{
	const char *name;
	g_auto(CamFd) parent = open_parent(dirfd, path, &name, error);
	g_autofree char *tmp = NULL;
	g_auto(CamFd) fd = -1;

	if (parent < 0)
		return FALSE;
	do {
		g_free(tmp);
		tmp = g_strdup_printf(".%.200s.%08x", name, g_random_int());
		fd = openat(parent, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			    0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0)
		return cam_set_error_errno(error, errno, "cannot create a file beside %s", path);
	if (!write_and_sync(fd, bytes, mode, error)) {
		(void) unlinkat(parent, tmp, 0);
		return cam_error_translate(error, "%s", path);
	}
	if (renameat(parent, tmp, parent, name) < 0) {
		cam_set_error_errno(error, errno, "cannot put %s in place", path);
		(void) unlinkat(parent, tmp, 0);
		return FALSE;
	}
	if (fsync(parent) < 0)
		return cam_set_error_errno(error, errno, "cannot sync the directory of %s", path);
	return TRUE;
}

gboolean
cam_mkdirs_at(int dirfd, const char *path, guint mode, GError **error)
{
	g_autofree char *copy = g_strdup(path);
	char *p = copy;

	while (TRUE) {
		char kept;

		p += strspn(p, "/");
		p += strcspn(p, "/");
		kept = *p;
		*p = '\0';
		if (*copy != '\0' && mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST)
			return cam_set_error_errno(error, errno, "cannot make directory %s", copy);
		if (kept == '\0')
			break;
		*p = kept;
	}
	/* EEXIST is also said of a file. */
	struct stat st;
	if (fstatat(dirfd, path, &st, 0) < 0)
		return cam_set_error_errno(error, errno, "cannot make directory %s", path);
	if (!S_ISDIR(st.st_mode))
		return cam_set_error_errno(error, ENOTDIR, "cannot make directory %s", path);
	return TRUE;
}
