/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Downloads that survive the process: the bytes are kept in a file while they are read. Owns the
 * file's lock and its growth, not its end.
 */
#include "snapshotter/transport/part-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"

typedef struct {
	GInputStream parent_instance;
	CamFd fd;
	goffset offset; /* of the next byte to hand out */
	goffset kept;	/* bytes that the part had when it was opened */
	GInputStream *rest;
} CamPartStream;

typedef struct {
	GInputStreamClass parent_class;
} CamPartStreamClass;

GType cam_part_stream_get_type(void);
G_DEFINE_TYPE(CamPartStream, cam_part_stream, G_TYPE_INPUT_STREAM)

static gssize
read_kept(CamPartStream *self, void *buffer, gsize count, GError **error)
{
	gssize n;

	do {
		n = pread(self->fd, buffer, MIN(count, (gsize) (self->kept - self->offset)),
			  self->offset);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	cam_set_error_errno(error, n < 0 ? errno : EIO, "cannot read the part of a download");
	return -1;
}

static gssize
cam_part_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		     GError **error)
{
	CamPartStream *self = (CamPartStream *) stream;
	gssize n;

	if (self->offset < self->kept) {
		n = read_kept(self, buffer, count, error);
	} else {
		n = g_input_stream_read(self->rest, buffer, count, cancellable, error);
		if (n > 0 && !cam_write_all(self->fd, buffer, (gsize) n, error)) {
			cam_error_translate(error, "cannot keep the part of a download");
			return -1;
		}
	}
	if (n > 0)
		self->offset += n;
	return n;
}

static gboolean
cam_part_stream_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	CamPartStream *self = (CamPartStream *) stream;

	cam_fd_close(cam_fd_steal(&self->fd));
	return g_input_stream_close(self->rest, cancellable, error);
}

static void
cam_part_stream_finalize(GObject *object)
{
	CamPartStream *self = (CamPartStream *) object;

	cam_fd_close(cam_fd_steal(&self->fd));
	g_clear_object(&self->rest);
	G_OBJECT_CLASS(cam_part_stream_parent_class)->finalize(object);
}

static void
cam_part_stream_class_init(CamPartStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_part_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_part_stream_read;
	G_INPUT_STREAM_CLASS(klass)->close_fn = cam_part_stream_close;
}

static void
cam_part_stream_init(CamPartStream *self)
{
	self->fd = -1;
}

/* Whether @name still is the file of @fd: whoever held the lock before may have unlinked or
 * renamed it. */
static gboolean
is_current(int dirfd, const char *name, int fd, struct stat *st)
{
	struct stat named;

	return fstat(fd, st) == 0 && fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st->st_ino == named.st_ino && st->st_dev == named.st_dev;
}

/* *@fd stays -1 if another process has the part and @wait is FALSE. */
static gboolean
open_locked(int dirfd, const char *name, gboolean wait, int *fd, struct stat *st, GError **error)
{
	for (;;) {
		g_auto(CamFd) opened = openat(
			dirfd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		int result;

		if (opened < 0)
			return cam_set_error_errno(error, errno, "cannot open %s", name);
		do {
			result = flock(opened, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
		} while (result < 0 && errno == EINTR);
		if (result < 0 && errno == EWOULDBLOCK)
			return TRUE;
		if (result < 0)
			return cam_set_error_errno(error, errno, "cannot lock %s", name);
		if (is_current(dirfd, name, opened, st)) {
			*fd = cam_fd_steal(&opened);
			return TRUE;
		}
	}
}

/* A part that is longer than the whole is of something else: begin anew. */
static gboolean
drop_overlong(int fd, gint64 size, struct stat *st, GError **error)
{
	if (fd < 0 || size < 0 || st->st_size <= size)
		return TRUE;
	st->st_size = 0;
	if (ftruncate(fd, 0) < 0)
		return cam_set_error_errno(error, errno, "cannot empty the part of a download");
	return TRUE;
}

GInputStream *
cam_part_stream_new(int dirfd, const char *name, gint64 size, gboolean wait, CamStreamOpener open,
		    gpointer user_data, GDestroyNotify destroy, GError **error)
{
	g_autoptr(GInputStream) rest = NULL;
	g_auto(CamFd) fd = -1;
	struct stat st = { 0 };
	CamPartStream *self;

	if (!open_locked(dirfd, name, wait, &fd, &st, error) ||
	    !drop_overlong(fd, size, &st, error)) {
		if (destroy != NULL)
			destroy(user_data);
		return NULL;
	}
	rest = cam_resuming_stream_new(st.st_size, size, open, user_data, destroy);
	if (fd < 0)
		return g_steal_pointer(&rest);
	self = g_object_new(cam_part_stream_get_type(), NULL);
	self->fd = cam_fd_steal(&fd);
	self->kept = st.st_size;
	self->rest = g_steal_pointer(&rest);
	return G_INPUT_STREAM(self);
}

gboolean
cam_part_stream_sync(GInputStream *stream, GError **error)
{
	CamPartStream *self = (CamPartStream *) stream;

	if (!G_TYPE_CHECK_INSTANCE_TYPE(stream, cam_part_stream_get_type()))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "no part is kept");
	if (fdatasync(self->fd) < 0)
		return cam_set_error_errno(error, errno, "cannot write out a download");
	return TRUE;
}
