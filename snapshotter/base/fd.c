/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File descriptors and small files: confined opening, complete writes, durable replacement,
 * removal of trees. Everything is relative to a directory descriptor; nothing here knows what the
 * files mean.
 */
#include "snapshotter/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_CHUNK	 (64 * 1024)
#define MAX_REMOVE_DEPTH 4096

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

GBytes *
cam_read_file_at(int dirfd, const char *path, gsize max_size, GError **error)
{
	g_auto(CamFd) fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	g_autoptr(GByteArray) content = g_byte_array_new();

	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot open %s", path);
		return NULL;
	}
	while (TRUE) {
		guint8 chunk[READ_CHUNK];
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			cam_set_error_errno(error, errno, "cannot read %s", path);
			return NULL;
		}
		if (n == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&content));
		if ((gsize) n > max_size - content->len) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "%s is larger than the %" G_GSIZE_FORMAT " bytes allowed",
				      path, max_size);
			return NULL;
		}
		g_byte_array_append(content, chunk, (guint) n);
	}
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

typedef DIR AutoDir;
static void
close_dir(AutoDir *dir)
{
	closedir(dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AutoDir, close_dir)

static gboolean
remove_entry(int dirfd, const char *name, dev_t device, guint depth, GError **error);

static gboolean
empty_directory(int fd, const char *name, dev_t device, guint depth, GError **error)
{
	int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	g_autoptr(AutoDir) dir = duplicate >= 0 ? fdopendir(duplicate) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return cam_set_error_errno(error, errno, "cannot list %s", name);
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, ".."))
			continue;
		if (!remove_entry(fd, entry->d_name, device, depth + 1, error))
			return FALSE;
	}
	if (errno != 0)
		return cam_set_error_errno(error, errno, "cannot list %s", name);
	return TRUE;
}

static gboolean
remove_directory(int dirfd, const char *name, dev_t device, guint depth, GError **error)
{
	g_auto(CamFd) fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TRUE;
	if (fd < 0 || fstat(fd, &st) < 0)
		return cam_set_error_errno(error, errno, "cannot open directory %s", name);
	if (st.st_dev != device)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "cannot remove %s: another file system is mounted there",
				     name);
	if (depth > MAX_REMOVE_DEPTH)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "cannot remove %s: directories are nested too deeply", name);
	if (!empty_directory(fd, name, device, depth, error)) {
		return FALSE;
	}
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return cam_set_error_errno(error, errno, "cannot remove directory %s", name);
	return TRUE;
}

static gboolean
remove_entry(int dirfd, const char *name, dev_t device, guint depth, GError **error)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	if (errno != EISDIR && errno != EPERM)
		return cam_set_error_errno(error, errno, "cannot remove %s", name);
	return remove_directory(dirfd, name, device, depth, error);
}

gboolean
cam_remove_tree_at(int dirfd, const char *path, GError **error)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return TRUE;
		return cam_set_error_errno(error, errno, "cannot remove %s", path);
	}
	return remove_entry(dirfd, path, st.st_dev, 0, error);
}
