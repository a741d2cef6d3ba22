/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks of directory trees that others made, of any depth. A level keeps its directory's identity;
 * only the levels next to the one at hand keep a descriptor, the others are opened again through
 * "..", which must then be the very directory.
 */
#include "snapshotter/base/tree-walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"

#define KEEP_OPEN  32
#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef struct {
	CamFd fd; /* -1: closed meanwhile */
	dev_t device;
	ino_t inode;
	char *name; /* in the level above */
	GPtrArray *children;
} Level;

typedef struct {
	int top; /* the directory that has the tree */
	GArray *levels;
	const CamTreeVisitor *visitor;
	gpointer user_data;
	GCancellable *cancellable;
} Walk;

static int
open_here(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = OPEN_FLAGS,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	do
		fd = (int) syscall(SYS_openat2, dirfd, name, &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

/* Gives the owner all rights; through /proc, for fchmodat(2) follows links. */
static gboolean
open_up(int dirfd, const char *name)
{
	g_auto(CamFd) fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[40];

	g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fd >= 0 && chmod(path, 0700) == 0;
}

int
cam_directory_open(int dirfd, const char *name, GError **error)
{
	int fd = open_here(dirfd, name);

	if (fd < 0 && errno == EACCES && open_up(dirfd, name))
		fd = open_here(dirfd, name);
	if (fd >= 0)
		return fd;
	if (errno == EXDEV)
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			      "another file system is mounted at %s; unmount it", name);
	else
		cam_set_error_errno(error, errno, "cannot open directory %s", name);
	return -1;
}

static void
level_clear(gpointer data)
{
	Level *level = data;

	cam_fd_close(level->fd);
	g_free(level->name);
	g_clear_pointer(&level->children, g_ptr_array_unref);
}

static Level *
get_level(Walk *self, guint from_top)
{
	return from_top < self->levels->len
		       ? &g_array_index(self->levels, Level, self->levels->len - 1 - from_top)
		       : NULL;
}

/* The directory above the one at hand. */
static int
parent_fd(Walk *self)
{
	Level *parent = get_level(self, 1);

	return parent != NULL ? parent->fd : self->top;
}

static gboolean
enter(Walk *self, gboolean again, GError **error)
{
	Level *level = get_level(self, 0);

	return self->visitor->enter(self->user_data, level->fd, level->name, again, level->children,
				    error);
}

static gboolean
go_down(Walk *self, int dirfd, const char *name, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_auto(CamFd) fd = cam_directory_open(dirfd, name, &problem);
	Level level = { .fd = -1 }, *far;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) != 0)
		cam_set_error_errno(&problem, errno, "cannot look at %s", name);
	if (problem != NULL) {
		if (self->visitor->pass != NULL)
			return self->visitor->pass(self->user_data, dirfd, name,
						   g_steal_pointer(&problem), error);
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	level.fd = cam_fd_steal(&fd);
	level.device = st.st_dev;
	level.inode = st.st_ino;
	level.name = g_strdup(name);
	level.children = g_ptr_array_new_with_free_func(g_free);
	g_array_append_val(self->levels, level);
	far = get_level(self, KEEP_OPEN);
	if (far != NULL)
		cam_fd_close(cam_fd_steal(&far->fd));
	return enter(self, FALSE, error);
}

/* Opens the level above the one at hand if it was closed meanwhile. */
static gboolean
open_parent(Walk *self, GError **error)
{
	Level *parent = get_level(self, 1);
	struct stat st;

	if (parent == NULL || parent->fd >= 0)
		return TRUE;
	parent->fd = openat(get_level(self, 0)->fd, "..", OPEN_FLAGS);
	if (parent->fd >= 0 && fstat(parent->fd, &st) == 0 && st.st_dev == parent->device &&
	    st.st_ino == parent->inode)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_ABORTED,
			     "directory %s was moved while its tree was walked; try again",
			     get_level(self, 0)->name);
}

/* Does the next step at the directory at hand. */
static gboolean
step(Walk *self, GError **error)
{
	Level *level = get_level(self, 0);

	if (level->children->len > 0) {
		g_autofree char *name =
			g_ptr_array_steal_index_fast(level->children, level->children->len - 1);

		return go_down(self, level->fd, name, error);
	}
	if (!open_parent(self, error))
		return FALSE;
	if (self->visitor->leave != NULL &&
	    self->visitor->leave(self->user_data, parent_fd(self), level->name))
		return enter(self, TRUE, error);
	g_array_set_size(self->levels, self->levels->len - 1);
	return TRUE;
}

gboolean
cam_tree_walk(int dirfd, const char *name, const CamTreeVisitor *visitor, gpointer user_data,
	      GCancellable *cancellable, GError **error)
{
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	Walk self = { dirfd, levels, visitor, user_data, cancellable };

	g_array_set_clear_func(levels, level_clear);
	if (!go_down(&self, dirfd, name, error))
		return FALSE;
	while (levels->len > 0) {
		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		if (!step(&self, error))
			return FALSE;
	}
	return TRUE;
}
