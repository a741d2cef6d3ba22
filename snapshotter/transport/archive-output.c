/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Archives of images on their way to disk. What stands in them is decided by the transports.
 */
#include "snapshotter/transport/archive-output.h"

#include <fcntl.h>
#include <gio/gunixoutputstream.h>

#include "snapshotter/base/archive.h"
#include "snapshotter/transport/new-file.h"

struct _CamArchiveOutput {
	CamNewFile *file;
	GOutputStream *stream;
	CamArchiveWriter *writer;
	GHashTable *names;
	char *broken; /* (nullable): why no member can be added any more */
};

CamArchiveOutput *
cam_archive_output_new(const char *path, GError **error)
{
	g_autoptr(CamArchiveOutput) self = g_new0(CamArchiveOutput, 1);
	g_autoptr(GOutputStream) raw = NULL;

	self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->file = cam_new_file_open(AT_FDCWD, path, 0644, error);
	if (self->file == NULL)
		return NULL;
	raw = g_unix_output_stream_new(cam_new_file_get_fd(self->file), FALSE);
	self->stream = g_buffered_output_stream_new_sized(raw, 256 * 1024);
	self->writer = cam_archive_writer_new(self->stream, error);
	return self->writer != NULL ? g_steal_pointer(&self) : NULL;
}

gboolean
cam_archive_output_has(CamArchiveOutput *self, const char *name)
{
	return g_hash_table_contains(self->names, name);
}

/* Half a member cannot be taken back. */
static gboolean
mark_broken(CamArchiveOutput *self, const char *name, GError **error)
{
	cam_error_translate(error, NULL);
	self->broken = g_strdup_printf("%s: %s", name,
				       error != NULL && *error != NULL ? (*error)->message
								       : "it could not be written");
	return FALSE;
}

static gboolean
check_usable(CamArchiveOutput *self, GError **error)
{
	return self->broken == NULL ||
	       cam_set_error(error, CAM_ERROR_ABORTED,
			     "the archive could not be completed, run again: %s", self->broken);
}

gboolean
cam_archive_output_add_stream(CamArchiveOutput *self, const char *name, GInputStream *content,
			      guint64 size, GCancellable *cancellable, GError **error)
{
	char after;

	if (!check_usable(self, error))
		return FALSE;
	if (!cam_archive_writer_add_stream(self->writer, name, content, size, 0644, 0, cancellable,
					   error))
		return mark_broken(self, name, error);
	/* The writer takes @size bytes and stops: the end must be seen for the digest to hold. */
	switch (g_input_stream_read(content, &after, 1, cancellable, error)) {
	case 0:
		g_hash_table_add(self->names, g_strdup(name));
		return TRUE;
	case 1:
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is longer than its descriptor says",
			      name);
		break;
	default:
		break;
	}
	return mark_broken(self, name, error);
}

gboolean
cam_archive_output_add_bytes(CamArchiveOutput *self, const char *name, GBytes *bytes,
			     GError **error)
{
	if (!check_usable(self, error))
		return FALSE;
	if (!cam_archive_writer_add_bytes(self->writer, name, bytes, 0644, 0, error))
		return FALSE;
	g_hash_table_add(self->names, g_strdup(name));
	return TRUE;
}

gboolean
cam_archive_output_commit(CamArchiveOutput *self, GError **error)
{
	if (!check_usable(self, error) || !cam_archive_writer_finish(self->writer, error))
		return FALSE;
	if (!g_output_stream_flush(self->stream, NULL, error))
		return cam_error_translate(error, "cannot write the archive");
	return cam_new_file_put(self->file, TRUE, error);
}

void
cam_archive_output_free(CamArchiveOutput *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->writer, cam_archive_writer_free);
	g_clear_object(&self->stream);
	cam_new_file_free(self->file);
	g_hash_table_unref(self->names);
	g_free(self->broken);
	g_free(self);
}
