/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small tars, built header by header, good and bad. */
#include <gio/gio.h>
#include <string.h>

typedef struct {
	const char *name, *link, *magic; /* magic: 8 bytes; NULL: ustar */
	char type;
	guint mode, uid, gid;
	gint64 mtime;
	guint64 size; /* where there is no content */
	guint major, minor;
	const char *content;
	gsize content_size; /* 0: strlen */
	const char *prefix; /* 155 bytes of the header's tail, where not NULL */
} TarSample;

static G_GNUC_UNUSED void
tar_checksum(guint8 *header)
{
	guint sum = 0;

	memset(header + 148, ' ', 8);
	for (guint i = 0; i < 512; i++)
		sum += header[i];
	g_snprintf((char *) header + 148, 8, "%06o", sum);
	header[155] = ' ';
}

static G_GNUC_UNUSED void
tar_header(guint8 header[512], const TarSample *sample)
{
	guint64 size = sample->content == NULL	   ? sample->size
		       : sample->content_size != 0 ? sample->content_size
						   : strlen(sample->content);

	memset(header, 0, 512);
	memcpy(header, sample->name, MIN(strlen(sample->name), 100));
	g_snprintf((char *) header + 100, 8, "%07o", sample->mode);
	g_snprintf((char *) header + 108, 8, "%07o", sample->uid);
	g_snprintf((char *) header + 116, 8, "%07o", sample->gid);
	g_snprintf((char *) header + 124, 12, "%011" G_GINT64_MODIFIER "o", size);
	g_snprintf((char *) header + 136, 12, "%011" G_GINT64_MODIFIER "o",
		   (guint64) sample->mtime);
	header[156] = (guint8) sample->type;
	if (sample->link != NULL)
		memcpy(header + 157, sample->link, MIN(strlen(sample->link), 100));
	memcpy(header + 257,
	       sample->magic != NULL ? sample->magic
				     : "ustar\0"
				       "00",
	       8);
	g_snprintf((char *) header + 329, 8, "%07o", sample->major);
	g_snprintf((char *) header + 337, 8, "%07o", sample->minor);
	if (sample->prefix != NULL)
		memcpy(header + 345, sample->prefix, strlen(sample->prefix));
	tar_checksum(header);
}

static G_GNUC_UNUSED void
tar_pad(GByteArray *tar)
{
	static const guint8 zeros[512];

	g_byte_array_append(tar, zeros, -tar->len & 511);
}

static G_GNUC_UNUSED void
tar_add(GByteArray *tar, const TarSample *sample)
{
	guint8 header[512];

	tar_header(header, sample);
	g_byte_array_append(tar, header, sizeof header);
	if (sample->content == NULL)
		return;
	g_byte_array_append(tar, (const guint8 *) sample->content,
			    (guint) (sample->content_size != 0 ? sample->content_size
							       : strlen(sample->content)));
	tar_pad(tar);
}

static G_GNUC_UNUSED void
tar_file(GByteArray *tar, const char *name, const char *content)
{
	tar_add(tar, &(TarSample){ .name = name, .type = '0', .mode = 0644, .content = content });
}

static G_GNUC_UNUSED void
tar_directory(GByteArray *tar, const char *name, guint mode)
{
	tar_add(tar, &(TarSample){ .name = name, .type = '5', .mode = mode });
}

static G_GNUC_UNUSED void
tar_symlink(GByteArray *tar, const char *name, const char *target)
{
	tar_add(tar, &(TarSample){ .name = name, .type = '2', .mode = 0777, .link = target });
}

static G_GNUC_UNUSED void
tar_hardlink(GByteArray *tar, const char *name, const char *target)
{
	tar_add(tar, &(TarSample){ .name = name, .type = '1', .mode = 0644, .link = target });
}

static G_GNUC_UNUSED void
pax_record(GString *records, const char *key, const char *value, gsize size)
{
	gsize rest = strlen(key) + size + 3, length = rest + 1;

	while (TRUE) {
		g_autofree char *digits = g_strdup_printf("%zu", length);

		if (rest + strlen(digits) == length)
			break;
		length = rest + strlen(digits);
	}
	g_string_append_printf(records, "%zu %s=", length, key);
	g_string_append_len(records, value, (gssize) size);
	g_string_append_c(records, '\n');
}

/* An extended header of NULL-terminated keys and values. */
static G_GNUC_UNUSED void
tar_pax(GByteArray *tar, char type, const char *key, ...)
{
	g_autoptr(GString) records = g_string_new(NULL);
	va_list args;

	va_start(args, key);
	for (; key != NULL; key = va_arg(args, const char *)) {
		const char *value = va_arg(args, const char *);

		pax_record(records, key, value, strlen(value));
	}
	va_end(args);
	tar_add(tar, &(TarSample){ .name = type == 'g' ? "pax_global_header" : "pax",
				   .type = type,
				   .mode = 0644,
				   .content = records->str,
				   .content_size = records->len });
}

static G_GNUC_UNUSED GBytes *
tar_end(GByteArray *tar)
{
	static const guint8 zeros[1024];

	g_byte_array_append(tar, zeros, sizeof zeros);
	return g_byte_array_free_to_bytes(tar);
}

/* All that the reader understands, in one tar that libarchive reads the same way. */
static G_GNUC_UNUSED GBytes *
tar_with_everything(void)
{
	GByteArray *tar = g_byte_array_new();
	g_autofree char *long_name = g_strnfill(180, 'n');
	g_autofree char *deep = g_strconcat("dir/", long_name, NULL);
	char binary_size[512];

	tar_directory(tar, "./", 01755);
	tar_directory(tar, "dir/", 0750);
	tar_file(tar, "dir/file", "content\n");
	tar_add(tar, &(TarSample){ .name = "dir/set-uid",
				   .type = '0',
				   .mode = 04755,
				   .uid = 1000,
				   .gid = 50,
				   .mtime = 1700000000,
				   .content = "#!/bin/sh\n" });
	tar_symlink(tar, "link", "dir/file");
	tar_hardlink(tar, "hard", "dir/file");
	tar_add(tar,
		&(TarSample){ .name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3 });
	tar_add(tar,
		&(TarSample){ .name = "disk", .type = '4', .mode = 0660, .major = 8, .minor = 1 });
	tar_add(tar, &(TarSample){ .name = "fifo", .type = '6', .mode = 0600 });
	tar_file(tar, "empty", "");
	tar_add(tar, &(TarSample){ .name = "file",
				   .prefix = "prefix/of/a/ustar/header",
				   .type = '0',
				   .mode = 0644,
				   .content = "x" });
	tar_pax(tar, 'g', "comment", "nothing to see here", NULL);
	tar_pax(tar, 'x', "path", deep, "mtime", "1700000000.25", "uid", "70000", "gid", "70001",
		"SCHILY.xattr.user.colour", "green\nish", NULL);
	tar_file(tar, "short", "pax\n");
	tar_add(tar, &(TarSample){ .name = "././@LongLink",
				   .type = 'L',
				   .magic = "ustar  \0",
				   .content = deep,
				   .content_size = strlen(deep) + 1 });
	tar_add(tar, &(TarSample){ .name = "cut",
				   .type = '0',
				   .magic = "ustar  \0",
				   .mode = 0600,
				   .content = "gnu\n" });
	/* Base-256: a uid that octal digits cannot hold. */
	tar_header((guint8 *) binary_size,
		   &(TarSample){ .name = "big-uid", .type = '0', .magic = "ustar  \0" });
	memcpy(binary_size + 108, "\x80\0\0\0\x7f\0\0\1", 8);
	tar_checksum((guint8 *) binary_size);
	g_byte_array_append(tar, (const guint8 *) binary_size, sizeof binary_size);
	return tar_end(tar);
}
