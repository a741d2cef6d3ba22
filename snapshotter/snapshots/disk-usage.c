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
#include "snapshotter/base/tree-walk.h"

#define BLOCK 512 /* of st_blocks, whatever the file system's */

typedef struct {
	guint64 size, inodes;
	GHashTable *seen; /* (nullable): set of inode numbers of files with several names */
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

static gboolean
enter(gpointer user_data, int fd, const char *name, gboolean again, GPtrArray *children,
      GError **error)
{
	g_auto(CamFd) own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own >= 0 ? fdopendir(own) : NULL;
	struct dirent *entry;

	if (!dir)
		return cam_set_error_errno(error, errno, "cannot read %s", name);
	cam_fd_steal(&own);
	while ((entry = readdir(dir))) {
		struct stat st;

		if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		count_inode(user_data, &st);
		if (S_ISDIR(st.st_mode))
			g_ptr_array_add(children, g_strdup(entry->d_name));
	}
	closedir(dir);
	return TRUE;
}

/* Directories come and go while a container runs; what is mounted is counted where it is. */
static gboolean
pass(gpointer user_data, int parent, const char *name, GError *problem, GError **error)
{
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND) ||
	    g_error_matches(problem, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION)) {
		g_error_free(problem);
		return TRUE;
	}
	g_propagate_error(error, problem);
	return FALSE;
}

gboolean
cam_disk_usage(int dirfd, const char *path, guint64 *size, guint64 *inodes,
	       GCancellable *cancellable, GError **error)
{
	static const CamTreeVisitor visitor = { .enter = enter, .pass = pass };
	Count count = { 0 };
	struct stat st;
	gboolean good;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cam_set_error_errno(error, errno, "cannot read %s", path);
	count_inode(&count, &st);
	good = !S_ISDIR(st.st_mode) ||
	       cam_tree_walk(dirfd, path, &visitor, &count, cancellable, error);
	g_clear_pointer(&count.seen, g_hash_table_unref);
	*size = count.size;
	*inodes = count.inodes;
	return good;
}
