/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream that holds what it passes on against a digest and a size. Owns no policy: who made the
 * stream knows where digest and size come from.
 */
#include "snapshotter/oci/verify-stream.h"

typedef struct {
	GFilterInputStream parent_instance;
	CamHasher *hasher; /* NULL once the end was seen and found right */
	char *digest;
	gint64 size; /* -1 where not known */
	guint64 seen;
} CamVerifyStream;

typedef struct {
	GFilterInputStreamClass parent_class;
} CamVerifyStreamClass;

GType cam_verify_stream_get_type(void);
G_DEFINE_TYPE(CamVerifyStream, cam_verify_stream, G_TYPE_FILTER_INPUT_STREAM)

static gboolean
check_end(CamVerifyStream *self, GError **error)
{
	g_autofree char *actual = NULL;

	if (self->hasher == NULL)
		return TRUE;
	if (self->size >= 0 && self->seen != (guint64) self->size)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "%s ends after %" G_GUINT64_FORMAT
				     " bytes where %" G_GINT64_FORMAT " are promised",
				     self->digest, self->seen, self->size);
	actual = cam_hasher_finish(self->hasher);
	g_clear_pointer(&self->hasher, cam_hasher_free);
	if (!g_str_equal(actual, self->digest)) {
		self->size = -1;
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "the content of %s hashes to %s: it was damaged or replaced",
				     self->digest, actual);
	}
	return TRUE;
}

static gssize
cam_verify_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		       GError **error)
{
	CamVerifyStream *self = (CamVerifyStream *) stream;
	GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(stream));
	gssize n = g_input_stream_read(base, buffer, count, cancellable, error);

	if (n < 0)
		return -1;
	if (n == 0 && count > 0)
		return check_end(self, error) ? 0 : -1;
	self->seen += (guint64) n;
	if (self->size >= 0 && self->seen > (guint64) self->size) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "%s is longer than the %" G_GINT64_FORMAT " bytes promised",
			      self->digest, self->size);
		return -1;
	}
	if (self->hasher != NULL)
		cam_hasher_update(self->hasher, buffer, (gsize) n);
	return n;
}

static void
cam_verify_stream_finalize(GObject *object)
{
	CamVerifyStream *self = (CamVerifyStream *) object;

	g_clear_pointer(&self->hasher, cam_hasher_free);
	g_clear_pointer(&self->digest, g_free);
	G_OBJECT_CLASS(cam_verify_stream_parent_class)->finalize(object);
}

static void
cam_verify_stream_class_init(CamVerifyStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_verify_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = cam_verify_stream_read;
}

static void
cam_verify_stream_init(CamVerifyStream *self)
{
}

GInputStream *
cam_verify_stream_new(GInputStream *base, const char *digest, gint64 size, GError **error)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new_for(digest, error);
	CamVerifyStream *self;

	if (hasher == NULL)
		return NULL;
	self = g_object_new(cam_verify_stream_get_type(), "base-stream", base, NULL);
	self->hasher = g_steal_pointer(&hasher);
	self->digest = g_strdup(digest);
	self->size = size;
	return G_INPUT_STREAM(self);
}
