/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that appear at once. Owns the time between the first byte and the name.
 */
#include "snapshotter/transport/new-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_NAME_ATTEMPTS 100

struct _CamNewFile {
	CamFd dirfd; /* of the directory that the file will be in */
	char *name;
	char *hidden_name; /* (nullable): while the file has one */
	CamFd fd;
};

static char *
random_name(const char *name)
{
	return g_strdup_printf(".%.200s.%08x", name, g_random_int());
}

/* Not every file system has O_TMPFILE; those that do not say so in several ways. */
static gboolean
open_hidden(CamNewFile *self, guint mode, GError **error)
{
	for (guint i = 0; i < MAX_NAME_ATTEMPTS; i++) {
		g_autofree char *name = random_name(self->name);

		self->fd = openat(self->dirfd, name,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (self->fd >= 0) {
			self->hidden_name = g_steal_pointer(&name);
			return TRUE;
		}
		if (errno != EEXIST)
			break;
	}
	return cam_set_error_errno(error, errno, "cannot write %s", self->name);
}

CamNewFile *
cam_new_file_open(int dirfd, const char *path, guint mode, GError **error)
{
	g_autoptr(CamNewFile) self = g_new0(CamNewFile, 1);
	g_autofree char *directory = g_path_get_dirname(path);

	self->fd = -1;
	self->name = g_path_get_basename(path);
	self->dirfd = openat(dirfd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dirfd < 0) {
		cam_set_error_errno(error, errno, "cannot open %s", directory);
		return NULL;
	}
	self->fd = openat(self->dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (self->fd < 0 && !open_hidden(self, mode, error))
		return NULL;
	return g_steal_pointer(&self);
}

int
cam_new_file_get_fd(CamNewFile *self)
{
	return self->fd;
}

/* linkat() replaces nothing: a name beside the place is renamed over it. */
static gboolean
give_hidden_name(CamNewFile *self, GError **error)
{
	char source[32];

	g_snprintf(source, sizeof source, "/proc/self/fd/%d", self->fd);
	for (guint i = 0; i < MAX_NAME_ATTEMPTS; i++) {
		g_autofree char *name = random_name(self->name);

		if (linkat(AT_FDCWD, source, self->dirfd, name, AT_SYMLINK_FOLLOW) == 0) {
			self->hidden_name = g_steal_pointer(&name);
			return TRUE;
		}
		if (errno != EEXIST)
			break;
	}
	return cam_set_error_errno(error, errno, "cannot name %s", self->name);
}

gboolean
cam_new_file_put(CamNewFile *self, gboolean replace, GError **error)
{
	if (fdatasync(self->fd) < 0)
		return cam_set_error_errno(error, errno, "cannot write out %s", self->name);
	if (self->hidden_name == NULL && !give_hidden_name(self, error))
		return FALSE;
	if (renameat2(self->dirfd, self->hidden_name, self->dirfd, self->name,
		      replace ? 0 : RENAME_NOREPLACE) == 0) {
		g_clear_pointer(&self->hidden_name, g_free);
		fsync(self->dirfd);
		return TRUE;
	}
	return (!replace && errno == EEXIST) ||
	       cam_set_error_errno(error, errno, "cannot put %s in place", self->name);
}

void
cam_new_file_free(CamNewFile *self)
{
	if (self == NULL)
		return;
	if (self->hidden_name != NULL)
		unlinkat(self->dirfd, self->hidden_name, 0);
	cam_fd_close(self->fd);
	cam_fd_close(self->dirfd);
	g_free(self->name);
	g_free(self->hidden_name);
	g_free(self);
}
