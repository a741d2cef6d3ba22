/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamUpperWalk: the upper directory of an overlayfs, member by member. How one directory reads
 * (names, whiteouts, attributes) is upper-directory.c's, how a header looks tar-writer.c's.
 */
#include "snapshotter/store/upper-walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "snapshotter/store/tar-writer.h"
#include "snapshotter/store/upper-directory.h"

#define WHITEOUT_PREFIX ".wh."
#define KEEP_OPEN	32 /* directories; the ones further up are opened again */

/* A directory on the way down. */
typedef struct {
	CamFd fd;   /* -1: closed meanwhile */
	char *path; /* "" is the upper directory itself */
	guint64 device, inode;
	CamUpperDirectory *directory;
	guint next;
} Level;

typedef struct {
	guint64 device, inode;
} FileId;

struct _CamUpperWalk {
	int upper;
	GPtrArray *levels; /* Level, root first */
	GHashTable *names; /* FileId of files with several names → path of the first */
	GByteArray *header;
	char *path; /* of the member */
	CamUpperMember member;
};

static void
level_free(gpointer data)
{
	Level *level = data;

	cam_fd_close(level->fd);
	g_free(level->path);
	cam_upper_directory_free(level->directory);
	g_free(level);
}

static guint
hash_id(gconstpointer key)
{
	const FileId *id = key;

	return (guint) (id->inode ^ (id->inode >> 32) ^ id->device);
}

static gboolean
equal_id(gconstpointer a, gconstpointer b)
{
	const FileId *x = a, *y = b;

	return x->inode == y->inode && x->device == y->device;
}

CamUpperWalk *
cam_upper_walk_new(int upper)
{
	CamUpperWalk *self = g_new0(CamUpperWalk, 1);

	self->upper = upper;
	self->levels = g_ptr_array_new_with_free_func(level_free);
	self->names = g_hash_table_new_full(hash_id, equal_id, g_free, g_free);
	self->header = g_byte_array_new();
	self->member.fd = -1;
	return self;
}

void
cam_upper_walk_free(CamUpperWalk *self)
{
	cam_fd_close(self->member.fd);
	g_byte_array_unref(self->header);
	g_hash_table_unref(self->names);
	g_ptr_array_unref(self->levels);
	g_free(self->path);
	g_free(self);
}

static gboolean
changed(const char *path, GError **error)
{
	g_autofree char *shown = g_strescape(path, NULL);

	return cam_set_error(error, CAM_ERROR_ABORTED, "%s changed while it was read; try again",
			     *shown != '\0' ? shown : "the directory");
}

static gboolean
failed(const char *path, int errnum, const char *what, GError **error)
{
	g_autofree char *shown = g_strescape(path, NULL);

	/* All of these were there a moment ago. */
	if (errnum == ENOENT || errnum == ELOOP || errnum == ENOTDIR)
		return changed(path, error);
	return cam_set_error_errno(error, errnum, "cannot %s %s", what, shown);
}

/* ---- headers ---- */

static gboolean
put_header(CamUpperWalk *self, const CamStat *stat, GVariant *xattrs, gint64 mtime,
	   const char *hardlink, GError **error)
{
	CamTarMember member = {
		.path = *self->path != '\0' ? self->path : ".",
		.hardlink = hardlink,
		.stat = stat,
		.xattrs = xattrs,
		.mtime = mtime,
	};

	g_byte_array_set_size(self->header, 0);
	if (strlen(member.path) >= CAM_TAR_MAX_PATH)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "a name of %zu bytes, too long for a layer: %.100s…",
				     strlen(member.path), member.path);
	self->member.path = self->path;
	self->member.header = self->header;
	return cam_tar_append_header(self->header, &member, error);
}

static void
stat_init(CamStat *out, CamNodeType type, const struct stat *st)
{
	*out = (CamStat){
		.type = type,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev_major = major(st->st_rdev),
		.rdev_minor = minor(st->st_rdev),
	};
}

static gboolean
emit_whiteout(CamUpperWalk *self, const char *parent, const char *name, GError **error)
{
	static const CamStat empty = { .type = CAM_NODE_REGULAR };

	g_free(self->path);
	self->path = g_strconcat(parent, *parent != '\0' ? "/" : "", WHITEOUT_PREFIX, name, NULL);
	return put_header(self, &empty, NULL, 0, NULL, error);
}

/* ---- directories ---- */

static Level *
top(CamUpperWalk *self)
{
	return g_ptr_array_index(self->levels, self->levels->len - 1);
}

/* The directory's descriptor; one that was closed is opened again, and must be the same. */
static int
level_fd(CamUpperWalk *self, Level *level, GError **error)
{
	struct stat st;

	if (level->fd >= 0)
		return level->fd;
	level->fd = cam_openat_beneath(self->upper, *level->path != '\0' ? level->path : ".",
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);
	if (level->fd >= 0 && fstat(level->fd, &st) == 0 && st.st_dev == level->device &&
	    st.st_ino == level->inode)
		return level->fd;
	changed(level->path, error);
	return -1;
}

/* Goes down into @fd (transfer full), the directory at self->path. */
static gboolean
enter_directory(CamUpperWalk *self, CamFd fd, const struct stat *st, GError **error)
{
	Level *level = g_new0(Level, 1);
	CamStat stat;

	level->fd = fd;
	level->path = g_strdup(self->path);
	level->device = st->st_dev;
	level->inode = st->st_ino;
	g_ptr_array_add(self->levels, level);
	if (self->levels->len > CAM_TAR_MAX_DEPTH)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "directories are nested too deeply for a layer: %.100s…",
				     level->path);
	if (self->levels->len > KEEP_OPEN) {
		Level *above = g_ptr_array_index(self->levels, self->levels->len - KEEP_OPEN - 1);

		cam_fd_close(cam_fd_steal(&above->fd));
	}
	level->directory = cam_upper_directory_read(fd, error);
	if (level->directory == NULL)
		return cam_error_translate(error, "%s", self->path);
	stat_init(&stat, CAM_NODE_DIRECTORY, st);
	return put_header(self, &stat, level->directory->xattrs,
			  cam_timespec_to_nanoseconds(&st->st_mtim), NULL, error);
}

static gboolean
emit_root(CamUpperWalk *self, GError **error)
{
	g_auto(CamFd) fd = openat(self->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	self->path = g_strdup("");
	if (fd < 0 || fstat(fd, &st) != 0)
		return cam_set_error_errno(error, errno, "cannot open the directory");
	return enter_directory(self, cam_fd_steal(&fd), &st, error);
}

/* ---- what is in them ---- */

/* Opens what @st was said of: nothing else may have come to its place. */
static int
open_child(CamUpperWalk *self, int dirfd, const char *name, int flags, struct stat *st,
	   GError **error)
{
	g_auto(CamFd) fd = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
	struct stat now;

	if (fd < 0 || fstat(fd, &now) != 0) {
		failed(self->path, errno, "open", error);
		return -1;
	}
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino ||
	    (now.st_mode & S_IFMT) != (st->st_mode & S_IFMT)) {
		changed(self->path, error);
		return -1;
	}
	*st = now;
	return cam_fd_steal(&fd);
}

static gboolean
emit_directory(CamUpperWalk *self, int dirfd, const char *name, struct stat *st, GError **error)
{
	int fd = open_child(self, dirfd, name, O_DIRECTORY, st, error);

	return fd >= 0 && enter_directory(self, fd, st, error);
}

static gboolean
emit_file(CamUpperWalk *self, int dirfd, const char *name, struct stat *st, GError **error)
{
	g_auto(CamFd) fd = open_child(self, dirfd, name, 0, st, error);
	g_autoptr(GVariant) xattrs = NULL;
	CamStat stat;

	if (fd < 0)
		return FALSE;
	if (!cam_upper_file_xattrs(fd, &xattrs, error))
		return cam_error_translate(error, "%s", self->path);
	stat_init(&stat, CAM_NODE_REGULAR, st);
	stat.size = (guint64) st->st_size;
	if (!put_header(self, &stat, xattrs, cam_timespec_to_nanoseconds(&st->st_mtim), NULL,
			error))
		return FALSE;
	cam_file_stamp_set(&self->member.stamp, st);
	self->member.size = stat.size;
	self->member.fd = cam_fd_steal(&fd);
	return TRUE;
}

static gboolean
emit_link(CamUpperWalk *self, int dirfd, const char *name, const struct stat *st, GError **error)
{
	char target[PATH_MAX + 1];
	ssize_t size = readlinkat(dirfd, name, target, sizeof target - 1);
	CamStat stat;

	if (size < 0)
		return failed(self->path, errno, "read the link", error);
	target[size] = '\0';
	stat_init(&stat, CAM_NODE_SYMLINK, st);
	stat.link_target = target;
	return put_header(self, &stat, NULL, cam_timespec_to_nanoseconds(&st->st_mtim), NULL,
			  error);
}

static gboolean
emit_node(CamUpperWalk *self, CamNodeType type, const struct stat *st, GError **error)
{
	CamStat stat;

	/* One that was none when the directory was listed. */
	if (cam_upper_is_whiteout(st))
		return changed(self->path, error);
	stat_init(&stat, type, st);
	return put_header(self, &stat, NULL, cam_timespec_to_nanoseconds(&st->st_mtim), NULL,
			  error);
}

/* (nullable): the first name of a file that has several. */
static const char *
find_first_name(CamUpperWalk *self, const struct stat *st)
{
	FileId id = { st->st_dev, st->st_ino };
	const char *first;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return NULL;
	first = g_hash_table_lookup(self->names, &id);
	if (first == NULL)
		g_hash_table_insert(self->names, g_memdup2(&id, sizeof id), g_strdup(self->path));
	return first;
}

static gboolean
emit_hardlink(CamUpperWalk *self, const char *first, const struct stat *st, GError **error)
{
	CamStat stat;

	stat_init(&stat, CAM_NODE_REGULAR, st);
	return put_header(self, &stat, NULL, cam_timespec_to_nanoseconds(&st->st_mtim), first,
			  error);
}

/* *@emitted is FALSE for what no tar has. */
static gboolean
emit_child(CamUpperWalk *self, const Level *level, const char *name, gboolean *emitted,
	   GError **error)
{
	const char *first;
	struct stat st;

	g_free(self->path);
	self->path = g_strconcat(level->path, *level->path != '\0' ? "/" : "", name, NULL);
	*emitted = TRUE;
	if (fstatat(level->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return failed(self->path, errno, "look at", error);
	if (st.st_dev != level->device)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "another file system is mounted at %s", self->path);
	if (S_ISSOCK(st.st_mode)) {
		*emitted = FALSE;
		return TRUE;
	}
	first = find_first_name(self, &st);
	if (first != NULL)
		return emit_hardlink(self, first, &st, error);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return emit_directory(self, level->fd, name, &st, error);
	case S_IFREG:
		return emit_file(self, level->fd, name, &st, error);
	case S_IFLNK:
		return emit_link(self, level->fd, name, &st, error);
	case S_IFCHR:
		return emit_node(self, CAM_NODE_CHARACTER, &st, error);
	case S_IFBLK:
		return emit_node(self, CAM_NODE_BLOCK, &st, error);
	default:
		return emit_node(self, CAM_NODE_FIFO, &st, error);
	}
}

/* The next member of the directory at hand; *@emitted is FALSE when it was its end. */
static gboolean
emit_next(CamUpperWalk *self, gboolean *emitted, GError **error)
{
	Level *level = top(self);
	const CamUpperDirectory *directory = level->directory;

	*emitted = FALSE;
	if (level->next < directory->whiteouts->len) {
		*emitted = TRUE;
		return emit_whiteout(self, level->path,
				     g_ptr_array_index(directory->whiteouts, level->next++), error);
	}
	if (level_fd(self, level, error) < 0)
		return FALSE;
	while (!*emitted && level->next < directory->whiteouts->len + directory->names->len) {
		guint i = level->next++ - directory->whiteouts->len;

		if (!emit_child(self, level, g_ptr_array_index(directory->names, i), emitted,
				error))
			return FALSE;
	}
	if (!*emitted)
		g_ptr_array_set_size(self->levels, (int) self->levels->len - 1);
	return TRUE;
}

CamUpperMember *
cam_upper_walk_next(CamUpperWalk *self, GError **error)
{
	gboolean emitted = FALSE;

	cam_fd_close(cam_fd_steal(&self->member.fd));
	self->member.size = 0;
	if (self->path == NULL)
		return emit_root(self, error) ? &self->member : NULL;
	while (!emitted && self->levels->len > 0)
		if (!emit_next(self, &emitted, error))
			return NULL;
	return emitted ? &self->member : NULL;
}
