/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a feed may be believed: that it came to its end, that it is a feed at all, and that it
 * did not lose what it had. A feed that is cut or exchanged must not turn into "no vulnerability".
 */
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>

#include "scanners/advisory/feed.h"

#define CHUNK_SIZE (64 * 1024)

/* tar(5): the end of an archive is two blocks of zeros. */
#define TAR_END_SIZE 1024

/* The end of central directory record of PKWARE's APPNOTE.TXT, 4.3.16. */
#define ZIP_END_SIZE	 22
#define ZIP_COMMENT_SIZE 0xffff
#define ZIP64		 0xffff /* entries: the number stands elsewhere */

/* ---- the end ---- */

/* What the first bytes of a file say. */
static gboolean
begins_with(const char *path, const char *magic, gsize size)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);

	return file != NULL && g_mapped_file_get_length(file) >= size &&
	       memcmp(g_mapped_file_get_contents(file), magic, size) == 0;
}

GInputStream *
cam_feed_open_file(const char *path, GError **error)
{
	GError *problem = NULL;
	int fd = cam_open_regular_at(AT_FDCWD, path, &problem);

	if (fd >= 0)
		return g_unix_input_stream_new(fd, TRUE);
	/* The other code says that the feed is sound and that the user may accept it. */
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION))
		problem->code = CAM_ERROR_INVALID_ARGUMENT;
	g_propagate_error(error, problem);
	return NULL;
}

GInputStream *
cam_feed_open(const char *path, GError **error)
{
	/* The others verify no checksum of gzip. */
	static const struct {
		const char *magic;
		gsize size;
		CamCompression compression;
	} strict[] = {
		{ "\x1f\x8b", 2, CAM_COMPRESSION_GZIP },
		{ "\x28\xb5\x2f\xfd", 4, CAM_COMPRESSION_ZSTD },
	};
	g_autoptr(GInputStream) base = cam_feed_open_file(path, error);

	if (base == NULL)
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(strict); i++)
		if (begins_with(path, strict[i].magic, strict[i].size))
			return cam_decompress_stream_new(base, strict[i].compression);
	return cam_archive_decompress_stream_new(base, error);
}

/* A reader of tar takes the end of the file for the end of the archive, and does not look at what
 * follows the end of the archive. */
gboolean
cam_feed_check_tar_end(const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream = cam_feed_open(path, error);
	g_autofree char *chunk = g_malloc(CHUNK_SIZE);
	guint64 zeros = 0;
	gssize n;

	if (stream == NULL)
		return cam_error_translate(error, "%s", path);
	while ((n = g_input_stream_read(stream, chunk, CHUNK_SIZE, cancellable, error)) > 0) {
		gssize last = n;

		while (last > 0 && chunk[last - 1] == '\0')
			last--;
		zeros = last == 0 ? zeros + (guint64) n : (guint64) (n - last);
	}
	if (n < 0)
		return cam_error_translate(error, "%s", path);
	return zeros >= TAR_END_SIZE ||
	       cam_set_error(error, CAM_ERROR_DATA_LOSS,
			     "%s is cut: it does not end as a tar archive does", path);
}

static guint
read_le16(const guint8 *at)
{
	return at[0] | (guint) at[1] << 8;
}

/* (nullable): the record, if the file ends with it and its comment. */
static const guint8 *
find_zip_end(const guint8 *tail, gsize size)
{
	for (gsize comment = 0; comment + ZIP_END_SIZE <= size; comment++) {
		const guint8 *at = tail + size - ZIP_END_SIZE - comment;

		if (memcmp(at, "PK\5\6", 4) == 0 && read_le16(at + 20) == comment)
			return at;
	}
	return NULL;
}

/* Without its directory a zip is read from front to back, and what was cut off is not missed. */
gboolean
cam_feed_check_zip_end(const char *path, guint64 n_entries, GError **error)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);
	const guint8 *end, *data;
	gsize size, tail;

	if (file == NULL)
		return cam_error_translate(error, NULL);
	data = (const guint8 *) g_mapped_file_get_contents(file);
	size = g_mapped_file_get_length(file);
	tail = MIN(size, ZIP_END_SIZE + ZIP_COMMENT_SIZE);
	end = tail > 0 ? find_zip_end(data + size - tail, tail) : NULL;
	if (end == NULL)
		return cam_set_error(error, CAM_ERROR_DATA_LOSS,
				     "%s is cut: it does not end as a zip archive does", path);
	return read_le16(end + 10) == ZIP64 || read_le16(end + 10) == n_entries ||
	       cam_set_error(error, CAM_ERROR_DATA_LOSS,
			     "%s is damaged: its directory has %u entries, and %" G_GUINT64_FORMAT
			     " were found",
			     path, read_le16(end + 10), n_entries);
}

gboolean
cam_feed_is_compressed(const char *path)
{
	static const struct {
		const char *magic;
		gsize size;
	} forms[] = {
		{ "\x1f\x8b", 2 }, /* gzip */
		{ "\xfd"
		  "7zXZ",
		  6 },			   /* xz */
		{ "\x28\xb5\x2f\xfd", 4 }, /* zstd */
		{ "BZh", 3 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
		if (begins_with(path, forms[i].magic, forms[i].size))
			return TRUE;
	return FALSE;
}

/* ---- what it holds ---- */

/* What a file without records is, as far as its beginning tells. */
static const char *
describe(const char *path)
{
	g_autofree char *start = g_malloc0(CHUNK_SIZE + 1);
	g_autoptr(GInputStream) stream = path != NULL ? cam_feed_open(path, NULL) : NULL;
	const char *text = start;

	if (stream != NULL)
		g_input_stream_read_all(stream, start, CHUNK_SIZE, NULL, NULL, NULL);
	if (g_str_has_prefix(text, "\xef\xbb\xbf"))
		text += 3;
	text += strspn(text, " \t\r\n");
	if (*text == '<')
		return "it is an HTML or XML page";
	if (*text == '{' && strstr(text, "\"catalogVersion\"") != NULL)
		return "it is a list of exploited vulnerabilities (KEV)";
	if (*text == '[')
		return "it is a JSON array: put each record on a line of its own";
	return "it is not in the form of OSV";
}

static gboolean
check_form(CamFeedRun *run, const char *path, const CamAdvisorySource *old, GError **error)
{
	const CamFeedResult *result = cam_advisory_update_get_result(run->update);
	guint64 malformed = result->malformed;
	guint64 records = result->added + result->changed + result->unchanged;
	/* One that is empty now and was not before has lost its records. */
	gboolean may_be_empty = old != NULL && malformed == 0;

	if (run->is_partial && !cam_advisory_update_count_records(run->update, &records, error))
		return FALSE;
	if (records == 0 && !may_be_empty)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "it holds no OSV record (%s): nothing is changed",
				     describe(path));
	if (malformed > records)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "it has %" G_GUINT64_FORMAT
				     " malformed records and %" G_GUINT64_FORMAT
				     " others (%s): nothing is changed",
				     malformed, records, describe(path));
	return TRUE;
}

gboolean
cam_feed_check_records(CamFeedRun *run, const char *path, const CamAdvisorySource *old,
		       CamFeedFlags flags, GError **error)
{
	guint64 lost = cam_advisory_update_count_lost(run->update);

	if (!check_form(run, path, old, error))
		return FALSE;
	if (old == NULL || (flags & CAM_FEED_ACCEPT_SHRINK) != 0 ||
	    lost * 100 <= old->records * CAM_FEED_MAX_SHRINK)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "it has lost %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			     " records, which is more than %d %%: nothing is changed",
			     lost, old->records, CAM_FEED_MAX_SHRINK);
}
