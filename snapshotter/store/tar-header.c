/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of one tar header block, as Go's archive/tar reads them, and the cleaning of names.
 * Knows no extension headers: those are tar-pax.c's.
 */
#include "snapshotter/store/tar-header.h"

#include <string.h>

G_STATIC_ASSERT(sizeof(CamTarHeader) == CAM_TAR_BLOCK_SIZE);

gboolean
cam_tar_header_is_zero(const CamTarHeader *header)
{
	const guint8 *bytes = (const guint8 *) header;

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, CAM_TAR_BLOCK_SIZE - 1) == 0;
}

static gboolean
base256_number(const guint8 *field, gsize size, const char *what, gint64 *value, GError **error)
{
	gboolean negative = (field[0] & 0x40) != 0;
	guint8 fill = negative ? 0xff : 0;
	guint64 number = negative ? G_MAXUINT64 : 0;

	for (gsize i = 0; i < size; i++) {
		/* The marker bit takes the place of one more sign bit. */
		guint8 byte =
			i == 0 ? (guint8) ((field[0] & 0x7f) | (negative ? 0x80 : 0)) : field[i];
		/* All bytes before the last eight only repeat the sign. */
		if (i + 8 < size && byte != fill)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s does not fit into 64 bits", what);
		number = number << 8 | byte;
	}
	if (((gint64) number < 0) != negative)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s does not fit into 64 bits", what);
	*value = (gint64) number;
	return TRUE;
}

/* Blanks and NULs around the digits do not count, nor does anything behind a NUL. */
static gboolean
octal_number(const char *field, gsize size, const char *what, gint64 *value, GError **error)
{
	const char *end = field + size, *nul;
	guint64 number = 0;

	while (field < end && (*field == ' ' || *field == '\0'))
		field++;
	while (end > field && (end[-1] == ' ' || end[-1] == '\0'))
		end--;
	nul = memchr(field, '\0', (gsize) (end - field));
	if (nul != NULL)
		end = nul;
	for (; field < end; field++) {
		if (*field < '0' || *field > '7')
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s is not an octal number", what);
		number = number << 3 | (guint64) (*field - '0'); /* 12 digits: no overflow */
	}
	*value = (gint64) number;
	return TRUE;
}

gboolean
cam_tar_number(const char *field, gsize size, const char *what, gint64 *value, GError **error)
{
	return ((guint8) field[0] & 0x80) != 0
		       ? base256_number((const guint8 *) field, size, what, value, error)
		       : octal_number(field, size, what, value, error);
}

static gboolean
check_checksum(const CamTarHeader *header, GError **error)
{
	gsize from = G_STRUCT_OFFSET(CamTarHeader, checksum);
	gint64 sum_unsigned = 0, sum_signed = 0, stated = 0;

	for (gsize i = 0; i < CAM_TAR_BLOCK_SIZE; i++) {
		gboolean blank = i >= from && i < from + sizeof header->checksum;

		sum_unsigned += blank ? ' ' : ((const guint8 *) header)[i];
		sum_signed += blank ? ' ' : ((const gint8 *) header)[i];
	}
	if (!octal_number(header->checksum, sizeof header->checksum, "checksum", &stated, error))
		return FALSE;
	/* Some historic writers summed signed characters. */
	return stated == sum_unsigned || stated == sum_signed ||
	       cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "wrong header checksum");
}

static CamTarFormat
format_of(const CamTarHeader *header)
{
	/* The version behind the magic of ustar does not count: old and odd writers leave it. */
	if (memcmp(header->magic, "ustar\0", 6) == 0)
		return memcmp(header->padding + 8, "tar\0", 4) == 0 ? CAM_TAR_FORMAT_STAR
								    : CAM_TAR_FORMAT_USTAR;
	return memcmp(header->magic, "ustar  \0", 8) == 0 ? CAM_TAR_FORMAT_GNU : CAM_TAR_FORMAT_V7;
}

gboolean
cam_tar_header_parse(const CamTarHeader *header, CamTarFields *fields, GError **error)
{
	gint64 unused;

	memset(fields, 0, sizeof *fields);
	if (!check_checksum(header, error))
		return FALSE;
	fields->format = format_of(header);
	if (!cam_tar_number(header->size, sizeof header->size, "size", &fields->size, error) ||
	    !cam_tar_number(header->mode, sizeof header->mode, "mode", &fields->mode, error) ||
	    !cam_tar_number(header->uid, sizeof header->uid, "uid", &fields->uid, error) ||
	    !cam_tar_number(header->gid, sizeof header->gid, "gid", &fields->gid, error) ||
	    !cam_tar_number(header->mtime, sizeof header->mtime, "mtime", &fields->mtime, error))
		return FALSE;
	if (fields->format == CAM_TAR_FORMAT_V7)
		return TRUE;
	return cam_tar_number(header->dev_major, sizeof header->dev_major, "device number",
			      &fields->dev_major, error) &&
	       cam_tar_number(header->dev_minor, sizeof header->dev_minor, "device number",
			      &fields->dev_minor, error) &&
	       (fields->format != CAM_TAR_FORMAT_STAR ||
		(cam_tar_number(header->tail.star.atime, sizeof header->tail.star.atime, "atime",
				&unused, error) &&
		 cam_tar_number(header->tail.star.ctime, sizeof header->tail.star.ctime, "ctime",
				&unused, error)));
}

static gboolean
is_number_or_empty(const char *field, gsize size)
{
	gint64 unused;

	return field[0] == '\0' || cam_tar_number(field, size, "time", &unused, NULL);
}

/* Versions of Go before 1.8 wrote GNU headers with the prefix of ustar; all later ones read such a
 * header if the times in its place are no numbers and the text is ASCII. */
static gboolean
has_gnu_prefix(const CamTarHeader *header)
{
	if (is_number_or_empty(header->tail.gnu.atime, sizeof header->tail.gnu.atime) &&
	    is_number_or_empty(header->tail.gnu.ctime, sizeof header->tail.gnu.ctime))
		return FALSE;
	for (gsize i = 0; i < sizeof header->tail.prefix && header->tail.prefix[i] != '\0'; i++)
		if ((guint8) header->tail.prefix[i] >= 0x80)
			return FALSE;
	return header->tail.prefix[0] != '\0';
}

char *
cam_tar_header_name(const CamTarHeader *header, CamTarFormat format, gboolean *mangled)
{
	g_autofree char *name = g_strndup(header->name, sizeof header->name);
	g_autofree char *prefix = NULL;
	gsize size = 0;

	*mangled = format == CAM_TAR_FORMAT_GNU && has_gnu_prefix(header);
	if (format == CAM_TAR_FORMAT_USTAR || *mangled)
		size = sizeof header->tail.prefix;
	else if (format == CAM_TAR_FORMAT_STAR)
		size = sizeof header->tail.star.prefix;
	if (size == 0 || header->tail.prefix[0] == '\0')
		return g_steal_pointer(&name);
	prefix = g_strndup(header->tail.prefix, size);
	return g_strconcat(prefix, "/", name, NULL);
}

static void
drop_component(GString *path)
{
	const char *slash = strrchr(path->str, '/');

	g_string_truncate(path, slash != NULL ? (gsize) (slash - path->str) : 0);
}

static gboolean
check_length(const GString *path, guint depth, GError **error)
{
	if (path->len > CAM_TAR_MAX_PATH)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "a name of %zu bytes, more than %d", path->len,
				     CAM_TAR_MAX_PATH);
	return depth <= CAM_TAR_MAX_DEPTH ||
	       cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			     "a name that no file system can hold: %.200s…", path->str);
}

char *
cam_tar_clean_path(const char *path, gboolean *goes_up, GError **error)
{
	g_autoptr(GString) clean = g_string_new(NULL);
	guint depth = 0;
	gsize size = 0;

	*goes_up = FALSE;
	for (const char *p = path; *p != '\0'; p += size + (p[size] == '/')) {
		size = strcspn(p, "/");
		if (size == 0 || (size == 1 && p[0] == '.'))
			continue;
		if (size == 2 && p[0] == '.' && p[1] == '.') {
			*goes_up = TRUE;
			depth -= depth > 0;
			drop_component(clean);
			continue;
		}
		if (size > CAM_TAR_MAX_NAME) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "a name that no file system can hold: %.200s…", path);
			return NULL;
		}
		depth++;
		if (clean->len > 0)
			g_string_append_c(clean, '/');
		g_string_append_len(clean, p, (gssize) size);
	}
	return check_length(clean, depth, error) ? g_string_free(g_steal_pointer(&clean), FALSE)
						 : NULL;
}
