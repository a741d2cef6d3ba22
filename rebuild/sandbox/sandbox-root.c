/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what must be true of a tree before a sandbox is built on it. The tree is hostile: every
 * look at it is through openat2(2), confined, and mounts only go where no link leads away.
 */
#include "rebuild/sandbox/sandbox-root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *const mount_points[] = { "proc", "dev", "tmp", "run" };

static gboolean
check_directory(int rootfd, const char *name, GError **error)
{
	struct stat st;

	if (mkdirat(rootfd, name, 0755) < 0 && errno != EEXIST)
		return cam_set_error_errno(error, errno, "cannot make /%s in the image", name);
	if (fstatat(rootfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cam_set_error_errno(error, errno, "cannot look at /%s of the image", name);
	if (!S_ISDIR(st.st_mode))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "/%s of the image is no directory: its package manager cannot "
				     "be run",
				     name);
	return TRUE;
}

gboolean
cam_sandbox_root_check(int rootfd, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mount_points); i++)
		if (!check_directory(rootfd, mount_points[i], error))
			return FALSE;
	return TRUE;
}

/* Where an open file lies, as the kernel says. */
static char *
path_of_fd(int fd, GError **error)
{
	char link[64], path[PATH_MAX];
	ssize_t size;

	g_snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path));
	if (size < 0) {
		cam_set_error_errno(error, errno, "cannot read %s", link);
		return NULL;
	}
	if (size == sizeof(path)) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED, "a path is too long");
		return NULL;
	}
	return g_strndup(path, (gsize) size);
}

static char *
resolve_existing(int rootfd, const char *path, GError **error)
{
	g_auto(CamFd) fd = cam_openat_in_root(rootfd, path, O_PATH, 0, error);
	g_autofree char *real = fd < 0 ? NULL : path_of_fd(fd, error);
	g_autofree char *root = real ? path_of_fd(rootfd, error) : NULL;

	if (!root)
		return NULL;
	if (g_str_equal(real, root))
		return g_strdup("/");
	if (!g_str_has_prefix(real, root) || real[strlen(root)] != '/') {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s leads out of the image",
			      path);
		return NULL;
	}
	return g_strdup(real + strlen(root));
}

char *
cam_sandbox_root_resolve(int rootfd, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree char *real = resolve_existing(rootfd, path, &local);
	struct stat st;

	if (real)
		return g_steal_pointer(&real);
	if (!g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}

	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *parent = resolve_existing(rootfd, directory, error);
	g_autofree char *where = parent ? g_build_filename(parent, name, NULL) : NULL;

	if (!where)
		return NULL;
	if (fstatat(rootfd, where + 1, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			      "%s of the image is a link that leads nowhere", path);
		return NULL;
	}
	return g_steal_pointer(&where);
}

gboolean
cam_sandbox_mount_devices(int devfd)
{
	static const struct {
		const char *name;
		guint major, minor;
	} devices[] = { { "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
			{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
	static const char *const links[][2] = { { "fd", "/proc/self/fd" },
						{ "stdin", "/proc/self/fd/0" },
						{ "stdout", "/proc/self/fd/1" },
						{ "stderr", "/proc/self/fd/2" } };
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC), fd;

	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "1m", 0) != 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "256", 0) != 0 ||
	    fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) != 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return FALSE;
	fd = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (fd < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
		if (mknodat(fd, devices[i].name, S_IFCHR | 0666,
			    makedev(devices[i].major, devices[i].minor)) != 0 ||
		    fchmodat(fd, devices[i].name, 0666, 0) != 0)
			return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++)
		if (symlinkat(links[i][1], fd, links[i][0]) != 0)
			return FALSE;
	return mkdirat(fd, "shm", 01777) == 0 &&
	       move_mount(fd, "", devfd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) ==
		       0;
}
