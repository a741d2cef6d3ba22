/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream that hashes and counts what passes through it. */
#include "snapshotter/store/digest-stream.h"

struct _CamDigestStream {
	GFilterInputStream parent;
	CamHasher *hasher;
	CamProgress *progress;
	guint phase;
	guint64 count; /* atomic */
};

G_DEFINE_FINAL_TYPE(CamDigestStream, cam_digest_stream, G_TYPE_FILTER_INPUT_STREAM)

static gssize
cam_digest_stream_read(GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
		       GError **error)
{
	CamDigestStream *self = CAM_DIGEST_STREAM(stream);
	GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(self));
	gssize n = g_input_stream_read(base, buffer, size, cancellable, error);

	if (n < 0) {
		cam_error_translate(error, NULL);
		return -1;
	}
	cam_hasher_update(self->hasher, buffer, (gsize) n);
	__atomic_fetch_add(&self->count, (guint64) n, __ATOMIC_RELAXED);
	cam_progress_advance(self->progress, self->phase, (guint64) n);
	return n;
}

static void
cam_digest_stream_finalize(GObject *object)
{
	CamDigestStream *self = CAM_DIGEST_STREAM(object);

	cam_hasher_free(self->hasher);
	g_clear_object(&self->progress);
	G_OBJECT_CLASS(cam_digest_stream_parent_class)->finalize(object);
}

static void
cam_digest_stream_init(CamDigestStream *self)
{
}

static void
cam_digest_stream_class_init(CamDigestStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_digest_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_digest_stream_read;
}

CamDigestStream *
cam_digest_stream_new(GInputStream *base, CamHasher *hasher, CamProgress *progress, guint phase)
{
	CamDigestStream *self = g_object_new(CAM_TYPE_DIGEST_STREAM, "base-stream", base,
					     "close-base-stream", FALSE, NULL);

	self->hasher = hasher;
	self->progress = progress != NULL ? g_object_ref(progress) : NULL;
	self->phase = phase;
	return self;
}

guint64
cam_digest_stream_get_count(CamDigestStream *self)
{
	return __atomic_load_n(&self->count, __ATOMIC_RELAXED);
}

char *
cam_digest_stream_finish(CamDigestStream *self)
{
	return cam_hasher_finish(self->hasher);
}
