/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of the tar reader: what it understands, what it refuses, and that it loses no byte. */
#include "snapshotter/store/tar-reader.h"

#include "tar-sample.h"

typedef struct {
	GBytes *bytes;
	gsize position;
	GByteArray *again; /* all bytes, put together from raw ones and contents */
} Feed;

static gssize
feed_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	Feed *feed = user_data;
	gsize total, n;
	const guint8 *data = g_bytes_get_data(feed->bytes, &total);

	/* In odd pieces, as pipes give them. */
	n = MIN(MIN(size, 300), total - feed->position);
	if (n > 0)
		memcpy(buffer, data + feed->position, n);
	feed->position += n;
	return (gssize) n;
}

static gboolean
feed_raw(gpointer user_data, gconstpointer data, gsize size, GError **error)
{
	g_byte_array_append(((Feed *) user_data)->again, data, (guint) size);
	return TRUE;
}

static const CamTarSource source = { .read = feed_read, .raw = feed_raw };

static char *
describe(const CamTarEntry *entry, const char *content)
{
	return g_strdup_printf("%c %o %u:%u %" G_GUINT64_FORMAT " %s%s%s [%s]",
			       "fhlcbdp"[entry->type], entry -> mode, entry -> uid, entry -> gid,
			       entry -> size, entry -> path,
			       entry -> link_target != NULL ? " -> " : "",
			       entry->link_target != NULL ? entry->link_target : "", content);
}

/* One line an entry; NULL on error. Checks that no byte was lost. */
static char **
list(GBytes *bytes, GError **error)
{
	g_autoptr(GByteArray) again = g_byte_array_new();
	Feed feed = { .bytes = bytes, .again = again };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
	GError *local = NULL;
	const CamTarEntry *entry;

	while ((entry = cam_tar_reader_next(reader, &local)) != NULL) {
		g_autofree char *content = g_malloc0(entry->stored_size + 1);
		g_autofree char *line = NULL;
		gsize n = 0;
		gssize got;

		while ((got = cam_tar_reader_read(reader, content + n, 7, &local)) > 0)
			n += (gsize) got;
		if (got < 0)
			break;
		g_byte_array_append(again, (const guint8 *) content, (guint) n);
		line = describe(entry, content);
		g_strv_builder_add(lines, line);
	}
	if (local != NULL) {
		g_propagate_error(error, local);
		return NULL;
	}
	g_assert_cmpmem(again->data, again->len, g_bytes_get_data(bytes, NULL),
			g_bytes_get_size(bytes));
	g_assert_cmpuint(cam_tar_reader_get_position(reader), ==, again->len);
	return g_strv_builder_end(lines);
}

static void
test_everything(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) tar = tar_with_everything();
	g_auto(GStrv) lines = list(tar, &error);

	g_assert_no_error(error);
	g_autofree char *n = g_strnfill(180, 'n');
	g_autofree char *pax = g_strdup_printf("f 644 70000:70001 4 dir/%s [pax\n]", n);
	g_autofree char *gnu = g_strdup_printf("f 600 0:0 4 dir/%s [gnu\n]", n);
	const char *const expected[] = { "d 1755 0:0 0  []",
					 "d 750 0:0 0 dir []",
					 "f 644 0:0 8 dir/file [content\n]",
					 "f 4755 1000:50 10 dir/set-uid [#!/bin/sh\n]",
					 "l 777 0:0 0 link -> dir/file []",
					 "h 644 0:0 0 hard -> dir/file []",
					 "c 666 0:0 0 null []",
					 "b 660 0:0 0 disk []",
					 "p 600 0:0 0 fifo []",
					 "f 644 0:0 0 empty []",
					 "f 644 0:0 1 prefix/of/a/ustar/header/file [x]",
					 pax,
					 gnu,
					 "f 0 2130706433:0 0 big-uid []",
					 NULL };
	g_assert_cmpstrv(lines, expected);
}

static const CamTarEntry *
first(CamTarReader **reader, Feed *feed, GByteArray *tar)
{
	g_autoptr(GError) error = NULL;
	const CamTarEntry *entry;

	*feed = (Feed){ .bytes = tar_end(tar), .again = g_byte_array_new() };
	*reader = cam_tar_reader_new(&source, feed);
	entry = cam_tar_reader_next(*reader, &error);
	g_assert_no_error(error);
	g_assert_nonnull(entry);
	return entry;
}

static void
done(CamTarReader *reader, Feed *feed)
{
	cam_tar_reader_free(reader);
	g_byte_array_unref(feed->again);
	g_bytes_unref(feed->bytes);
}

static void
test_times_and_attributes(void)
{
	static const struct {
		const char *text;
		gint64 nanoseconds;
	} times[] = {
		{ "0", 0 },
		{ "1.5", 1500000000 },
		{ "1700000000.123456789", 1700000000123456789 },
		{ "1.0000000009", 1000000000 },
		{ "-2.25", -2250000000 },
	};
	CamTarReader *reader;
	Feed feed;

	for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
		GByteArray *tar = g_byte_array_new();
		tar_pax(tar, 'x', "mtime", times[i].text, NULL);
		tar_file(tar, "f", "x");
		g_assert_cmpint(first(&reader, &feed, tar)->mtime, ==, times[i].nanoseconds);
		done(reader, &feed);
	}
	GByteArray *tar = g_byte_array_new();
	tar_pax(tar, 'x', "SCHILY.xattr.user.b", "2", "SCHILY.xattr.user.a", "1",
		"LIBARCHIVE.xattr.user.c%20d", "Mw==", "LIBARCHIVE.xattr.user.a", "OTk=", NULL);
	tar_file(tar, "f", "x");
	g_autofree char *text = g_variant_print(first(&reader, &feed, tar)->xattrs, FALSE);
	g_assert_cmpstr(text, ==, "[(b'user.a', [0x31]), (b'user.b', [0x32])]");
	done(reader, &feed);
}

static void
assert_sparse(GByteArray *tar, const char *name, guint64 size, guint n, const CamTarExtent *extents)
{
	CamTarReader *reader;
	Feed feed;
	const CamTarEntry *entry = first(&reader, &feed, tar);

	g_assert_cmpstr(entry->path, ==, name);
	g_assert_cmpuint(entry->size, ==, size);
	g_assert_nonnull(entry->extents);
	g_assert_cmpuint(entry->n_extents, ==, n);
	for (guint i = 0; i < n; i++) {
		g_assert_cmpuint(entry->extents[i].offset, ==, extents[i].offset);
		g_assert_cmpuint(entry->extents[i].length, ==, extents[i].length);
	}
	done(reader, &feed);
}

static void
test_sparse(void)
{
	static const CamTarExtent map[] = { { 1000, 3 }, { 9000, 2 } };
	GByteArray *tar = g_byte_array_new();

	tar_pax(tar, 'x', "GNU.sparse.size", "10000", "GNU.sparse.numblocks", "2",
		"GNU.sparse.offset", "1000", "GNU.sparse.numbytes", "3", "GNU.sparse.offset",
		"9000", "GNU.sparse.numbytes", "2", NULL);
	tar_file(tar, "s00", "abcde");
	assert_sparse(tar, "s00", 10000, 2, map);

	tar = g_byte_array_new();
	tar_pax(tar, 'x', "GNU.sparse.size", "10000", "GNU.sparse.name", "s01",
		"GNU.sparse.numblocks", "2", "GNU.sparse.map", "1000,3,9000,2", NULL);
	tar_file(tar, "GNUSparseFile.1/s01", "abcde");
	assert_sparse(tar, "s01", 10000, 2, map);

	char content[517] = "2\n1000\n3\n9000\n2\n";
	memcpy(content + 512, "abcde", 5);
	tar = g_byte_array_new();
	tar_pax(tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name",
		"s10", "GNU.sparse.realsize", "10000", NULL);
	tar_add(tar, &(TarSample){ .name = "GNUSparseFile.1/s10",
				   .type = '0',
				   .content = content,
				   .content_size = sizeof content });
	assert_sparse(tar, "s10", 10000, 2, map);

	guint8 header[512];
	tar = g_byte_array_new();
	tar_header(header,
		   &(TarSample){ .name = "old", .type = 'S', .magic = "ustar  \0", .size = 5 });
	memcpy(header + 386,
	       "00000001750\0"
	       "00000000003\0"
	       "00000021450\0"
	       "00000000002\0",
	       48);
	memcpy(header + 483, "00000023420\0", 12);
	tar_checksum(header);
	g_byte_array_append(tar, header, sizeof header);
	g_byte_array_append(tar, (const guint8 *) "abcde", 5);
	tar_pad(tar);
	assert_sparse(tar, "old", 10000, 2, map);
}

/* Sizes beyond 8 GiB, in pax and in base-256; the content is said to be absent. */
static void
test_large(void)
{
	for (guint form = 0; form < 2; form++) {
		g_autoptr(GError) error = NULL;
		GByteArray *tar = g_byte_array_new();
		guint8 header[512];
		CamTarReader *reader;
		Feed feed;

		if (form == 0)
			tar_pax(tar, 'x', "size", "68719476737", NULL);
		tar_header(header, &(TarSample){ .name = "large",
						 .type = '0',
						 .magic = form == 1 ? "ustar  \0" : NULL });
		if (form == 1)
			memcpy(header + 124, "\x80\0\0\0\0\0\0\x10\0\0\0\1", 12);
		tar_checksum(header);
		g_byte_array_append(tar, header, sizeof header);
		/* The padding of a content that ends one byte into a block. */
		g_byte_array_set_size(tar, tar->len + 511);
		memset(tar->data + tar->len - 511, 0, 511);
		tar_file(tar, "next", "x");
		g_assert_cmpuint(first(&reader, &feed, tar)->size, ==,
				 G_GUINT64_CONSTANT(68719476737));
		cam_tar_reader_content_is_absent(reader);
		const CamTarEntry *next = cam_tar_reader_next(reader, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(next->path, ==, "next");
		done(reader, &feed);
	}
}

static void
test_names(void)
{
	static const struct {
		const char *archived, *clean;
	} names[] = {
		{ "/etc/passwd", "etc/passwd" }, { ".//a/././b", "a/b" },  { "///x", "x" },
		{ "caf\xe9", "caf\xe9" },	 { "..a/b..", "..a/b.." },
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		GByteArray *tar = g_byte_array_new();
		CamTarReader *reader;
		Feed feed;

		tar_file(tar, names[i].archived, "x");
		g_assert_cmpstr(first(&reader, &feed, tar)->path, ==, names[i].clean);
		done(reader, &feed);
	}
}

static void
assert_refused(GByteArray *tar, CamError code, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = tar_end(tar);
	g_auto(GStrv) lines = list(bytes, &error);

	g_assert_null(lines);
	g_assert_error(error, CAM_ERROR, (int) code);
	if (strstr(error->message, text) == NULL)
		g_error("\"%s\" does not speak of \"%s\"", error->message, text);
}

static void
test_refused_names(void)
{
	static const char *const names[] = { "../x", "a/../b", "..", "a/.." };
	g_autofree char *component = g_strnfill(256, 'c');
	g_autoptr(GString) deep = g_string_new(NULL);
	GByteArray *tar;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		tar = g_byte_array_new();
		tar_file(tar, names[i], "x");
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "..");
		tar = g_byte_array_new();
		tar_hardlink(tar, "h", names[i]);
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "..");
	}
	tar = g_byte_array_new();
	tar_pax(tar, 'x', "path", component, NULL);
	tar_file(tar, "x", "x");
	assert_refused(tar, CAM_ERROR_RESOURCE_EXHAUSTED, "file system");
	for (guint i = 0; i < 1100; i++)
		g_string_append(deep, "d/");
	tar = g_byte_array_new();
	tar_pax(tar, 'x', "path", deep->str, NULL);
	tar_file(tar, "x", "x");
	assert_refused(tar, CAM_ERROR_RESOURCE_EXHAUSTED, "file system");
	tar = g_byte_array_new();
	tar_symlink(tar, "l", "");
	assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "target");
}

static void
test_refused_headers(void)
{
	static const struct {
		guint offset, size;
		const char *bytes, *text;
		gboolean keep_checksum;
	} damages[] = {
		{ 0, 1, "X", "checksum", TRUE },
		{ 148, 8, "garbage!", "octal", TRUE },
		{ 100, 8, "0000x44", "octal", FALSE },
		{ 108, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", "(owner)", FALSE },
		{ 124, 12, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0", "negative", FALSE },
		{ 124, 12, "\x81\0\0\0\0\0\0\0\0\0\0\0", "64 bits", FALSE },
		{ 156, 1, "V", "type", FALSE },
		{ 156, 1, "M", "type", FALSE },
		{ 116, 8, "\x80\0\0\0\xff\xff\xff\xff", "(owner)", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
		GByteArray *tar = g_byte_array_new();
		tar_file(tar, "f", "");
		memcpy(tar->data + damages[i].offset, damages[i].bytes, damages[i].size);
		if (!damages[i].keep_checksum)
			tar_checksum(tar->data);
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, damages[i].text);
	}
	GByteArray *tar = g_byte_array_new();
	tar_add(tar, &(TarSample){ .name = "h", .type = '1', .link = "x", .content = "data" });
	/* A link's size is no content: what follows must be a header. */
	assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "checksum");
}

static void
test_refused_extensions(void)
{
	static const char *const records[] = { "5 a=b\n", "7 a=b\n", "x a=b\n",
					       "6 a=bX",  "6 =bc\n", "99999999999999999999 a=b\n",
					       "5 ab\n" };
	GByteArray *tar;

	for (guint i = 0; i < G_N_ELEMENTS(records); i++) {
		tar = g_byte_array_new();
		tar_add(tar, &(TarSample){ .name = "x", .type = 'x', .content = records[i] });
		tar_file(tar, "f", "x");
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "extended header");
	}
	static const struct {
		const char *key, *value, *text;
	} values[] = {
		{ "size", "-1", "negative" },
		{ "size", "99999999999999999999", "large" },
		{ "mtime", "1e9", "decimal" },
		{ "uid", "4294967296", "(owner)" },
		{ "GNU.sparse.map", "1,2,3", "sparse" },
		{ "GNU.sparse.map", "10,1", "numblocks" },
		{ "GNU.sparse.major", "2", "sparse" },
	};
	for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
		tar = g_byte_array_new();
		tar_pax(tar, 'x', values[i].key, values[i].value, NULL);
		tar_file(tar, "f", "x");
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, values[i].text);
	}
	tar = g_byte_array_new();
	tar_pax(tar, 'g', "path", "a", NULL);
	tar_file(tar, "f", "x");
	assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "(global-name)");
	tar = g_byte_array_new();
	tar_add(tar, &(TarSample){ .name = "x", .type = 'x', .size = CAM_TAR_MAX_PAX + 1 });
	assert_refused(tar, CAM_ERROR_RESOURCE_EXHAUSTED, "extended header");

	g_autoptr(GString) nul = g_string_new(NULL);
	pax_record(nul, "path", "a\0b", 3);
	tar = g_byte_array_new();
	tar_add(tar,
		&(TarSample){
			.name = "x", .type = 'x', .content = nul->str, .content_size = nul->len });
	tar_file(tar, "f", "x");
	assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "malformed key or name");
}

static void
test_refused_sparse_maps(void)
{
	static const struct {
		const char *map, *n, *size, *content;
	} maps[] = {
		{ "0,3", "1", "2", "abc" },	   /* out of the file */
		{ "5,2,0,3", "2", "10", "abcde" }, /* backwards */
		{ "0,3,2,2", "2", "10", "abcde" }, /* overlapping */
		{ "0,3", "1", "10", "abcde" },	   /* less than there is */
		{ "0,9", "1", "10", "abcde" },	   /* more than there is */
		{ "0,5", "2", "10", "abcde" },	   /* not as many parts as stated */
	};

	for (guint i = 0; i < G_N_ELEMENTS(maps); i++) {
		GByteArray *tar = g_byte_array_new();

		tar_pax(tar, 'x', "GNU.sparse.size", maps[i].size, "GNU.sparse.map", maps[i].map,
			"GNU.sparse.numblocks", maps[i].n, NULL);
		tar_file(tar, "f", maps[i].content);
		assert_refused(tar, CAM_ERROR_INVALID_ARGUMENT, "sparse map");
	}
}

static void
test_ends(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) tar = g_byte_array_new();

	/* An archive may end without zeros, and its last member without padding, but not in the
	 * middle of anything. */
	const guint whole = 512 + strlen("content");
	tar_file(tar, "f", "content");
	for (guint size = 0; size <= tar->len; size++) {
		g_autoptr(GBytes) part = g_bytes_new(tar->data, size);
		g_auto(GStrv) lines = list(part, &error);

		if (size == 0 || size >= whole) {
			g_assert_no_error(error);
			continue;
		}
		g_assert_null(lines);
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		g_clear_error(&error);
	}
	g_byte_array_set_size(tar, tar->len + 512);
	memset(tar->data + tar->len - 512, 0, 512);
	tar_file(tar, "hidden", "behind the end");
	g_autoptr(GBytes) bytes = g_bytes_new(tar->data, tar->len);
	g_assert_null(list(bytes, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/tar-reader/everything", test_everything);
	g_test_add_func("/store/tar-reader/times-and-attributes", test_times_and_attributes);
	g_test_add_func("/store/tar-reader/sparse", test_sparse);
	g_test_add_func("/store/tar-reader/large", test_large);
	g_test_add_func("/store/tar-reader/names", test_names);
	g_test_add_func("/store/tar-reader/refused/names", test_refused_names);
	g_test_add_func("/store/tar-reader/refused/headers", test_refused_headers);
	g_test_add_func("/store/tar-reader/refused/extensions", test_refused_extensions);
	g_test_add_func("/store/tar-reader/refused/sparse-maps", test_refused_sparse_maps);
	g_test_add_func("/store/tar-reader/ends", test_ends);
	return g_test_run();
}
