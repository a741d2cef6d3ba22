/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing plain tars through libarchive. What is written depends on the arguments alone: owners
 * are 0 without names, there are no times but those given.
 */
#include "snapshotter/base/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "snapshotter/base/archive-private.h"

#define WRITE_BUFFER_SIZE (64 * 1024)

struct _CamArchiveWriter {
	struct archive *writer;
	GOutputStream *out;
	GCancellable *cancellable; /* of the call that is running; transfer none */
	GError *out_error;	   /* why @out failed, if it did */
	gboolean finished, abandoned;
};

static la_ssize_t
out_write(struct archive *writer, void *user_data, const void *buffer, size_t size)
{
	CamArchiveWriter *self = user_data;

	if (self->abandoned)
		return size;
	if (!g_output_stream_write_all(self->out, buffer, size, NULL, self->cancellable,
				       self->out_error != NULL ? NULL : &self->out_error)) {
		archive_set_error(writer, EIO, "cannot write the archive");
		return -1;
	}
	return size;
}

static gboolean
writer_failed(CamArchiveWriter *self, const char *path, GError **error)
{
	const char *text = archive_error_string(self->writer);

	if (self->out_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&self->out_error));
		return cam_error_translate(error, "cannot write %s to the archive", path);
	}
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "cannot write %s to the archive: %s", path,
			     text != NULL ? text : "unknown error");
}

CamArchiveWriter *
cam_archive_writer_new(GOutputStream *out, GError **error)
{
	g_autoptr(CamArchiveWriter) self = g_new0(CamArchiveWriter, 1);
	locale_t previous = cam_archive_locale_enter();
	int result;

	self->out = g_object_ref(out);
	self->writer = archive_write_new();
	archive_write_set_format_pax_restricted(self->writer);
	archive_write_set_bytes_per_block(self->writer, WRITE_BUFFER_SIZE);
	archive_write_set_bytes_in_last_block(self->writer, 1);
	result = archive_write_open(self->writer, self, NULL, out_write, NULL);
	cam_archive_locale_leave(previous);
	if (result != ARCHIVE_OK) {
		writer_failed(self, "anything", error);
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gboolean
write_header(CamArchiveWriter *self, const char *path, unsigned int type, const char *link_target,
	     guint64 size, guint32 mode, gint64 mtime, GError **error)
{
	struct archive_entry *entry = archive_entry_new();
	locale_t previous = cam_archive_locale_enter();
	int result;

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, mode);
	archive_entry_set_size(entry, size);
	archive_entry_set_mtime(entry, mtime, 0);
	if (link_target != NULL)
		archive_entry_set_symlink(entry, link_target);
	result = archive_write_header(self->writer, entry);
	archive_entry_free(entry);
	cam_archive_locale_leave(previous);
	/* A warning is a name that is no UTF-8; it is written as it is (hdrcharset=BINARY). */
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return writer_failed(self, path, error);
	return TRUE;
}

static gboolean
write_data(CamArchiveWriter *self, const char *path, gconstpointer data, gsize size, GError **error)
{
	while (size > 0) {
		la_ssize_t n = archive_write_data(self->writer, data, size);

		if (n <= 0)
			return writer_failed(self, path, error);
		data = (const char *) data + n;
		size -= n;
	}
	return TRUE;
}

gboolean
cam_archive_writer_add_bytes(CamArchiveWriter *self, const char *path, GBytes *content,
			     guint32 mode, gint64 mtime, GError **error)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(content, &size);

	return write_header(self, path, AE_IFREG, NULL, size, mode, mtime, error) &&
	       write_data(self, path, data, size, error);
}

gboolean
cam_archive_writer_add_stream(CamArchiveWriter *self, const char *path, GInputStream *content,
			      guint64 size, guint32 mode, gint64 mtime, GCancellable *cancellable,
			      GError **error)
{
	g_autofree char *chunk = g_malloc(WRITE_BUFFER_SIZE);
	gboolean ok;

	self->cancellable = cancellable;
	ok = write_header(self, path, AE_IFREG, NULL, size, mode, mtime, error);
	while (ok && size > 0) {
		gssize n = g_input_stream_read(content, chunk, MIN(size, WRITE_BUFFER_SIZE),
					       cancellable, error);

		if (n < 0)
			ok = cam_error_translate(error, "cannot read %s", path);
		else if (n == 0)
			ok = cam_set_error(error, CAM_ERROR_DATA_LOSS,
					   "%s ends %" G_GUINT64_FORMAT " bytes early", path, size);
		else
			ok = write_data(self, path, chunk, n, error);
		size -= ok ? n : 0;
	}
	self->cancellable = NULL;
	return ok;
}

gboolean
cam_archive_writer_add_directory(CamArchiveWriter *self, const char *path, guint32 mode,
				 gint64 mtime, GError **error)
{
	return write_header(self, path, AE_IFDIR, NULL, 0, mode, mtime, error);
}

gboolean
cam_archive_writer_add_symlink(CamArchiveWriter *self, const char *path, const char *target,
			       gint64 mtime, GError **error)
{
	return write_header(self, path, AE_IFLNK, target, 0, 0777, mtime, error);
}

gboolean
cam_archive_writer_finish(CamArchiveWriter *self, GError **error)
{
	locale_t previous;
	int result;

	g_return_val_if_fail(!self->finished, FALSE);

	self->finished = TRUE;
	previous = cam_archive_locale_enter();
	result = archive_write_close(self->writer);
	cam_archive_locale_leave(previous);
	return result == ARCHIVE_OK || writer_failed(self, "the end", error);
}

void
cam_archive_writer_free(CamArchiveWriter *self)
{
	if (self == NULL)
		return;
	/* Freeing writes an end, which would make a half archive look whole; archive_write_fail()
	 * would prevent it but leaks. */
	self->abandoned = !self->finished;
	archive_write_free(self->writer);
	g_clear_error(&self->out_error);
	g_clear_object(&self->out);
	g_free(self);
}
