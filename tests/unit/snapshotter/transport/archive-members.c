/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of archives in any order, and how often the archive is read for them. */
#include "snapshotter/transport/archive-members.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/archive.h"

#define N_MEMBERS 5
#define SIZE	  (300 * 1024) /* too large to be kept in memory */

typedef struct {
	char *directory, *path;
	int dirfd;
} Fixture;

/* Members 0, 1, …; gzip where the test's data says so. */
static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GFile) file = NULL;
	g_autoptr(GOutputStream) out = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamArchiveWriter) writer = NULL;

	f->directory = g_dir_make_tmp("cam-members-XXXXXX", NULL);
	f->dirfd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->path = g_build_filename(f->directory, "a", NULL);
	file = g_file_new_for_path(f->path);
	out = G_OUTPUT_STREAM(g_file_replace(file, NULL, FALSE, 0, NULL, &error));
	g_assert_no_error(error);
	if (data != NULL) {
		g_autoptr(GZlibCompressor) gzip =
			g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
		GOutputStream *compressed = g_converter_output_stream_new(out, G_CONVERTER(gzip));

		g_object_unref(out);
		out = compressed;
	}
	writer = cam_archive_writer_new(out, &error);
	for (guint i = 0; i < N_MEMBERS; i++) {
		g_autofree char *name = g_strdup_printf("%u", i);
		g_autofree char *text = g_strnfill(SIZE, (char) ('a' + i));
		g_autoptr(GBytes) bytes = g_bytes_new(text, SIZE);

		g_assert_true(cam_archive_writer_add_bytes(writer, name, bytes, 0644, 0, &error));
	}
	g_assert_true(cam_archive_writer_finish(writer, &error));
	g_assert_true(g_output_stream_close(out, NULL, &error));
	g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_unlink(f->path);
	close(f->dirfd);
	/* Temporary files have no name, so nothing is left in it. */
	g_assert_cmpint(g_rmdir(f->directory), ==, 0);
	g_free(f->directory);
	g_free(f->path);
}

static gboolean
is_right(CamArchiveMembers *members, guint i)
{
	g_autofree char *name = g_strdup_printf("%u", i);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = cam_archive_members_read(members, name, SIZE, NULL, &error);
	const char *text = bytes != NULL ? g_bytes_get_data(bytes, NULL) : NULL;

	return bytes != NULL && g_bytes_get_size(bytes) == SIZE && text[0] == (char) ('a' + i) &&
	       text[SIZE - 1] == (char) ('a' + i);
}

static void
test_orders(Fixture *f, gconstpointer data)
{
	static const guint orders[][N_MEMBERS] = {
		{ 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 2, 4, 0, 3, 1 }, { 1, 1, 4, 4, 0 }
	};
	static const char *const names[] = { "0", "1", "3", "4", "absent", NULL };

	for (guint expected = 0; expected < 2; expected++) {
		for (gsize o = 0; o < G_N_ELEMENTS(orders); o++) {
			g_autoptr(GError) error = NULL;
			g_autoptr(CamArchiveMembers) members =
				cam_archive_members_open(f->path, NULL, &error);
			gsize size = 0;

			g_assert_no_error(error);
			g_assert_cmpint(cam_archive_members_get_head(members, "3", &size)[0], ==,
					'd');
			g_assert_cmpuint(size, ==, CAM_ARCHIVE_HEAD_SIZE);
			if (expected)
				cam_archive_members_expect(members, names, f->dirfd);
			for (guint i = 0; i < N_MEMBERS; i++)
				g_assert_true(is_right(members, orders[o][i]));
		}
	}
}

/* Streams that are open at the same time, and one that is left in the middle. */
static void
test_at_once(Fixture *f, gconstpointer data)
{
	g_autoptr(CamArchiveMembers) members = cam_archive_members_open(f->path, NULL, NULL);
	g_autoptr(GInputStream) first = cam_archive_members_open_member(members, "1", NULL, NULL);
	char c;

	g_assert_cmpint(g_input_stream_read(first, &c, 1, NULL, NULL), ==, 1);
	g_assert_true(is_right(members, 3));
	g_assert_cmpint(g_input_stream_read(first, &c, 1, NULL, NULL), ==, 1);
	g_assert_cmpint(c, ==, 'b');
	g_clear_object(&first);
	g_assert_true(is_right(members, 4));
	g_assert_true(is_right(members, 2));
}

/* What was expected is there after one pass: the archive itself is no longer needed. */
static void
test_one_pass(Fixture *f, gconstpointer data)
{
	static const char *const names[] = { "4", "0", "3", NULL };
	g_autoptr(CamArchiveMembers) members = cam_archive_members_open(f->path, NULL, NULL);

	cam_archive_members_expect(members, names, f->dirfd);
	g_assert_true(is_right(members, 4));
	g_assert_cmpint(g_unlink(f->path), ==, 0);
	g_assert_true(is_right(members, 0));
	g_assert_true(is_right(members, 3));
	g_assert_false(is_right(members, 1));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/transport/archive-members/orders", Fixture, NULL, set_up, test_orders,
		   tear_down);
	g_test_add("/transport/archive-members/orders-gzip", Fixture, "gzip", set_up, test_orders,
		   tear_down);
	g_test_add("/transport/archive-members/at-once", Fixture, "gzip", set_up, test_at_once,
		   tear_down);
	g_test_add("/transport/archive-members/one-pass", Fixture, "gzip", set_up, test_one_pass,
		   tear_down);
	return g_test_run();
}
