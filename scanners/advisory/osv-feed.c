/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OSV feeds made of files: a directory, an archive, JSON lines. One record at a time is in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "scanners/advisory/feed.h"

#define CHUNK_SIZE (256 * 1024)
#define MAX_DEPTH  32

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static gboolean
read_file(CamFeedRun *run, const char *path, const char *key, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes =
		cam_read_file_at(AT_FDCWD, path, CAM_FEED_MAX_RECORD_SIZE, &local_error);

	if (bytes == NULL)
		return cam_feed_run_skip(run, key, local_error->message, error);
	return cam_feed_run_take(run, key, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
				 error);
}

/* @below: the directory's path from the feed's root, "" or with a "/" at its end. Links are not
 * followed: they could lead anywhere and in circles. */
static gboolean
read_directory(CamFeedRun *run, const char *path, const char *below, guint depth, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, error);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	if (dir == NULL)
		return cam_error_translate(error, NULL);
	if (depth > MAX_DEPTH)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s lies too deep for a feed", path);
	while ((name = g_dir_read_name(dir)) != NULL)
		if (name[0] != '.')
			g_ptr_array_add(names, g_strdup(name));
	g_clear_pointer(&dir, g_dir_close);
	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *full = g_build_filename(path, names->pdata[i], NULL);
		g_autofree char *key = g_strconcat(below, names->pdata[i], NULL);
		g_autofree char *deeper = g_strconcat(key, "/", NULL);
		gboolean ok = TRUE;

		if (g_file_test(full, G_FILE_TEST_IS_SYMLINK))
			continue;
		if (g_file_test(full, G_FILE_TEST_IS_DIR))
			ok = read_directory(run, full, deeper, depth + 1, error);
		else if (cam_feed_run_is_record_name(full))
			ok = read_file(run, full, key, error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

gboolean
cam_osv_feed_read_directory(CamFeedRun *run, const char *path, GError **error)
{
	return read_directory(run, path, "", 0, error);
}

static gboolean
read_entry(CamFeedRun *run, CamArchive *archive, const char *key, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes = cam_archive_entry_bytes(archive, CAM_FEED_MAX_RECORD_SIZE,
							  run->cancellable, &local_error);

	if (bytes != NULL)
		return cam_feed_run_take(run, key, g_bytes_get_data(bytes, NULL),
					 g_bytes_get_size(bytes), error);
	if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED))
		return cam_feed_run_skip(run, key, local_error->message, error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
read_archive(CamFeedRun *run, CamArchive *archive, const char *path, guint64 *n_entries,
	     GError **error)
{
	g_autoptr(GError) local_error = NULL;
	const CamArchiveEntry *entry;

	*n_entries = 0;
	while ((entry = cam_archive_next(archive, run->cancellable, &local_error)) != NULL) {
		g_autofree char *key = g_strdup(entry->path);

		++*n_entries;
		if (entry->type != CAM_ARCHIVE_FILE || !cam_feed_run_is_record_name(key))
			continue;
		if (!read_entry(run, archive, key, error))
			return cam_error_translate(error, "%s", path);
	}
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return cam_error_translate(error, "%s", path);
	}
	return TRUE;
}

gboolean
cam_osv_feed_read_tar(CamFeedRun *run, const char *path, GError **error)
{
	g_autoptr(GInputStream) stream = cam_feed_open(path, error);
	g_autoptr(CamArchive) archive =
		stream != NULL ? cam_archive_open_stream(stream, error) : NULL;
	guint64 n_entries;

	run->has_end = TRUE;
	if (archive == NULL)
		return cam_error_translate(error, "%s", path);
	return read_archive(run, archive, path, &n_entries, error) &&
	       cam_feed_check_tar_end(path, run->cancellable, error);
}

gboolean
cam_osv_feed_read_zip(CamFeedRun *run, const char *path, GError **error)
{
	g_autoptr(CamArchive) archive = cam_archive_open_file(path, error);
	guint64 n_entries;

	run->has_end = TRUE;
	return archive != NULL && read_archive(run, archive, path, &n_entries, error) &&
	       cam_feed_check_zip_end(path, n_entries, error);
}

/* ---- JSON lines ---- */

/* Cuts a stream into lines without ever holding more than one and a chunk. */
typedef struct {
	CamFeedRun *run;
	GByteArray *line;  /* what has come of the current one */
	gboolean skipping; /* the current one is longer than allowed */
	guint64 number;
} LineCutter;

static gboolean
end_line(LineCutter *self, GError **error)
{
	g_autofree char *shown = g_strdup_printf("line %" G_GUINT64_FORMAT, ++self->number);
	gboolean ok = TRUE;
	gsize size = self->line->len;

	while (size > 0 && g_ascii_isspace(self->line->data[size - 1]))
		size--;
	if (self->skipping) {
		cam_progress_message(self->run->progress, "%s is longer than any record", shown);
		ok = cam_feed_run_skip(self->run, NULL, "it is too long", error);
	} else if (size > 0) {
		ok = cam_feed_run_take(self->run, NULL, (const char *) self->line->data, size,
				       error);
	}
	self->skipping = FALSE;
	g_byte_array_set_size(self->line, 0);
	return ok;
}

static gboolean
feed_chunk(LineCutter *self, const char *chunk, gsize size, GError **error)
{
	const char *end = chunk + size;

	while (chunk < end) {
		const char *newline = memchr(chunk, '\n', end - chunk);
		gsize part = (newline != NULL ? newline : end) - chunk;

		if (self->line->len + part > CAM_FEED_MAX_RECORD_SIZE)
			self->skipping = TRUE;
		if (!self->skipping)
			g_byte_array_append(self->line, (const guint8 *) chunk, part);
		if (newline == NULL)
			return TRUE;
		if (!end_line(self, error))
			return FALSE;
		chunk = newline + 1;
	}
	return TRUE;
}

/* A last line without an end that is a whole record may be all there is; anything else is a line
 * that was cut. */
static gboolean
end_last_line(LineCutter *self, const char *path, GError **error)
{
	guint64 malformed = cam_advisory_update_get_result(self->run->update)->malformed;

	if (self->line->len == 0 && !self->skipping)
		return TRUE;
	if (!end_line(self, error))
		return FALSE;
	return cam_advisory_update_get_result(self->run->update)->malformed == malformed ||
	       cam_set_error(error, CAM_ERROR_DATA_LOSS,
			     "%s is cut, or no JSON lines: the last line ends in the middle", path);
}

gboolean
cam_osv_feed_read_lines(CamFeedRun *run, const char *path, GError **error)
{
	g_autoptr(GInputStream) stream = cam_feed_open(path, error);
	g_autoptr(GByteArray) line = g_byte_array_new();
	g_autofree char *chunk = g_malloc(CHUNK_SIZE);
	LineCutter cutter = { .run = run, .line = line };
	gssize n;

	if (stream == NULL)
		return cam_error_translate(error, "%s", path);
	run->has_end = cam_feed_is_compressed(path);
	while ((n = g_input_stream_read(stream, chunk, CHUNK_SIZE, run->cancellable, error)) > 0)
		if (!feed_chunk(&cutter, chunk, n, error))
			return FALSE;
	if (n < 0)
		return cam_error_translate(error, "%s", path);
	return end_last_line(&cutter, path, error);
}
