/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Feeds that are cut, exchanged or damaged: in each form, at many places. */
#include "scanners/advisory/feed.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define N_RECORDS 40

typedef struct {
	char *dir;
	CamAdvisoryDb *db;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->dir = g_dir_make_tmp("cam-feed-XXXXXX", &error);
	g_assert_no_error(error);
	f->db = cam_advisory_db_open(":memory:", &error);
	g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_object(&f->db);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
}

static char *
record(guint i)
{
	return g_strdup_printf("{\"id\":\"CVE-2023-%u\",\"modified\":\"2024-01-01T00:00:00Z\","
			       "\"affected\":[{\"package\":{\"ecosystem\":\"Debian:12\",\"name\":"
			       "\"curl\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
			       "\"introduced\":\"0\"},{\"fixed\":\"%u\"}]}]}]}",
			       1000 + i, 2 + i * i);
}

/* ---- forms of a feed ---- */

static void
make_lines(GByteArray *out)
{
	for (guint i = 0; i < N_RECORDS; i++) {
		g_autofree char *text = record(i);

		g_byte_array_append(out, (const guint8 *) text, strlen(text));
		g_byte_array_append(out, (const guint8 *) "\n", 1);
	}
}

static void
make_tar(GByteArray *out)
{
	g_autoptr(GOutputStream) stream = g_memory_output_stream_new_resizable();
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(stream, NULL);
	GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM(stream);

	for (guint i = 0; i < N_RECORDS; i++) {
		g_autofree char *text = record(i);
		g_autofree char *name = g_strdup_printf("all/%u.json", i);
		g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

		g_assert_true(cam_archive_writer_add_bytes(writer, name, bytes, 0644, 0, NULL));
	}
	g_assert_true(cam_archive_writer_finish(writer, NULL));
	g_byte_array_append(out, g_memory_output_stream_get_data(memory),
			    g_memory_output_stream_get_data_size(memory));
}

static void
append_le(GByteArray *out, guint64 value, guint size)
{
	for (guint i = 0; i < size; i++) {
		guint8 byte = i < sizeof(value) ? (guint8) (value >> 8 * i) : 0;

		g_byte_array_append(out, &byte, 1);
	}
}

static guint32
crc32_of(const char *text)
{
	guint32 crc = 0xffffffff;

	for (; *text != '\0'; text++) {
		crc ^= (guint8) *text;
		for (guint bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* APPNOTE.TXT 4.3.7 and 4.3.12: the parts that a local header and the directory share. */
static void
append_zip_header(GByteArray *out, const char *text)
{
	append_le(out, 20, 2);
	append_le(out, 0, 2 + 2 + 4); /* flags, stored, time */
	append_le(out, crc32_of(text), 4);
	append_le(out, strlen(text), 4);
	append_le(out, strlen(text), 4);
}

static void
make_zip(GByteArray *out)
{
	g_autoptr(GByteArray) directory = g_byte_array_new();
	guint start;

	for (guint i = 0; i < N_RECORDS; i++) {
		g_autofree char *text = record(i);
		g_autofree char *name = g_strdup_printf("%u.json", i);
		guint at = out->len;

		append_le(out, 0x04034b50, 4);
		append_zip_header(out, text);
		append_le(out, strlen(name), 4); /* and no extra field */
		g_byte_array_append(out, (const guint8 *) name, strlen(name));
		g_byte_array_append(out, (const guint8 *) text, strlen(text));

		append_le(directory, 0x02014b50, 4);
		append_le(directory, 20, 2);
		append_zip_header(directory, text);
		append_le(directory, strlen(name), 2);
		append_le(directory, 0, 2 + 2 + 2 + 2 + 4);
		append_le(directory, at, 4);
		g_byte_array_append(directory, (const guint8 *) name, strlen(name));
	}
	start = out->len;
	g_byte_array_append(out, directory->data, directory->len);
	append_le(out, 0x06054b50, 4);
	append_le(out, 0, 4);
	append_le(out, N_RECORDS, 2);
	append_le(out, N_RECORDS, 2);
	append_le(out, directory->len, 4);
	append_le(out, start, 4);
	append_le(out, 3, 2);
	g_byte_array_append(out, (const guint8 *) "end", 3);
}

static const struct {
	const char *suffix;
	void (*make)(GByteArray *out);
	const char *compressor; /* (nullable) */
} forms[] = {
	{ "jsonl", make_lines, NULL },	      { "jsonl.gz", make_lines, "gzip" },
	{ "jsonl.xz", make_lines, "xz" },     { "jsonl.zst", make_lines, "zstd" },
	{ "jsonl.bz2", make_lines, "bzip2" }, { "tar", make_tar, NULL },
	{ "tar.gz", make_tar, "gzip" },	      { "tar.xz", make_tar, "xz" },
	{ "tar.zst", make_tar, "zstd" },      { "zip", make_zip, NULL },
};

static void
compress(GByteArray *data, const char *compressor)
{
	g_autoptr(GSubprocess) process =
		g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
				 NULL, compressor, "-c", NULL);
	g_autoptr(GBytes) in = g_bytes_new(data->data, data->len), out = NULL;

	g_assert_nonnull(process);
	g_assert_true(g_subprocess_communicate(process, in, NULL, &out, NULL, NULL));
	g_byte_array_set_size(data, 0);
	g_byte_array_append(data, g_bytes_get_data(out, NULL), g_bytes_get_size(out));
}

static GByteArray *
make_feed(gsize form)
{
	GByteArray *data = g_byte_array_new();

	forms[form].make(data);
	if (forms[form].compressor != NULL)
		compress(data, forms[form].compressor);
	return data;
}

static char *
write_feed(Fixture *f, gsize form, const void *data, gsize size)
{
	g_autofree char *name = g_strconcat("feed.", forms[form].suffix, NULL);
	char *path = g_build_filename(f->dir, name, NULL);

	g_assert_true(g_file_set_contents(path, data, (gssize) size, NULL));
	return path;
}

/* ---- what comes of it ---- */

static guint
count_matches(CamAdvisoryDb *db)
{
	g_autoptr(GPtrArray) matches = cam_advisory_db_match(db, "Debian:12", "curl", "1", NULL);

	return matches->len;
}

static gboolean
import(CamAdvisoryDb *db, const char *path, const char *dir, CamFeedFlags flags)
{
	g_autoptr(GError) error = NULL;
	gboolean ok = cam_feed_import_osv(db, path, "feed", dir, flags, NULL, NULL, NULL, &error);

	g_assert_true(ok == (error == NULL));
	g_assert_true(ok || error->domain == CAM_ERROR);
	return ok;
}

static gboolean
is_unknown(CamAdvisoryDb *db)
{
	g_autoptr(CamAdvisorySource) source = cam_advisory_db_find_source(db, "feed", NULL);

	return source->completeness_unknown && strstr(source->note, "completeness unknown") != NULL;
}

/*
 * Whatever has become of the file: a database that had it all keeps it all, but for a tenth where
 * nothing in the form shows the end; a new one has it all, or says that it does not know, or
 * nothing.
 */
static void
assert_fails_closed(Fixture *f, gsize form, const void *data, gsize size)
{
	g_autofree char *path = write_feed(f, form, data, size);
	g_autoptr(CamAdvisoryDb) fresh = cam_advisory_db_open(":memory:", NULL);

	if (import(f->db, path, f->dir, CAM_FEED_NONE) && is_unknown(f->db))
		g_assert_cmpuint(count_matches(f->db), >=, N_RECORDS - N_RECORDS / 10);
	else
		g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS);
	if (!import(fresh, path, f->dir, CAM_FEED_NONE))
		g_assert_cmpuint(count_matches(fresh), ==, 0);
	else if (!is_unknown(fresh))
		g_assert_cmpuint(count_matches(fresh), ==, N_RECORDS);
}

static void
restore(Fixture *f, gsize form, const GByteArray *whole)
{
	g_autofree char *path = write_feed(f, form, whole->data, whole->len);

	/* Another form has other keys. */
	g_assert_true(import(f->db, path, f->dir, CAM_FEED_ACCEPT_SHRINK));
	g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS);
	g_assert_true(is_unknown(f->db) ==
		      (forms[form].make == make_lines && forms[form].compressor == NULL));
}

static void
test_cut(Fixture *f, gconstpointer data)
{
	for (gsize form = 0; form < G_N_ELEMENTS(forms); form++) {
		g_autoptr(GByteArray) whole = make_feed(form);
		gsize step = whole->len / 12 + 1;

		restore(f, form, whole);
		for (gsize size = 0; size < whole->len;) {
			assert_fails_closed(f, form, whole->data, size);
			size += whole->len - size <= 16 ? 1 : MIN(step, whole->len - size - 16);
		}
		restore(f, form, whole);
	}
}

/* Where a line ends nothing tells that more should follow. */
static void
test_cut_between_lines(Fixture *f, gconstpointer data)
{
	g_autoptr(GByteArray) whole = make_feed(0);

	restore(f, 0, whole);
	for (gsize size = 1; size < whole->len; size++)
		if (whole->data[size - 1] == '\n')
			assert_fails_closed(f, 0, whole->data, size);
	restore(f, 0, whole);
}

static void
test_garbage(Fixture *f, gconstpointer data)
{
	static const guint sizes[] = { 1, 7, 512, 1500 };
	g_autoptr(GRand) rand = g_rand_new_with_seed(3);

	for (gsize form = 0; form < G_N_ELEMENTS(forms); form++) {
		g_autoptr(GByteArray) whole = make_feed(form);

		restore(f, form, whole);
		for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
			guint before = whole->len;

			while (whole->len < before + sizes[i])
				append_le(whole, g_rand_int(rand), 1);
			assert_fails_closed(f, form, whole->data, whole->len);
			g_byte_array_set_size(whole, before);
		}
	}
}

static void
test_damaged(Fixture *f, gconstpointer data)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(5);

	/* What has no checksum cannot be held against one. */
	for (gsize form = 0; form < G_N_ELEMENTS(forms); form++) {
		g_autoptr(GByteArray) whole = make_feed(form);

		if (forms[form].compressor == NULL)
			continue;
		restore(f, form, whole);
		for (guint i = 0; i < 12; i++) {
			gsize at = g_rand_int_range(rand, 0, (gint) whole->len);

			whole->data[at] ^= 0x10;
			assert_fails_closed(f, form, whole->data, whole->len);
			whole->data[at] ^= 0x10;
		}
	}
}

static void
test_something_else(Fixture *f, gconstpointer data)
{
	static const char zeros[4096];
	static const struct {
		const char *text, *message; /* NULL: zeros */
	} others[] = {
		{ "", "no OSV record" },
		{ "\n\n", "no OSV record" },
		{ "<!DOCTYPE html>\n<html><body>\n<h1>502 Bad Gateway</h1></body></html>\n",
		  "an HTML or XML page" },
		{ "\xef\xbb\xbf  <html>\n</html>\n", "an HTML or XML page" },
		{ "{\"title\":\"Known Exploited\",\"catalogVersion\":\"2024\",\"vulnerabilities\":"
		  "[{\"cveID\":\"CVE-2023-1\"}]}\n",
		  "(KEV)" },
		{ "{\n \"catalogVersion\": \"2024\",\n \"vulnerabilities\": [\n ]\n}\n", "(KEV)" },
		{ "[\n{\"id\":\"CVE-2023-1\"},\n{\"id\":\"CVE-2023-2\"}\n]\n", "JSON array" },
		{ "{\"matches\":[]}\n{\"matches\":[]}\n", "form of OSV" },
		{ NULL, NULL },
	};

	for (gsize form = 0; form < G_N_ELEMENTS(forms); form++) {
		g_autoptr(GByteArray) whole = make_feed(form);

		restore(f, form, whole);
		for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
			const char *text = others[i].text != NULL ? others[i].text : zeros;
			gsize size = others[i].text != NULL ? strlen(text) : sizeof(zeros);
			g_autofree char *path = write_feed(f, form, text, size);
			g_autoptr(CamAdvisoryDb) fresh = cam_advisory_db_open(":memory:", NULL);
			g_autoptr(GError) error = NULL;

			g_assert_false(cam_feed_import_osv(f->db, path, "feed", f->dir,
							   CAM_FEED_NONE, NULL, NULL, NULL,
							   &error));
			if (forms[form].make == make_lines && others[i].message != NULL && i > 1)
				g_assert_nonnull(strstr(error->message, others[i].message));
			g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS);
			g_assert_false(import(fresh, path, f->dir, CAM_FEED_ACCEPT_SHRINK));
		}
	}
}

/* @first, @end: of the records */
static char *
write_some(Fixture *f, guint first, guint end, gboolean withdrawn)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < N_RECORDS; i++) {
		g_autofree char *line = record(i);

		if (i >= first && i < end)
			g_string_append_printf(text, "%s\n", line);
		else if (withdrawn)
			g_string_append_printf(text,
					       "{\"id\":\"CVE-2023-%u\",\"withdrawn\":"
					       "\"2024-01-01T00:00:00Z\"}\n",
					       1000 + i);
	}
	return write_feed(f, 0, text->str, text->len);
}

static void
test_shrink(Fixture *f, gconstpointer data)
{
	g_autoptr(GByteArray) whole = make_feed(0);

	for (int withdrawn = 0; withdrawn < 2; withdrawn++) {
		g_autofree char *path = NULL;

		restore(f, 0, whole);
		path = write_some(f, 5, N_RECORDS, withdrawn);
		g_assert_false(import(f->db, path, f->dir, CAM_FEED_NONE));
		g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS);
		g_assert_true(import(f->db, path, f->dir, CAM_FEED_ACCEPT_SHRINK));
		g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS - 5);
		restore(f, 0, whole);
		g_free(path);
		path = write_some(f, 4, N_RECORDS, withdrawn);
		g_assert_true(import(f->db, path, f->dir, CAM_FEED_NONE));
		g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS - 4);
	}
}

/* A line that cannot be read may be the record that is missing now. */
static void
test_malformed_line(Fixture *f, gconstpointer data)
{
	g_autoptr(GByteArray) whole = make_feed(0), damaged = make_feed(0);
	g_autofree char *path = NULL;
	g_autoptr(CamAdvisorySource) source = NULL;

	restore(f, 0, whole);
	memcpy(damaged->data + 2, "xx", 2); /* the name of the first member */
	memcpy(damaged->data + 300, "\001\002", 2);
	path = write_feed(f, 0, damaged->data, damaged->len);
	g_assert_true(import(f->db, path, f->dir, CAM_FEED_NONE));
	g_assert_cmpuint(count_matches(f->db), ==, N_RECORDS);
	source = cam_advisory_db_find_source(f->db, "feed", NULL);
	g_assert_nonnull(strstr(source->note, "malformed"));
}

static void
test_remove(Fixture *f, gconstpointer data)
{
	g_autoptr(GByteArray) whole = make_feed(0);
	g_autofree char *version = NULL;
	g_autoptr(GError) error = NULL;
	gboolean has;

	restore(f, 0, whole);
	version = g_strdup(cam_advisory_db_get_version(f->db));
	g_assert_false(cam_feed_remove(f->db, "other", f->dir, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_true(cam_feed_remove(f->db, "feed", f->dir, NULL));
	g_assert_cmpuint(count_matches(f->db), ==, 0);
	g_assert_cmpstr(cam_advisory_db_get_version(f->db), !=, version);
	g_assert_true(cam_advisory_db_has_ecosystem(f->db, "Debian:12", &has, NULL));
	g_assert_false(has);
	restore(f, 0, whole);
}

/* A real feed of which the first 300 lines came. */
static void
test_shared(Fixture *f, gconstpointer data)
{
	const char *shared = g_getenv("CAM_SHARED");
	g_autofree char *path = g_build_filename(shared != NULL ? shared : "/nonexistent", "data",
						 "advisories", "debian12-osv.jsonl.xz", NULL);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GFileInputStream) base = g_file_read(file, NULL, NULL);
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GDataInputStream) lines = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(CamAdvisorySource) source = NULL;
	g_autofree char *cut = NULL;

	if (base == NULL) {
		g_test_skip("the shared feeds are not here");
		return;
	}
	stream = cam_archive_decompress_stream_new(G_INPUT_STREAM(base), NULL);
	lines = g_data_input_stream_new(stream);
	for (guint i = 0; i < 300; i++) {
		g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, NULL);

		g_string_append_printf(text, "%s\n", line);
	}
	cut = write_feed(f, 0, text->str, text->len);
	g_assert_true(import(f->db, path, f->dir, CAM_FEED_NONE));
	g_assert_false(import(f->db, cut, f->dir, CAM_FEED_NONE));
	source = cam_advisory_db_find_source(f->db, "feed", NULL);
	g_assert_cmpuint(source->records, ==, 4701);
	g_assert_false(source->completeness_unknown);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
	g_test_add("/feed-check/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("cut", test_cut);
	ADD("cut-between-lines", test_cut_between_lines);
	ADD("garbage", test_garbage);
	ADD("damaged", test_damaged);
	ADD("something-else", test_something_else);
	ADD("shrink", test_shrink);
	ADD("malformed-line", test_malformed_line);
	ADD("remove", test_remove);
	ADD("shared", test_shared);
	return g_test_run();
}
