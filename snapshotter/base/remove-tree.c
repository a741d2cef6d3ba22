/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The removal of trees that a container, a package's script or an image's layer made: of any depth,
 * and with any permissions and attributes.
 */
#include "snapshotter/base/remove-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/tree-walk.h"

#define PROTECTED   (FS_IMMUTABLE_FL | FS_APPEND_FL)
#define OPEN_PARENT (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

typedef struct {
	GError *first;	/* what could not be removed */
	GArray *levels; /* Level, the directory at hand last */
} Removal;

typedef struct {
	gboolean more;	 /* there were more names than a batch has */
	guint n_removed; /* since it was entered last */
} Level;

static Level *
top(Removal *self)
{
	return &g_array_index(self->levels, Level, self->levels->len - 1);
}

/* TRUE always: the walk goes on. */
static gboolean
fail(Removal *self, const char *name, int errnum)
{
	if (self->first == NULL)
		cam_set_error_errno(&self->first, errnum, "cannot remove %s", name);
	return TRUE;
}

/* ---- attributes ---- */

static gboolean
unprotect(int fd)
{
	int flags;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || (flags & PROTECTED) == 0)
		return FALSE;
	flags &= ~PROTECTED;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* Takes the attributes off @name and its directory that forbid to remove it. Nothing but files and
 * directories is opened: opening a device may do anything. */
static gboolean
unprotect_entry(int dirfd, const char *name)
{
	gboolean changed = unprotect(dirfd);
	g_auto(CamFd) fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return unprotect(fd) || changed;
}

/* unlinkat(2) that tries to change what forbids it. 0 or errno. */
static int
unlink_entry(int dirfd, const char *name, int flags)
{
	if (unlinkat(dirfd, name, flags) == 0 || errno == ENOENT)
		return 0;
	if (errno == EACCES && fchmod(dirfd, 0700) == 0 && unlinkat(dirfd, name, flags) == 0)
		return 0;
	/* Also what unlinking a directory answers on some file systems. */
	if (errno == EPERM && unprotect_entry(dirfd, name) && unlinkat(dirfd, name, flags) == 0)
		return 0;
	return errno;
}

static gboolean
is_directory(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* ---- the walk ---- */

/* Removes the files of a directory and notes the directories in it. */
static void
empty_directory(Removal *self, DIR *dir, int fd, GPtrArray *children)
{
	struct dirent *entry;

	while (!top(self)->more && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		int errnum;

		if (g_str_equal(name, ".") || g_str_equal(name, ".."))
			continue;
		errnum = entry->d_type == DT_DIR ? EISDIR : unlink_entry(fd, name, 0);
		if (errnum == 0)
			top(self)->n_removed++;
		else if (is_directory(fd, name))
			g_ptr_array_add(children, g_strdup(name));
		else
			fail(self, name, errnum);
		top(self)->more = children->len >= CAM_TREE_BATCH;
	}
}

static gboolean
enter(gpointer user_data, int fd, const char *name, gboolean again, GPtrArray *children,
      GError **error)
{
	Removal *self = user_data;
	Level level = { FALSE, 0 };
	g_auto(CamFd) own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own >= 0 ? fdopendir(own) : NULL;

	if (again)
		*top(self) = level;
	else
		g_array_append_val(self->levels, level);
	if (dir == NULL)
		return fail(self, name, errno);
	cam_fd_steal(&own);
	empty_directory(self, dir, fd, children);
	closedir(dir);
	return TRUE;
}

/* A directory that has more than a batch is entered again while that helps. */
static gboolean
leave(gpointer user_data, int parent, const char *name)
{
	Removal *self = user_data;
	gboolean again = top(self)->more && top(self)->n_removed > 0;
	int errnum;

	if (again)
		return TRUE;
	g_array_set_size(self->levels, self->levels->len - 1);
	errnum = unlink_entry(parent, name, AT_REMOVEDIR);
	if (errnum != 0)
		fail(self, name, errnum);
	else if (self->levels->len > 0)
		top(self)->n_removed++;
	return FALSE;
}

static gboolean
pass(gpointer user_data, int parent, const char *name, GError *problem, GError **error)
{
	Removal *self = user_data;

	if (self->first == NULL && !g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		self->first = problem;
	else
		g_error_free(problem);
	return TRUE;
}

gboolean
cam_remove_tree_at(int dirfd, const char *path, GError **error)
{
	static const CamTreeVisitor visitor = { enter, leave, pass };
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	const char *slash = strrchr(path, '/');
	g_autofree char *parent =
		slash != NULL ? g_strndup(path, (gsize) (slash - path) + 1) : NULL;
	const char *name = slash != NULL ? slash + 1 : path;
	g_auto(CamFd) top_fd = openat(dirfd, parent != NULL ? parent : ".", OPEN_PARENT);
	Removal self = { .levels = levels };
	int errnum;

	if (top_fd < 0)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot remove %s", path);
	errnum = is_directory(top_fd, name) ? EISDIR : unlink_entry(top_fd, name, 0);
	if (errnum == 0)
		return TRUE;
	if (!is_directory(top_fd, name))
		return cam_set_error_errno(error, errnum, "cannot remove %s", path);
	if (!cam_tree_walk(top_fd, name, &visitor, &self, NULL, error)) {
		g_clear_error(&self.first);
		return FALSE;
	}
	if (self.first == NULL)
		return TRUE;
	g_propagate_error(error, self.first);
	return FALSE;
}
