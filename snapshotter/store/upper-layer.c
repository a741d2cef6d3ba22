/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tar of an upper directory as a stream: headers of a CamUpperTar, and contents. */
#include "snapshotter/store/upper-layer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/store/upper-tar.h"

#define CAM_TYPE_UPPER_STREAM (cam_upper_stream_get_type())
G_DECLARE_FINAL_TYPE(CamUpperStream, cam_upper_stream, CAM, UPPER_STREAM, GInputStream)

struct _CamUpperStream {
	GInputStream parent;
	CamFd upper;
	CamUpperTar *tar;
	guint64 done; /* of the content at hand */
};

G_DEFINE_FINAL_TYPE(CamUpperStream, cam_upper_stream, G_TYPE_INPUT_STREAM)

/* The header has promised the size, and that this is one state of the file. */
static gboolean
finish_content(CamUpperStream *self, const CamUpperMember *member, GError **error)
{
	if (!cam_file_stamp_check(&member->stamp, member->fd, error))
		return cam_error_translate(error, "%s", member->path);
	cam_upper_tar_pass_content(self->tar);
	self->done = 0;
	return TRUE;
}

static gssize
read_content(CamUpperStream *self, const CamUpperMember *member, void *buffer, gsize size,
	     GError **error)
{
	ssize_t n;

	do
		n = pread(member->fd, buffer, MIN(size, member->size - self->done),
			  (off_t) self->done);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		cam_set_error_errno(error, errno, "cannot read %s", member->path);
	else if (n == 0)
		cam_set_error(error, CAM_ERROR_ABORTED,
			      "%s became shorter while it was read; try again", member->path);
	if (n <= 0)
		return -1;
	self->done += (guint64) n;
	if (self->done == member->size && !finish_content(self, member, error))
		return -1;
	return n;
}

static gssize
cam_upper_stream_read(GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
		      GError **error)
{
	CamUpperStream *self = CAM_UPPER_STREAM(stream);
	const CamUpperMember *member;
	gssize n;

	if (size == 0)
		return 0;
	if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
		cam_error_translate(error, NULL);
		return -1;
	}
	n = cam_upper_tar_read(self->tar, buffer, size, error);
	member = n == 0 ? cam_upper_tar_get_member(self->tar) : NULL;
	return member != NULL ? read_content(self, member, buffer, size, error) : n;
}

static void
cam_upper_stream_finalize(GObject *object)
{
	CamUpperStream *self = CAM_UPPER_STREAM(object);

	g_clear_pointer(&self->tar, cam_upper_tar_free);
	cam_fd_close(self->upper);
	G_OBJECT_CLASS(cam_upper_stream_parent_class)->finalize(object);
}

static void
cam_upper_stream_init(CamUpperStream *self)
{
	self->upper = -1;
}

static void
cam_upper_stream_class_init(CamUpperStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_upper_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_upper_stream_read;
}

GInputStream *
cam_upper_layer_stream_new(int upper, GError **error)
{
	g_autoptr(CamUpperStream) self = g_object_new(CAM_TYPE_UPPER_STREAM, NULL);

	self->upper = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->upper < 0) {
		cam_set_error_errno(error, errno, "cannot open the upper directory");
		return NULL;
	}
	self->tar = cam_upper_tar_new(self->upper);
	return G_INPUT_STREAM(g_steal_pointer(&self));
}
