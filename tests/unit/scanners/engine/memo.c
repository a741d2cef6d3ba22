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

/* What this process has read so far. */
static gboolean
bytes_read(guint64 *bytes)
{
	g_autofree char *text = NULL;
	const char *number;

	if (!g_file_get_contents("/proc/self/io", &text, NULL, NULL))
		return FALSE;
	number = strstr(text, "rchar: ");
	g_assert_nonnull(number);
	*bytes = g_ascii_strtoull(number + strlen("rchar: "), NULL, 10);
	return TRUE;
}

/* Looking a key up does not read the values of its neighbours. */
static void
test_large_neighbours(Fixture *f, gconstpointer data)
{
	g_autoptr(CamMemo) memo = cam_memo_open(f->path);
	g_autofree guint8 *large = g_malloc0(8 << 20);
	g_autoptr(GBytes) bytes = g_bytes_new_static(large, 8 << 20);
	guint64 before, after;

	cam_memo_put(memo, CAM_MEMO_INVENTORY, &f->key, bytes);
	cam_memo_flush(memo);
	if (!bytes_read(&before)) {
		g_test_skip("/proc/self/io is not there");
		return;
	}
	for (guint i = 0; i < 500; i++) {
		g_autofree char *name = g_strdup_printf("%u", i);
		CamSha256 key;

		cam_memo_key(&key, name, NULL);
		g_assert_null(cam_memo_get(memo, CAM_MEMO_INVENTORY, &key));
	}
	g_assert_true(bytes_read(&after));
	g_assert_cmpuint(after - before, <, 8 << 20);
}

/* What an older form remembers is not lost. */
static void
test_older_form(Fixture *f, gconstpointer data)
{
	static const char *const older[] = {
		"CREATE TABLE memo (kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
		"  PRIMARY KEY (kind, key)) WITHOUT ROWID;"
		"CREATE TABLE generation (kind INTEGER PRIMARY KEY, name TEXT NOT NULL);",
		NULL
	};
	g_autofree char *newer_path = g_build_filename(f->directory, "newer.db", NULL);
	g_autofree char *copy = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(f->path, older, NULL);
	g_autoptr(CamMemo) memo = NULL;
	Fixture newer = *f;

	newer.path = newer_path;
	remember(&newer, "one", "value");
	copy = g_strdup_printf("ATTACH '%s' AS newer; INSERT INTO memo SELECT kind, key, value"
			       " FROM newer.memo; DETACH newer;",
			       newer_path);
	g_assert_true(cam_database_exec(db, copy, NULL));
	g_clear_pointer(&db, cam_database_close);
	memo = cam_memo_open(f->path);
	assert_value(memo, f, "value");
	cam_memo_set_generation(memo, CAM_MEMO_WALK, "one");
	put(memo, f, "other");
	cam_memo_flush(memo);
	assert_value(memo, f, "other");
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
	g_test_add("/memo/large-neighbours", Fixture, NULL, set_up, test_large_neighbours,
		   tear_down);
	g_test_add("/memo/older-form", Fixture, NULL, set_up, test_older_form, tear_down);
	g_test_add_func("/memo/key", test_key);
	return g_test_run();
}
