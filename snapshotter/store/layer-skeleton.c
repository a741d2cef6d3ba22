/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records of a layer's skeleton, written and read. What they mean is told in the header. */
#include "snapshotter/store/layer-skeleton.h"

#include <string.h>

#include "snapshotter/base/fd.h"

#define MAGIC	    "CAMSKEL1"
#define MAGIC_SIZE  8
#define BUFFER_SIZE (128 * 1024)
#define MIN_ZEROS   24 /* shorter runs stay in their R record */

void
cam_skeleton_object_clear(CamSkeletonObject *self)
{
	g_clear_pointer(&self->extents, g_array_unref);
}

struct _CamSkeletonWriter {
	int fd;
	GByteArray *buffer;
};

CamSkeletonWriter *
cam_skeleton_writer_new(int fd)
{
	CamSkeletonWriter *self = g_new0(CamSkeletonWriter, 1);

	self->fd = fd;
	self->buffer = g_byte_array_sized_new(BUFFER_SIZE);
	g_byte_array_append(self->buffer, (const guint8 *) MAGIC, MAGIC_SIZE);
	return self;
}

void
cam_skeleton_writer_free(CamSkeletonWriter *self)
{
	g_byte_array_unref(self->buffer);
	g_free(self);
}

static gboolean
flush_if(CamSkeletonWriter *self, gsize above, GError **error)
{
	if (self->buffer->len <= above)
		return TRUE;
	if (!cam_write_all(self->fd, self->buffer->data, self->buffer->len, error))
		return cam_error_translate(error, "the layer's skeleton");
	g_byte_array_set_size(self->buffer, 0);
	return TRUE;
}

static void
put_number(CamSkeletonWriter *self, guint64 number)
{
	guint8 bytes[10];
	guint n = 0;

	do {
		bytes[n] = (guint8) (number & 0x7f);
		number >>= 7;
		if (number != 0)
			bytes[n] |= 0x80;
		n++;
	} while (number != 0);
	g_byte_array_append(self->buffer, bytes, n);
}

static void
put_tag(CamSkeletonWriter *self, char tag)
{
	g_byte_array_append(self->buffer, (const guint8 *) &tag, 1);
}

static gsize
count_zeros(const guint8 *data, gsize size)
{
	gsize n = 0;

	while (n < size && data[n] == 0)
		n++;
	return n;
}

/* Bytes up to the next run of zeros that is worth a record of its own. */
static gsize
count_plain(const guint8 *data, gsize size)
{
	gsize n = 0;

	while (n < size) {
		gsize zeros = count_zeros(data + n, size - n);

		if (zeros >= MIN_ZEROS)
			return n;
		n += MAX(zeros, 1);
	}
	return size;
}

gboolean
cam_skeleton_writer_add_raw(CamSkeletonWriter *self, gconstpointer data, gsize size, GError **error)
{
	const guint8 *p = data;

	while (size > 0) {
		gsize n = count_plain(p, size);

		if (n > 0) {
			put_tag(self, 'R');
			put_number(self, n);
			g_byte_array_append(self->buffer, p, (guint) n);
		} else {
			n = count_zeros(p, size);
			put_tag(self, 'Z');
			put_number(self, n);
		}
		p += n;
		size -= n;
		if (!flush_if(self, BUFFER_SIZE / 2, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
cam_skeleton_writer_add_object(CamSkeletonWriter *self, const CamSkeletonObject *object,
			       GError **error)
{
	put_tag(self, object->has_content ? 'C' : 'O');
	g_byte_array_append(self->buffer, object->object.bytes, CAM_SHA256_SIZE);
	if (!object->has_content)
		return flush_if(self, BUFFER_SIZE / 2, error);
	g_byte_array_append(self->buffer, object->content.bytes, CAM_SHA256_SIZE);
	/* A sparse file of holes alone has one extent of nothing, so as not to read as "all". */
	guint n = object->extents == NULL ? 0 : MAX(object->extents->len, 1);
	put_number(self, n);
	for (guint i = 0; i < n; i++) {
		CamTarExtent extent = { 0, 0 };

		if (i < object->extents->len)
			extent = g_array_index(object->extents, CamTarExtent, i);
		put_number(self, extent.offset);
		put_number(self, extent.length);
	}
	put_number(self, object->size);
	return flush_if(self, BUFFER_SIZE / 2, error);
}

gboolean
cam_skeleton_writer_finish(CamSkeletonWriter *self, guint64 tar_size, GError **error)
{
	put_tag(self, 'E');
	put_number(self, tar_size);
	return flush_if(self, 0, error);
}

struct _CamSkeletonReader {
	GInputStream *stream;
	guint8 *buffer;
	gsize start, end;
	gboolean begun;
	char tag;	  /* the record that is being read; 0: none */
	guint64 left;	  /* bytes of an R or Z record */
	guint64 tar_size; /* of the E record */
};

CamSkeletonReader *
cam_skeleton_reader_new(GInputStream *stream)
{
	CamSkeletonReader *self = g_new0(CamSkeletonReader, 1);

	self->stream = g_object_ref(stream);
	self->buffer = g_malloc(BUFFER_SIZE);
	return self;
}

void
cam_skeleton_reader_free(CamSkeletonReader *self)
{
	g_object_unref(self->stream);
	g_free(self->buffer);
	g_free(self);
}

guint64
cam_skeleton_reader_get_tar_size(CamSkeletonReader *self)
{
	return self->tar_size;
}

static gboolean
malformed(GError **error)
{
	return cam_set_error(error, CAM_ERROR_DATA_LOSS, "the layer's skeleton is damaged");
}

static gboolean
get_bytes(CamSkeletonReader *self, void *out, gsize size, GError **error)
{
	guint8 *p = out;

	while (size > 0) {
		if (self->start == self->end) {
			gssize n = g_input_stream_read(self->stream, self->buffer, BUFFER_SIZE,
						       NULL, error);
			if (n < 0)
				return cam_error_translate(error, "the layer's skeleton");
			if (n == 0)
				return malformed(error);
			self->start = 0;
			self->end = (gsize) n;
		}
		gsize n = MIN(size, self->end - self->start);
		memcpy(p, self->buffer + self->start, n);
		self->start += n;
		p += n;
		size -= n;
	}
	return TRUE;
}

static gboolean
get_number(CamSkeletonReader *self, guint64 *number, GError **error)
{
	guint8 byte;

	*number = 0;
	for (guint shift = 0; shift < 64; shift += 7) {
		if (!get_bytes(self, &byte, 1, error))
			return FALSE;
		if (shift == 63 && byte > 1)
			return malformed(error);
		*number |= (guint64) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return TRUE;
	}
	return malformed(error);
}

/* Makes sure that the record at hand is known. */
static gboolean
get_tag(CamSkeletonReader *self, GError **error)
{
	if (!self->begun) {
		char magic[MAGIC_SIZE];

		if (!get_bytes(self, magic, sizeof magic, error))
			return FALSE;
		if (memcmp(magic, MAGIC, MAGIC_SIZE) != 0)
			return malformed(error);
		self->begun = TRUE;
	}
	if (self->tag != '\0')
		return TRUE;
	if (!get_bytes(self, &self->tag, 1, error))
		return FALSE;
	switch (self->tag) {
	case 'R':
	case 'Z':
		return get_number(self, &self->left, error);
	case 'E':
		return get_number(self, &self->tar_size, error);
	case 'O':
	case 'C':
		return TRUE;
	default:
		return malformed(error);
	}
}

gssize
cam_skeleton_reader_read(CamSkeletonReader *self, void *buffer, gsize size, GError **error)
{
	if (!get_tag(self, error))
		return -1;
	if (self->tag != 'R' && self->tag != 'Z')
		return 0;
	size = (gsize) MIN((guint64) size, self->left);
	if (self->tag == 'Z')
		memset(buffer, 0, size);
	else if (!get_bytes(self, buffer, size, error))
		return -1;
	self->left -= size;
	if (self->left == 0)
		self->tag = '\0';
	return (gssize) size;
}

gboolean
cam_skeleton_reader_skip(CamSkeletonReader *self, GError **error)
{
	guint8 buffer[4096];
	gssize n;

	do
		n = cam_skeleton_reader_read(self, buffer, sizeof buffer, error);
	while (n > 0);
	return n == 0;
}

static gboolean
get_extents(CamSkeletonReader *self, CamSkeletonObject *object, GError **error)
{
	guint64 n;

	if (!get_number(self, &n, error))
		return FALSE;
	if (n > CAM_TAR_MAX_EXTENTS)
		return malformed(error);
	if (n > 0)
		object->extents = g_array_new(FALSE, FALSE, sizeof(CamTarExtent));
	for (; n > 0; n--) {
		CamTarExtent extent;

		if (!get_number(self, &extent.offset, error) ||
		    !get_number(self, &extent.length, error))
			return FALSE;
		g_array_append_val(object->extents, extent);
	}
	return get_number(self, &object->size, error);
}

gboolean
cam_skeleton_reader_take_object(CamSkeletonReader *self, CamSkeletonObject *object, gboolean *found,
				GError **error)
{
	memset(object, 0, sizeof *object);
	if (!get_tag(self, error))
		return FALSE;
	*found = self->tag == 'O' || self->tag == 'C';
	if (self->tag == 'E')
		return TRUE;
	if (!*found)
		return malformed(error);
	object->has_content = self->tag == 'C';
	self->tag = '\0';
	if (!get_bytes(self, object->object.bytes, CAM_SHA256_SIZE, error))
		return FALSE;
	if (!object->has_content)
		return TRUE;
	if (get_bytes(self, object->content.bytes, CAM_SHA256_SIZE, error) &&
	    get_extents(self, object, error))
		return TRUE;
	cam_skeleton_object_clear(object);
	return FALSE;
}
