/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where packages keep their changelog: binary ones in their documentation, source ones as
 * debian/changelog of a tarball or as part of a diff. What it says is changelog.c's.
 */
#include "scanners/advisory/changelog-file.h"

#include <string.h>

#define MAX_CHANGELOG_SIZE (64 * 1024 * 1024)
#define CHUNK_SIZE	   (64 * 1024)

/* All of @in, with a NUL behind it. */
static char *
read_all(GInputStream *in, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GByteArray) text = g_byte_array_new();
	g_autofree char *chunk = g_malloc(CHUNK_SIZE);
	gssize n;

	while ((n = g_input_stream_read(in, chunk, CHUNK_SIZE, cancellable, error)) > 0) {
		if (text->len + n > MAX_CHANGELOG_SIZE) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "the changelog is larger than any");
			return NULL;
		}
		g_byte_array_append(text, (const guint8 *) chunk, n);
	}
	if (n < 0) {
		cam_error_translate(error, NULL);
		return NULL;
	}
	*size = text->len;
	g_byte_array_append(text, (const guint8 *) "", 1);
	return (char *) g_byte_array_free(g_steal_pointer(&text), FALSE);
}

/* ---- binary packages ---- */

static char *
read_gzip(CamArchive *archive, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) entry = cam_archive_entry_stream(archive);
	g_autoptr(GInputStream) plain = cam_archive_decompress_stream_new(entry, error);

	return plain != NULL ? read_all(plain, size, cancellable, error) : NULL;
}

/* "./usr/share/doc/NAME/changelog.Debian.gz"; a native package has no other than changelog.gz. */
static gboolean
is_changelog_path(const char *path)
{
	g_auto(GStrv) parts = NULL;

	if (g_str_has_prefix(path, "./"))
		path += 2;
	if (!g_str_has_prefix(path, "usr/share/doc/"))
		return FALSE;
	parts = g_strsplit(path, "/", -1);
	return g_strv_length(parts) == 5 && (g_str_equal(parts[4], "changelog.Debian.gz") ||
					     g_str_equal(parts[4], "changelog.gz"));
}

/* (nullable) (transfer full): where "./usr/share/doc/NAME" as a link leads. */
static char *
follow_documentation(const CamArchiveEntry *entry)
{
	static const char doc[] = "usr/share/doc/";
	const char *path = entry->path;

	if (g_str_has_prefix(path, "./"))
		path += 2;
	if (entry->type != CAM_ARCHIVE_SYMLINK || entry->link_target == NULL ||
	    !g_str_has_prefix(path, doc) || strchr(path + strlen(doc), '/') != NULL)
		return NULL;
	return g_path_get_basename(entry->link_target);
}

static char *
find_changelog(CamArchive *data, gsize *size, char **elsewhere, GCancellable *cancellable,
	       GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *native = NULL;
	const CamArchiveEntry *entry;
	gsize native_size = 0;

	while ((entry = cam_archive_next(data, cancellable, &local_error)) != NULL) {
		gboolean certain = g_str_has_suffix(entry->path, ".Debian.gz");
		char *text;

		if (*elsewhere == NULL)
			*elsewhere = follow_documentation(entry);
		if (entry->type != CAM_ARCHIVE_FILE || !is_changelog_path(entry->path))
			continue;
		if (certain)
			return read_gzip(data, size, cancellable, error);
		text = read_gzip(data, &native_size, cancellable, error);
		if (text == NULL)
			return NULL;
		g_free(native);
		native = text;
	}
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	*size = native_size;
	return g_steal_pointer(&native);
}

static char *
read_deb(const char *path, gsize *size, char **elsewhere, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamArchive) deb = cam_archive_open_file(path, error);
	g_autoptr(GError) local_error = NULL;
	const CamArchiveEntry *entry;

	if (deb == NULL)
		return NULL;
	while ((entry = cam_archive_next(deb, cancellable, &local_error)) != NULL) {
		g_autoptr(GInputStream) member = NULL;
		g_autoptr(CamArchive) data = NULL;

		if (!g_str_has_prefix(entry->path, "data.tar"))
			continue;
		member = cam_archive_entry_stream(deb);
		data = cam_archive_open_stream(member, error);
		return data != NULL ? find_changelog(data, size, elsewhere, cancellable, error)
				    : NULL;
	}
	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	else
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "%s is no Debian package", path);
	return NULL;
}

/* ---- source packages ---- */

/* "debian/changelog" of debian.tar.xz, "NAME-VERSION/debian/changelog" of a native package. */
static gboolean
is_source_changelog(const char *path)
{
	const char *slash;

	if (g_str_has_prefix(path, "./"))
		path += 2;
	slash = strchr(path, '/');
	return g_str_equal(path, "debian/changelog") ||
	       (slash != NULL && g_str_equal(slash, "/debian/changelog"));
}

static char *
read_tar(const char *path, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamArchive) tar = cam_archive_open_file(path, error);
	g_autoptr(GError) local_error = NULL;
	const CamArchiveEntry *entry;

	if (tar == NULL)
		return NULL;
	while ((entry = cam_archive_next(tar, cancellable, &local_error)) != NULL) {
		g_autoptr(GInputStream) stream = NULL;

		if (entry->type != CAM_ARCHIVE_FILE || !is_source_changelog(entry->path))
			continue;
		stream = cam_archive_entry_stream(tar);
		return read_all(stream, size, cancellable, error);
	}
	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return NULL;
}

/* Whether "+++ NAME-VERSION/debian/changelog" begins at @line. */
static gboolean
is_changelog_of_diff(const char *line, gsize size)
{
	static const char tail[] = "/debian/changelog";
	const char *name = line + strlen("+++ ");
	const char *tab, *slash;

	if (size < strlen("+++ ") || !g_str_has_prefix(line, "+++ "))
		return FALSE;
	tab = memchr(name, '\t', line + size - name);
	size = (tab != NULL ? tab : line + size) - name;
	slash = memchr(name, '/', size);
	return slash != NULL && (gsize) (name + size - slash) == strlen(tail) &&
	       memcmp(slash, tail, strlen(tail)) == 0;
}

char *
cam_changelog_from_diff(const char *diff, gsize size, gsize *changelog_size)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *end = diff + size;
	gboolean inside = FALSE;

	for (const char *line = diff, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', end - line);

		next = newline != NULL ? newline + 1 : end;
		if (is_changelog_of_diff(line, (newline != NULL ? newline : end) - line))
			inside = TRUE;
		else if (inside &&
			 (g_str_has_prefix(line, "--- ") || g_str_has_prefix(line, "diff ")))
			break;
		else if (inside && line[0] == '+')
			g_string_append_len(text, line + 1, next - line - 1);
	}
	if (text->len == 0)
		return NULL;
	*changelog_size = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
read_diff(const char *path, gsize *size, GCancellable *cancellable, GError **error)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GFileInputStream) base = g_file_read(file, cancellable, error);
	g_autoptr(GInputStream) plain = NULL;
	g_autofree char *diff = NULL;
	gsize diff_size;

	if (base == NULL) {
		cam_error_translate(error, NULL);
		return NULL;
	}
	plain = cam_archive_decompress_stream_new(G_INPUT_STREAM(base), error);
	diff = plain != NULL ? read_all(plain, &diff_size, cancellable, error) : NULL;
	return diff != NULL ? cam_changelog_from_diff(diff, diff_size, size) : NULL;
}

char *
cam_changelog_read_file(const char *path, const char *name, gsize *size, char **elsewhere,
			GCancellable *cancellable, GError **error)
{
	*elsewhere = NULL;
	if (g_str_has_suffix(name, ".deb"))
		return read_deb(path, size, elsewhere, cancellable, error);
	if (g_str_has_suffix(name, ".diff.gz"))
		return read_diff(path, size, cancellable, error);
	return read_tar(path, size, cancellable, error);
}
