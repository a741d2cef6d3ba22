/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Documents and downloads by URL. How a request travels is http-exchange.c; how a download
 * survives broken connections and killed processes is resuming-stream.c and part-stream.c.
 */
#include "snapshotter/transport/http.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/oci/verify-stream.h"
#include "snapshotter/transport/http-exchange.h"
#include "snapshotter/transport/part-stream.h"
#include "snapshotter/transport/stream-bytes.h"

#define COPY_SIZE (256 * 1024)

typedef struct {
	CamHttpClient *client;
	char *url;
	char *validator;   /* (nullable): ETag or Last-Modified of the first answer */
	gboolean document; /* small: it has to come within minutes */
} Source;

static void
source_free(Source *self)
{
	g_object_unref(self->client);
	g_free(self->url);
	g_free(self->validator);
	g_free(self);
}

static Source *
source_new(CamHttpClient *client, const char *url)
{
	Source *self = g_new0(Source, 1);

	self->client = g_object_ref(client);
	self->url = g_strdup(url);
	return self;
}

static GInputStream *
open_file_url(const char *url, goffset offset, GCancellable *cancellable, GError **error)
{
	g_autoptr(GFile) file = g_file_new_for_uri(url);
	g_autoptr(GFileInputStream) stream = g_file_read(file, cancellable, error);

	if (stream == NULL ||
	    !g_seekable_seek(G_SEEKABLE(stream), offset, G_SEEK_SET, cancellable, error)) {
		cam_error_translate(error, "cannot read %s", url);
		return NULL;
	}
	return G_INPUT_STREAM(g_steal_pointer(&stream));
}

/* What was read of a file that has changed since must not be glued to the new one. */
static gboolean
check_unchanged(Source *self, const CamHttpResponse *response, GError **error)
{
	const char *validator = cam_http_response_get_header(response, "etag");

	if (validator == NULL)
		validator = cam_http_response_get_header(response, "last-modified");
	if (self->validator != NULL && validator != NULL &&
	    !g_str_equal(self->validator, validator))
		return cam_set_error(error, CAM_ERROR_ABORTED,
				     "%s was changed while it was read: try again", self->url);
	if (self->validator == NULL)
		self->validator = g_strdup(validator);
	return TRUE;
}

static GInputStream *
source_open(goffset offset, gpointer user_data, GCancellable *cancellable, GError **error)
{
	Source *self = user_data;
	CamHttpRequest request = { .url = self->url, .range_start = offset };
	g_autoptr(CamHttpResponse) response = NULL;

	if (g_str_has_prefix(self->url, "file://") && !cam_http_client_is_public(self->client))
		return open_file_url(self->url, offset, cancellable, error);
	response = cam_http_client_send(self->client, &request, cancellable, error);
	if (response == NULL || (response->status < 300 && !check_unchanged(self, response, error)))
		return NULL;
	if (self->document)
		cam_paced_stream_limit(response->body);
	return cam_http_response_steal_body_at(response, offset, cancellable, error);
}

GBytes *
cam_http_client_get_bytes(CamHttpClient *self, const char *url, gsize max_size,
			  GCancellable *cancellable, GError **error)
{
	Source *source = source_new(self, url);
	g_autoptr(GInputStream) stream =
		cam_resuming_stream_new(0, -1, source_open, source, (GDestroyNotify) source_free);

	source->document = TRUE;
	return cam_stream_read_bytes(stream, max_size, url, cancellable, error);
}

/* ---- downloads ---- */

/* Reads @stream to its end. */
static gboolean
drain(GInputStream *stream, CamProgress *progress, guint phase, GCancellable *cancellable,
      GError **error)
{
	g_autofree char *buffer = g_malloc(COPY_SIZE);
	gssize n;

	while ((n = g_input_stream_read(stream, buffer, COPY_SIZE, cancellable, error)) > 0)
		cam_progress_advance(progress, phase, (guint64) n);
	return n == 0 || cam_error_translate(error, NULL);
}

/* Whether the file at @path is what @digest says. */
static gboolean
is_there(int dirfd, const char *path, const char *digest, gint64 size, GCancellable *cancellable)
{
	g_auto(CamFd) fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	g_autoptr(GInputStream) file = NULL;
	g_autoptr(GInputStream) verified = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (size >= 0 && st.st_size != size))
		return FALSE;
	file = g_unix_input_stream_new(fd, FALSE);
	verified = cam_verify_stream_new(file, digest, size, NULL);
	return verified != NULL && drain(verified, NULL, 0, cancellable, NULL);
}

static gboolean
fill_part(CamHttpClient *self, const char *url, int dirfd, const char *part, const char *digest,
	  gint64 size, CamProgress *progress, guint phase, GCancellable *cancellable,
	  GError **error)
{
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GInputStream) verified = NULL;

	if (digest == NULL)
		unlinkat(dirfd, part, 0);
	stream = cam_part_stream_new(dirfd, part, size, TRUE, source_open, source_new(self, url),
				     (GDestroyNotify) source_free, error);
	if (stream == NULL)
		return FALSE;
	if (digest != NULL) {
		verified = cam_verify_stream_new(stream, digest, size, error);
		if (verified == NULL)
			return FALSE;
	}
	if (!drain(verified != NULL ? verified : stream, progress, phase, cancellable, error))
		return FALSE;
	return cam_part_stream_sync(stream, error);
}

/* A part that hashes wrong may have been begun by a run that was cut in the middle of a page, or
 * from another server: once more from the beginning, then it is the peer that is wrong. */
static gboolean
download(CamHttpClient *self, const char *url, int dirfd, const char *path, const char *digest,
	 gint64 size, CamProgress *progress, guint phase, GCancellable *cancellable, GError **error)
{
	g_autofree char *part = g_strconcat(path, ".part", NULL);
	gboolean had_part = faccessat(dirfd, part, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	for (;;) {
		g_autoptr(GError) local = NULL;

		if (fill_part(self, url, dirfd, part, digest, size, progress, phase, cancellable,
			      &local)) {
			if (renameat(dirfd, part, dirfd, path) == 0)
				return TRUE;
			return cam_set_error_errno(error, errno, "cannot rename %s", part);
		}
		if (local->code == (int) CAM_ERROR_DATA_LOSS ||
		    local->code == (int) CAM_ERROR_NOT_FOUND)
			unlinkat(dirfd, part, 0);
		if (local->code != (int) CAM_ERROR_DATA_LOSS || !had_part) {
			g_propagate_error(error, g_steal_pointer(&local));
			return cam_error_translate(error, "%s", url);
		}
		had_part = FALSE;
	}
}

gboolean
cam_http_client_download(CamHttpClient *self, const char *url, int dirfd, const char *path,
			 const char *digest, gint64 size, CamProgress *progress,
			 GCancellable *cancellable, GError **error)
{
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *text = NULL;
	gboolean done;
	guint phase;

	if (digest != NULL && !cam_digest_check(digest, error))
		return FALSE;
	if (digest != NULL && is_there(dirfd, path, digest, size, cancellable))
		return TRUE;
	text = g_strdup_printf("downloading %s", base);
	phase = cam_progress_begin(progress, text, size > 0 ? (guint64) size : 0,
				   CAM_PROGRESS_BYTES);
	done = download(self, url, dirfd, path, digest, size, progress, phase, cancellable, error);
	cam_progress_end(progress, phase);
	return done;
}
