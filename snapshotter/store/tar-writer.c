/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of tar headers: ustar, and pax records where ustar does not suffice. What is written,
 * and in which order, is decided by others; tar-reader.c reads it.
 *
 * libarchive's writer is not used: the bytes of a header name a layer for ever, so they must not
 * change with a library's version, nor with the locale, which decides there how names are encoded.
 */
#include "snapshotter/store/tar-writer.h"

#include <string.h>

/* ustar's fields. Text need not end in NUL where it fills its field. */
typedef struct {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char padding[12];
} UstarHeader;
G_STATIC_ASSERT(sizeof(UstarHeader) == CAM_TAR_BLOCK_SIZE);

#define NSEC_PER_SEC G_GUINT64_CONSTANT(1000000000)

/* What fits into an octal field of @width bytes, the last of them NUL. */
#define OCTAL_MAX(width) ((G_GUINT64_CONSTANT(1) << (3 * ((width) -1))) - 1)

static void
put_octal(char *field, gsize width, guint64 value)
{
	for (gsize i = width - 1; i > 0; i--) {
		field[i - 1] = (char) ('0' + (value & 7));
		value >>= 3;
	}
	field[width - 1] = '\0';
}

static void
put_checksum(UstarHeader *header)
{
	const guint8 *bytes = (const guint8 *) header;
	guint sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (gsize i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	put_octal(header->checksum, 7, sum);
}

/* One record: "LENGTH KEY=VALUE\n"; the length counts its own digits. */
static void
append_record(GByteArray *records, const char *key, gconstpointer value, gsize size)
{
	gsize rest = strlen(key) + size + 3, length = rest + 1;
	char digits[24];

	while (rest + (gsize) g_snprintf(digits, sizeof(digits), "%" G_GSIZE_FORMAT, length) !=
	       length)
		length = rest + strlen(digits);
	g_byte_array_append(records, (const guint8 *) digits, (guint) strlen(digits));
	g_byte_array_append(records, (const guint8 *) " ", 1);
	g_byte_array_append(records, (const guint8 *) key, (guint) strlen(key));
	g_byte_array_append(records, (const guint8 *) "=", 1);
	g_byte_array_append(records, value, (guint) size);
	g_byte_array_append(records, (const guint8 *) "\n", 1);
}

/* Fills an octal field, or leaves zero there and says the number in a record. */
static void
put_number(GByteArray *records, const char *key, char *field, gsize width, guint64 value)
{
	char decimal[24];

	if (value <= OCTAL_MAX(width)) {
		put_octal(field, width, value);
		return;
	}
	put_octal(field, width, 0);
	g_snprintf(decimal, sizeof(decimal), "%" G_GUINT64_FORMAT, value);
	append_record(records, key, decimal, strlen(decimal));
}

/* Whole seconds that fit go into the field alone; all else is said exactly in a record, and the
 * field holds what those who do not read it can have. */
static void
put_time(GByteArray *records, char *field, gsize width, gint64 nanoseconds)
{
	guint64 magnitude = nanoseconds < 0 ? -(guint64) nanoseconds : (guint64) nanoseconds;
	guint64 seconds = magnitude / NSEC_PER_SEC, rest = magnitude % NSEC_PER_SEC;
	gboolean fits = nanoseconds >= 0 && seconds <= OCTAL_MAX(width);
	char text[40];
	gsize length;

	put_octal(field, width, fits ? seconds : 0);
	if (fits && rest == 0)
		return;
	g_snprintf(text, sizeof(text), "%s%" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT,
		   nanoseconds < 0 ? "-" : "", seconds, rest);
	length = strlen(text);
	while (text[length - 1] == '0')
		length--;
	append_record(records, "mtime", text, text[length - 1] == '.' ? length - 1 : length);
}

/* Splits a name at a "/" so that both halves fit their fields. */
static gboolean
put_split_name(UstarHeader *header, const char *name, gsize length)
{
	gsize cut;

	if (length <= sizeof(header->name)) {
		memcpy(header->name, name, length);
		return TRUE;
	}
	cut = MIN(length - 2, sizeof(header->prefix));
	while (cut > 0 && name[cut] != '/')
		cut--;
	if (cut == 0 || length - cut - 1 > sizeof(header->name))
		return FALSE;
	memcpy(header->prefix, name, cut);
	memcpy(header->name, name + cut + 1, length - cut - 1);
	return TRUE;
}

/* What readers that know no pax see of a name that does not fit. */
static void
put_substitute(char *field, gsize width, const char *name)
{
	for (gsize i = 0; i < width && name[i] != '\0'; i++)
		field[i] = g_ascii_isprint(name[i]) ? name[i] : '_';
}

/*
 * Names that are UTF-8 but not ASCII go into records, which are UTF-8 by definition; names in
 * other encodings go raw into the ustar fields, which readers do not interpret, or where they
 * are too long into records marked as binary.
 */
static gboolean
name_needs_record(const char *name)
{
	return !g_str_is_ascii(name) && g_utf8_validate(name, -1, NULL);
}

static void
put_names(UstarHeader *header, GByteArray *records, const char *path, const char *link)
{
	gboolean path_record =
		name_needs_record(path) || !put_split_name(header, path, strlen(path));
	gboolean link_record =
		link != NULL && (name_needs_record(link) || strlen(link) > sizeof(header->link));

	if ((path_record && !g_utf8_validate(path, -1, NULL)) ||
	    (link_record && !g_utf8_validate(link, -1, NULL)))
		append_record(records, "hdrcharset", "BINARY", strlen("BINARY"));
	if (link_record)
		append_record(records, "linkpath", link, strlen(link));
	if (path_record)
		append_record(records, "path", path, strlen(path));
	if (path_record)
		put_substitute(header->name, sizeof(header->name), path);
	if (link_record)
		put_substitute(header->link, sizeof(header->link), link);
	else if (link != NULL)
		memcpy(header->link, link, strlen(link));
}

static gboolean
append_xattrs(GByteArray *records, GVariant *xattrs, const char *path, GError **error)
{
	gsize n = xattrs != NULL ? g_variant_n_children(xattrs) : 0;

	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) name = NULL, value = NULL;
		g_autofree char *key = NULL;
		gconstpointer data;
		gsize size;

		g_variant_get_child(xattrs, i, "(@ay@ay)", &name, &value);
		key = g_strconcat("SCHILY.xattr.", g_variant_get_bytestring(name), NULL);
		if (strchr(key, '=') != NULL || !g_utf8_validate(key, -1, NULL))
			return cam_set_error(
				error, CAM_ERROR_INVALID_ARGUMENT,
				"a tar cannot hold the extended attribute \"%s\" of %s",
				key + strlen("SCHILY.xattr."), path);
		data = g_variant_get_fixed_array(value, &size, 1);
		append_record(records, key, data, size);
	}
	return TRUE;
}

static char
type_flag(const CamTarMember *member)
{
	if (member->hardlink != NULL)
		return '1';
	switch (member->stat->type) {
	case CAM_NODE_REGULAR:
		return '0';
	case CAM_NODE_SYMLINK:
		return '2';
	case CAM_NODE_CHARACTER:
		return '3';
	case CAM_NODE_BLOCK:
		return '4';
	case CAM_NODE_DIRECTORY:
		return '5';
	case CAM_NODE_FIFO:
		return '6';
	}
	g_return_val_if_reached('0');
}

static void
header_init(UstarHeader *header, char type, guint32 mode)
{
	memset(header, 0, sizeof(*header));
	header->type = type;
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	put_octal(header->mode, sizeof(header->mode), mode & 07777);
	put_octal(header->uid, sizeof(header->uid), 0);
	put_octal(header->gid, sizeof(header->gid), 0);
	put_octal(header->size, sizeof(header->size), 0);
	put_octal(header->mtime, sizeof(header->mtime), 0);
	put_octal(header->major, sizeof(header->major), 0);
	put_octal(header->minor, sizeof(header->minor), 0);
}

static void
append_records(GByteArray *out, const GByteArray *records, const char *path)
{
	static const guint8 zeros[CAM_TAR_BLOCK_SIZE];
	const char *slash = strrchr(path, '/');
	g_autofree char *name = g_strconcat("PaxHeaders/", slash ? slash + 1 : path, NULL);
	UstarHeader header;

	header_init(&header, 'x', 0644);
	put_substitute(header.name, sizeof(header.name), name);
	put_octal(header.size, sizeof(header.size), records->len);
	put_checksum(&header);
	g_byte_array_append(out, (const guint8 *) &header, sizeof(header));
	g_byte_array_append(out, records->data, records->len);
	g_byte_array_append(out, zeros, (guint) cam_tar_padding(records->len));
}

gboolean
cam_tar_append_header(GByteArray *out, const CamTarMember *member, GError **error)
{
	const CamStat *stat = member->stat;
	g_autoptr(GByteArray) records = g_byte_array_new();
	gboolean directory = stat->type == CAM_NODE_DIRECTORY && member->hardlink == NULL;
	g_autofree char *path = g_strconcat(member->path, directory ? "/" : "", NULL);
	const char *link = member->hardlink;
	UstarHeader header;

	header_init(&header, type_flag(member), stat->mode);
	if (link == NULL && stat->type == CAM_NODE_SYMLINK)
		link = stat->link_target;
	put_names(&header, records, path, link);
	put_number(records, "uid", header.uid, sizeof(header.uid), stat->uid);
	put_number(records, "gid", header.gid, sizeof(header.gid), stat->gid);
	if (header.type == '0')
		put_number(records, "size", header.size, sizeof(header.size), stat->size);
	put_time(records, header.mtime, sizeof(header.mtime), member->mtime);
	if (header.type == '3' || header.type == '4') {
		if (MAX(stat->rdev_major, stat->rdev_minor) > OCTAL_MAX(sizeof(header.major)))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a tar cannot hold the device number %u:%u of %s",
					     stat->rdev_major, stat->rdev_minor, member->path);
		put_octal(header.major, sizeof(header.major), stat->rdev_major);
		put_octal(header.minor, sizeof(header.minor), stat->rdev_minor);
	}
	if (member->hardlink == NULL && !append_xattrs(records, member->xattrs, path, error))
		return FALSE;
	put_checksum(&header);
	if (records->len > 0)
		append_records(out, records, member->path);
	g_byte_array_append(out, (const guint8 *) &header, sizeof(header));
	return TRUE;
}
