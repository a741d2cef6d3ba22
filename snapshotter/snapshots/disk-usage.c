/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a directory takes on disk, as du(1) counts. It follows no link.
 */
#include "snapshotter/snapshots/disk-usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"

#define BLOCK	  512  /* of st_blocks, whatever the file system's */
#define DEPTH_MAX 2100 /* more than a path can have */

typedef struct {
	guint64 size, inodes;
	GHashTable *seen; /* (nullable): set of inode numbers of files with several names */
	GCancellable *cancellable;
} Count;

static void
count_inode(Count *self, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
		gint64 inode = (gint64) st->st_ino;

		if (!self->seen)
			self->seen =
				g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
		if (!g_hash_table_add(self->seen, g_memdup2(&inode, sizeof(inode))))
			return;
	}
	self->inodes++;
	self->size += (guint64) st->st_blocks * BLOCK;
}

static DIR *
open_directory(int dirfd, const char *name)
{
	g_auto(CamFd) fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir)
		cam_fd_steal(&fd);
	return dir;
}

static gboolean
count_directory(Count *self, int parent, const char *name, guint depth, GError **error)
{
	g_autoptr(GError) problem = NULL;
	DIR *dir = open_directory(parent, name);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ||
		       cam_set_error_errno(error, errno, "cannot read %s", name);
	while (!problem && (entry = readdir(dir))) {
		struct stat st;

		if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, "..") ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		count_inode(self, &st);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			count_directory(self, dirfd(dir), entry->d_name, depth + 1, &problem);
		if (!problem)
			g_cancellable_set_error_if_cancelled(self->cancellable, &problem);
	}
	closedir(dir);
	if (!problem)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return cam_error_translate(error, NULL);
}

gboolean
cam_disk_usage(int dirfd, const char *path, guint64 *size, guint64 *inodes,
	       GCancellable *cancellable, GError **error)
{
	Count count = { .cancellable = cancellable };
	struct stat st;
	gboolean good;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cam_set_error_errno(error, errno, "cannot read %s", path);
	count_inode(&count, &st);
	good = !S_ISDIR(st.st_mode) || count_directory(&count, dirfd, path, 0, error);
	g_clear_pointer(&count.seen, g_hash_table_unref);
	*size = count.size;
	*inodes = count.inodes;
	return good;
}
