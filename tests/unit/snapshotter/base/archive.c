/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives are made here byte by byte or with CamArchiveWriter, in memory. */
#include "snapshotter/base/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>

/* What libarchive itself writes of these names, as one archive of @format and @filter. */
static GBytes *
make_archive(int format, int filter, const char *const *names, const char *content)
{
	struct archive *writer = archive_write_new();
	char *buffer = g_malloc(1024 * 1024);
	size_t used = 0;

	g_assert_cmpint(archive_write_set_format(writer, format), ==, 0);
	archive_write_add_filter(writer, filter);
	archive_write_set_bytes_in_last_block(writer, 1);
	g_assert_cmpint(archive_write_open_memory(writer, buffer, 1024 * 1024, &used), ==, 0);
	for (gsize i = 0; names[i] != NULL; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, names[i]);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0640);
		archive_entry_set_mtime(entry, 1700000000, 0);
		archive_entry_set_size(entry, strlen(content));
		g_assert_cmpint(archive_write_header(writer, entry), ==, 0);
		archive_write_data(writer, content, strlen(content));
		archive_entry_free(entry);
	}
	g_assert_cmpint(archive_write_free(writer), ==, 0);
	return g_bytes_new_take(buffer, used);
}

static CamArchive *
open_bytes(GBytes *bytes)
{
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(GError) error = NULL;
	CamArchive *archive = cam_archive_open_stream(stream, &error);

	g_assert_no_error(error);
	return archive;
}

static void
assert_holds(GBytes *bytes, const char *const *names, const char *content)
{
	g_autoptr(CamArchive) archive = open_bytes(bytes);
	g_autoptr(GError) error = NULL;
	const CamArchiveEntry *entry;
	gsize n = 0;

	while ((entry = cam_archive_next(archive, NULL, &error)) != NULL) {
		g_autoptr(GBytes) read = NULL;

		g_assert_cmpstr(entry->path, ==, names[n++]);
		g_assert_cmpint(entry->type, ==, CAM_ARCHIVE_FILE);
		g_assert_cmpint(entry->mode, ==, 0640);
		g_assert_cmpint(entry->mtime, ==, 1700000000);
		read = cam_archive_entry_bytes(archive, 1000, NULL, &error);
		g_assert_no_error(error);
		g_assert_cmpmem(g_bytes_get_data(read, NULL), g_bytes_get_size(read), content,
				strlen(content));
	}
	g_assert_no_error(error);
	g_assert_null(names[n]);
}

static void
test_formats(void)
{
	static const char *const names[] = { "one", "dir/two", NULL };
	static const struct {
		int format, filter;
		const char *const *names;
	} cases[] = {
		{ ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_NONE, names },
		{ ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, names },
		{ ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_XZ, names },
		{ ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_ZSTD, names },
		{ ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, names },
		{ ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, names },
		{ ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_NONE, names },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes =
			make_archive(cases[i].format, cases[i].filter, cases[i].names, "hello");

		assert_holds(bytes, cases[i].names, "hello");
	}
}

/* The names must arrive as they are although the test runs in the C locale. */
static void
test_names(void)
{
	static const char *const names[] = { "h\303\251llo/\344\270\255\346\226\207", "plain",
					     "bad\377\376name", NULL };
	static const char *const utf8[] = { "h\303\251llo/\344\270\255\346\226\207", "plain",
					    NULL };
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(CamArchiveWriter) writer = NULL;
	g_autoptr(GBytes) tar = NULL, gnu = NULL, zip = NULL;
	g_autoptr(GBytes) content = g_bytes_new_static("hello", 5);
	g_autoptr(GError) error = NULL;
	locale_t c_utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
	locale_t before;

	g_assert_cmpstr(setlocale(LC_CTYPE, NULL), ==, "C");
	writer = cam_archive_writer_new(out, &error);
	g_assert_no_error(error);
	for (gsize i = 0; names[i] != NULL; i++)
		g_assert_true(cam_archive_writer_add_bytes(writer, names[i], content, 0640,
							   1700000000, &error));
	g_assert_true(cam_archive_writer_finish(writer, &error));
	g_assert_true(g_output_stream_close(out, NULL, &error));
	tar = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
	assert_holds(tar, names, "hello");

	gnu = make_archive(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, names, "hello");
	assert_holds(gnu, names, "hello");

	before = uselocale(c_utf8);
	zip = make_archive(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, utf8, "hello");
	uselocale(before);
	freelocale(c_utf8);
	assert_holds(zip, utf8, "hello");
	g_assert_cmpstr(setlocale(LC_CTYPE, NULL), ==, "C");
}

/* A .deb is an ar archive with a compressed tar as its member. */
static void
test_nested(void)
{
	static const char *const inner_names[] = { "./usr/share/doc/x/changelog.Debian.gz", NULL };
	g_autoptr(GBytes) inner =
		make_archive(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_XZ, inner_names, "changes");
	g_autoptr(GByteArray) deb = g_byte_array_new();
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamArchive) outer = NULL, nested = NULL;
	g_autoptr(GInputStream) member = NULL;
	g_autoptr(GBytes) content = NULL;
	g_autoptr(GError) error = NULL;
	const CamArchiveEntry *entry;
	char header[61];

	g_byte_array_append(deb, (const guint8 *) "!<arch>\n", 8);
	g_snprintf(header, sizeof(header), "%-16s%-12d%-6d%-6d%-8s%-10d`\n", "debian-binary", 0, 0,
		   0, "100644", 4);
	g_byte_array_append(deb, (const guint8 *) header, 60);
	g_byte_array_append(deb, (const guint8 *) "2.0\n", 4);
	g_snprintf(header, sizeof(header), "%-16s%-12d%-6d%-6d%-8s%-10d`\n", "data.tar.xz", 0, 0, 0,
		   "100644", (int) g_bytes_get_size(inner));
	g_byte_array_append(deb, (const guint8 *) header, 60);
	g_byte_array_append(deb, g_bytes_get_data(inner, NULL), g_bytes_get_size(inner));
	bytes = g_byte_array_free_to_bytes(g_steal_pointer(&deb));

	outer = open_bytes(bytes);
	entry = cam_archive_next(outer, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(entry->path, ==, "debian-binary");
	entry = cam_archive_next(outer, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(entry->path, ==, "data.tar.xz");
	member = cam_archive_entry_stream(outer);
	nested = cam_archive_open_stream(member, &error);
	g_assert_no_error(error);
	entry = cam_archive_next(nested, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(entry->path, ==, inner_names[0]);
	content = cam_archive_entry_bytes(nested, 100, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), "changes", 7);
}

static void
test_damaged(void)
{
	static const char *const names[] = { "one", "two", NULL };
	static const int filters[] = { ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_GZIP,
				       ARCHIVE_FILTER_NONE };
	g_autofree char *text = g_strnfill(5000, 'x');

	for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
		g_autoptr(GBytes) whole =
			make_archive(ARCHIVE_FORMAT_TAR_USTAR, filters[i], names, text);
		gsize cut = filters[i] == ARCHIVE_FILTER_NONE ? 3000 : g_bytes_get_size(whole) / 2;
		g_autoptr(GBytes) half = g_bytes_new_from_bytes(whole, 0, cut);
		g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(half);
		g_autoptr(CamArchive) archive = NULL;
		g_autoptr(GError) error = NULL;

		archive = cam_archive_open_stream(stream, &error);
		while (error == NULL && cam_archive_next(archive, NULL, &error) != NULL) {
			g_autoptr(GBytes) content =
				cam_archive_entry_bytes(archive, 10000, NULL, &error);
		}
		g_assert_nonnull(error);
		g_assert_true(error->domain == CAM_ERROR);
	}
}

static void
test_no_archive(void)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("this is no archive at all, only text", 36);
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(CamArchive) archive = NULL;
	g_autoptr(GError) error = NULL;

	archive = cam_archive_open_stream(stream, &error);
	if (archive != NULL)
		g_assert_null(cam_archive_next(archive, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_limits(void)
{
	static const char *const names[] = { "one", "two", NULL };
	g_autoptr(GBytes) bytes =
		make_archive(ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, names, "hello");
	g_autoptr(CamArchive) archive = open_bytes(bytes);
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GError) error = NULL;
	char buffer[10];

	g_assert_nonnull(cam_archive_next(archive, NULL, &error));
	g_assert_null(cam_archive_entry_bytes(archive, 4, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);

	stream = cam_archive_entry_stream(archive);
	g_assert_nonnull(cam_archive_next(archive, NULL, &error));
	g_assert_cmpint(g_input_stream_read(stream, buffer, 10, NULL, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

static void
test_cancel(void)
{
	static const char *const names[] = { "one", NULL };
	g_autofree char *text = g_strnfill(500000, 'x');
	g_autoptr(GBytes) bytes =
		make_archive(ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, names, text);
	g_autoptr(CamArchive) archive = open_bytes(bytes);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	g_assert_nonnull(cam_archive_next(archive, cancellable, &error));
	g_cancellable_cancel(cancellable);
	g_assert_null(cam_archive_entry_bytes(archive, 1000000, cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

static void
test_decompress(void)
{
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_GZIP,
				       ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_ZSTD };

	for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
		static const char *const name[] = { "x", NULL };
		g_autoptr(GBytes) bytes =
			make_archive(ARCHIVE_FORMAT_RAW, filters[i], name, "some text");
		g_autoptr(GInputStream) base = g_memory_input_stream_new_from_bytes(bytes);
		g_autoptr(GInputStream) stream = NULL;
		g_autoptr(GError) error = NULL;
		char buffer[20];

		stream = cam_archive_decompress_stream_new(base, &error);
		g_assert_no_error(error);
		g_assert_cmpint(g_input_stream_read(stream, buffer, 20, NULL, &error), ==, 9);
		g_assert_cmpmem(buffer, 9, "some text", 9);
		g_assert_cmpint(g_input_stream_read(stream, buffer, 20, NULL, &error), ==, 0);
		g_assert_no_error(error);
	}
}

static void
test_decompress_empty(void)
{
	g_autoptr(GInputStream) base = g_memory_input_stream_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = cam_archive_decompress_stream_new(base, &error);
	char byte;

	g_assert_no_error(error);
	g_assert_cmpint(g_input_stream_read(stream, &byte, 1, NULL, &error), ==, 0);
	g_assert_no_error(error);
}

static void
test_writer(void)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GInputStream) content = g_memory_input_stream_new_from_data("12345", 5, NULL);
	g_autoptr(GInputStream) shorter = g_memory_input_stream_new_from_data("123", 3, NULL);
	g_autofree char *long_name = g_strnfill(300, 'n');
	g_autoptr(CamArchiveWriter) writer = NULL;
	g_autoptr(CamArchive) archive = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	const CamArchiveEntry *entry;

	writer = cam_archive_writer_new(out, &error);
	g_assert_no_error(error);
	g_assert_true(cam_archive_writer_add_directory(writer, "d/", 0750, 1, &error));
	g_assert_true(cam_archive_writer_add_stream(writer, long_name, content, 5, 0644, 2, NULL,
						    &error));
	g_assert_true(cam_archive_writer_add_symlink(writer, "l", "d/\303\251", 3, &error));
	g_assert_true(cam_archive_writer_finish(writer, &error));
	g_assert_true(g_output_stream_close(out, NULL, &error));
	bytes = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));

	archive = open_bytes(bytes);
	entry = cam_archive_next(archive, NULL, &error);
	g_assert_cmpint(entry->type, ==, CAM_ARCHIVE_DIRECTORY);
	g_assert_cmpint(entry->mode, ==, 0750);
	g_assert_cmpint(entry->mtime, ==, 1);
	entry = cam_archive_next(archive, NULL, &error);
	g_assert_cmpstr(entry->path, ==, long_name);
	g_assert_cmpint(entry->size, ==, 5);
	entry = cam_archive_next(archive, NULL, &error);
	g_assert_cmpint(entry->type, ==, CAM_ARCHIVE_SYMLINK);
	g_assert_cmpstr(entry->link_target, ==, "d/\303\251");
	g_assert_null(cam_archive_next(archive, NULL, &error));
	g_assert_no_error(error);

	g_clear_pointer(&writer, cam_archive_writer_free);
	g_clear_object(&out);
	out = g_memory_output_stream_new_resizable();
	writer = cam_archive_writer_new(out, &error);
	g_assert_false(
		cam_archive_writer_add_stream(writer, "short", shorter, 5, 0644, 0, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
}

static void
test_missing_file(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(cam_archive_open_file("/nonexistent/archive.tar", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/archive/formats", test_formats);
	g_test_add_func("/archive/names", test_names);
	g_test_add_func("/archive/nested", test_nested);
	g_test_add_func("/archive/damaged", test_damaged);
	g_test_add_func("/archive/no-archive", test_no_archive);
	g_test_add_func("/archive/limits", test_limits);
	g_test_add_func("/archive/cancel", test_cancel);
	g_test_add_func("/archive/decompress", test_decompress);
	g_test_add_func("/archive/decompress-empty", test_decompress_empty);
	g_test_add_func("/archive/writer", test_writer);
	g_test_add_func("/archive/missing-file", test_missing_file);
	return g_test_run();
}
