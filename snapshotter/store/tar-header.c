/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of one tar header block and the cleaning of names. Knows no extension headers: those
 * are tar-pax.c's.
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

gboolean
cam_tar_header_check(const CamTarHeader *header, CamTarFormat *format, GError **error)
{
	gsize from = G_STRUCT_OFFSET(CamTarHeader, checksum);
	gint64 sum_unsigned = 0, sum_signed = 0, stated = 0;

	for (gsize i = 0; i < CAM_TAR_BLOCK_SIZE; i++) {
		gboolean blank = i >= from && i < from + sizeof header->checksum;

		sum_unsigned += blank ? ' ' : ((const guint8 *) header)[i];
		sum_signed += blank ? ' ' : ((const gint8 *) header)[i];
	}
	if (!cam_tar_number(header->checksum, sizeof header->checksum, "checksum", &stated, error))
		return FALSE;
	/* Some historic writers summed signed characters. */
	if (stated != sum_unsigned && stated != sum_signed)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "wrong header checksum");
	if (memcmp(header->magic,
		   "ustar\0"
		   "00",
		   8) == 0)
		*format = CAM_TAR_FORMAT_USTAR;
	else if (memcmp(header->magic, "ustar  \0", 8) == 0)
		*format = CAM_TAR_FORMAT_GNU;
	else if (memcmp(header->magic, "\0\0\0\0\0\0\0\0", 8) == 0)
		*format = CAM_TAR_FORMAT_V7;
	else
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "unknown header format");
	return TRUE;
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

gboolean
cam_tar_number(const char *field, gsize size, const char *what, gint64 *value, GError **error)
{
	gint64 number = 0;
	gsize i = 0;

	if (((guint8) field[0] & 0x80) != 0)
		return base256_number((const guint8 *) field, size, what, value, error);
	while (i < size && (field[i] == ' ' || field[i] == '\0'))
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		number = number << 3 | (field[i] - '0'); /* 12 digits at most: no overflow */
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s is not an octal number", what);
	*value = number;
	return TRUE;
}

gboolean
cam_tar_unsigned(const char *field, gsize size, const char *what, guint64 max, guint64 *value,
		 GError **error)
{
	gint64 number;

	if (!cam_tar_number(field, size, what, &number, error))
		return FALSE;
	if (number < 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is negative", what);
	if ((guint64) number > max)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large", what);
	*value = (guint64) number;
	return TRUE;
}

char *
cam_tar_header_name(const CamTarHeader *header, CamTarFormat format)
{
	g_autofree char *name = g_strndup(header->name, sizeof header->name);
	g_autofree char *prefix = NULL;

	if (format != CAM_TAR_FORMAT_USTAR || header->tail.prefix[0] == '\0')
		return g_steal_pointer(&name);
	prefix = g_strndup(header->tail.prefix, sizeof header->tail.prefix);
	return g_strconcat(prefix, "/", name, NULL);
}

char *
cam_tar_clean_path(const char *path, gboolean *was_directory, GError **error)
{
	g_autoptr(GString) clean = g_string_new(NULL);
	guint depth = 0;
	gsize size = 0;

	if (strlen(path) > CAM_TAR_MAX_PATH) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "a name of %zu bytes, more than %d", strlen(path), CAM_TAR_MAX_PATH);
		return NULL;
	}
	*was_directory = FALSE;
	for (const char *p = path; *p != '\0'; p += size + (p[size] == '/')) {
		size = strcspn(p, "/");
		*was_directory = p[size] == '/' || size == 0 || (size == 1 && p[0] == '.');
		if (size == 0 || (size == 1 && p[0] == '.'))
			continue;
		if (size == 2 && p[0] == '.' && p[1] == '.') {
			cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				      "a name with \"..\": %.200s", path);
			return NULL;
		}
		if (size > CAM_TAR_MAX_NAME || ++depth > CAM_TAR_MAX_DEPTH) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "a name that no file system can hold: %.200s…", path);
			return NULL;
		}
		if (clean->len > 0)
			g_string_append_c(clean, '/');
		g_string_append_len(clean, p, (gssize) size);
	}
	return g_string_free(g_steal_pointer(&clean), FALSE);
}
