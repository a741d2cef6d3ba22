/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/memo.h"

#include <glib/gstdio.h>
#include <string.h>

/* The memo remembers, forgets with its generation, and never stands in the way. */

typedef struct {
	char *directory, *path;
	CamSha256 key;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	f->directory = g_dir_make_tmp("cambium-memo-XXXXXX", NULL);
	f->path = g_build_filename(f->directory, "memo.db", NULL);
	cam_memo_key(&f->key, "a", "b", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_autoptr(GDir) dir = g_dir_open(f->directory, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(f->directory, name, NULL);

		g_unlink(path);
	}
	g_assert_cmpint(g_rmdir(f->directory), ==, 0);
	g_free(f->directory);
	g_free(f->path);
}

static void
put(CamMemo *memo, const Fixture *f, const char *value)
{
	g_autoptr(GBytes) bytes = g_bytes_new(value, strlen(value));

	cam_memo_put(memo, CAM_MEMO_WALK, &f->key, bytes);
}

static void
assert_value(CamMemo *memo, const Fixture *f, const char *expected)
{
	g_autoptr(GBytes) bytes = cam_memo_get(memo, CAM_MEMO_WALK, &f->key);

	if (expected == NULL)
		g_assert_null(bytes);
	else
		g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), expected,
				strlen(expected));
}

static void
remember(const Fixture *f, const char *generation, const char *value)
{
	g_autoptr(CamMemo) memo = cam_memo_open(f->path);

	cam_memo_set_generation(memo, CAM_MEMO_WALK, generation);
	put(memo, f, value);
	cam_memo_flush(memo);
}

static void
test_remembers(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemo) memo = cam_memo_open(f->path);
	g_autoptr(CamMemo) other = NULL;

	assert_value(memo, f, NULL);
	put(memo, f, "value");
	assert_value(memo, f, "value");
	other = cam_memo_open(f->path);
	assert_value(other, f, NULL);
	cam_memo_flush(memo);
	assert_value(other, f, "value");
	assert_value(memo, f, "value");
	g_assert_null(cam_memo_get(memo, CAM_MEMO_MATCH, &f->key));
	put(other, f, "");
	cam_memo_flush(other);
	assert_value(memo, f, "");
}

static void
test_generations(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemo) memo = NULL;
	Fixture later = *f;

	remember(f, "one", "of one");
	cam_memo_key(&later.key, "another", NULL);
	remember(&later, "one", "also of one");
	memo = cam_memo_open(f->path);
	assert_value(memo, f, "of one");
	remember(&later, "two", "of two");
	assert_value(memo, f, NULL);
	assert_value(memo, &later, "of two");
}

static void
test_damaged_file(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemo) memo = NULL;

	g_assert_true(
		g_file_set_contents(f->path, "this is no database, whatever it says", -1, NULL));
	memo = cam_memo_open(f->path);
	assert_value(memo, f, NULL);
	put(memo, f, "value");
	cam_memo_flush(memo);
	g_clear_pointer(&memo, cam_memo_free);
	memo = cam_memo_open(f->path);
	assert_value(memo, f, "value");
}

static void
test_rotten_value(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemo) memo = NULL;
	g_autofree char *content = NULL;
	gsize size;
	char *found;

	remember(f, "one", "a value that will rot");
	g_assert_true(g_file_get_contents(f->path, &content, &size, NULL));
	found = memmem(content, size, "will rot", strlen("will rot"));
	g_assert_nonnull(found);
	found[0] = 'W';
	g_assert_true(g_file_set_contents(f->path, content, size, NULL));
	memo = cam_memo_open(f->path);
	assert_value(memo, f, NULL);
}

static void
test_nowhere_to_write(Fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->directory, "absent", "memo.db", NULL);
	g_autoptr(CamMemo) memo = cam_memo_open(path);

	put(memo, f, "value");
	cam_memo_flush(memo);
	assert_value(memo, f, "value");
}

static void
test_key(void)
{
	CamSha256 a, b;

	cam_memo_key(&a, "ab", "c", NULL);
	cam_memo_key(&b, "a", "bc", NULL);
	g_assert_false(cam_sha256_equal(&a, &b));
	cam_memo_key(&b, "ab", "c", NULL);
	g_assert_true(cam_sha256_equal(&a, &b));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/memo/remembers", Fixture, NULL, set_up, test_remembers, tear_down);
	g_test_add("/memo/generations", Fixture, NULL, set_up, test_generations, tear_down);
	g_test_add("/memo/damaged-file", Fixture, NULL, set_up, test_damaged_file, tear_down);
	g_test_add("/memo/rotten-value", Fixture, NULL, set_up, test_rotten_value, tear_down);
	g_test_add("/memo/nowhere-to-write", Fixture, NULL, set_up, test_nowhere_to_write,
		   tear_down);
	g_test_add_func("/memo/key", test_key);
	return g_test_run();
}
