/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of migration, statements, transactions and the translation of SQLite's errors. */
#include "snapshotter/base/database.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"

static const char *const first[] = {
	"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB, score REAL);",
	NULL,
};
static const char *const second[] = {
	"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB, score REAL);",
	"CREATE TABLE u (t INTEGER REFERENCES t(id)); INSERT INTO t (name) VALUES ('migrated');",
	NULL,
};

static char *
make_dir(void)
{
	g_autoptr(GError) error = NULL;
	char *dir = g_dir_make_tmp("cambium-database-XXXXXX", &error);

	g_assert_no_error(error);
	return dir;
}

static void
remove_dir(const char *dir)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, &error));
	g_assert_no_error(error);
}

static gint64
count(CamDatabase *db, const char *sql)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStatement) s = cam_database_prepare(db, sql, &error);

	g_assert_no_error(error);
	g_assert_true(cam_statement_step(s, &error));
	g_assert_no_error(error);
	return cam_statement_int(s, 0);
}

static void
test_migration(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);

	CamDatabase *db = cam_database_open(path, first, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 0);
	cam_database_close(db);

	db = cam_database_open(path, second, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 1);
	g_assert_cmpint(count(db, "PRAGMA user_version"), ==, 2);
	cam_database_close(db);

	g_assert_null(cam_database_open(path, first, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	remove_dir(dir);
}

static void
test_migration_is_atomic(void)
{
	static const char *const broken[] = { "CREATE TABLE t (a);", "CREATE TABLE u (a); NO SQL",
					      NULL };
	static const char *const mended[] = { "CREATE TABLE t (a);", "CREATE TABLE u (a);", NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);

	g_assert_null(cam_database_open(path, broken, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INTERNAL);
	g_clear_error(&error);
	CamDatabase *db = cam_database_open(path, mended, &error);
	g_assert_no_error(error);
	cam_database_close(db);
	remove_dir(dir);
}

static void
test_values(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(":memory:", first, &error);
	gsize size;

	g_assert_no_error(error);
	{
		g_autoptr(CamStatement) s = cam_database_prepare(
			db, "INSERT INTO t (id, name, data, score) VALUES (?, ?, ?, ?)", &error);
		g_assert_no_error(error);
		cam_statement_bind_int(s, 1, G_MAXINT64);
		cam_statement_bind_text(s, 2, "ä");
		cam_statement_bind_blob(s, 3, "a\0b", 3);
		cam_statement_bind_double(s, 4, 0.5);
		g_assert_true(cam_statement_run(s, &error));
		g_assert_cmpint(cam_database_changes(db), ==, 1);
		g_assert_cmpint(cam_database_last_rowid(db), ==, G_MAXINT64);
		cam_statement_bind_int(s, 1, 1);
		cam_statement_bind_text(s, 2, NULL);
		cam_statement_bind_blob(s, 3, NULL, 0);
		g_assert_true(cam_statement_run(s, &error));
	}
	g_autoptr(CamStatement) s =
		cam_database_prepare(db, "SELECT id, name, data, score FROM t ORDER BY id", &error);
	g_assert_true(cam_statement_step(s, &error));
	g_assert_true(cam_statement_is_null(s, 1));
	g_assert_null(cam_statement_text(s, 1));
	g_assert_false(cam_statement_is_null(s, 2));
	g_assert_true(cam_statement_step(s, &error));
	g_assert_cmpint(cam_statement_int(s, 0), ==, G_MAXINT64);
	g_assert_cmpstr(cam_statement_text(s, 1), ==, "ä");
	gconstpointer data = cam_statement_blob(s, 2, &size);
	g_assert_cmpmem(data, size, "a\0b", 3);
	g_assert_cmpfloat(cam_statement_double(s, 3), ==, 0.5);
	g_assert_false(cam_statement_step(s, &error));
	g_assert_no_error(error);
}

static void
test_statements_nest(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(":memory:", second, &error);
	const char *sql = "SELECT name FROM t";

	/* The same text twice at once: two statements. */
	for (guint i = 0; i < 3; i++) {
		g_autoptr(CamStatement) a = cam_database_prepare(db, sql, &error);
		g_autoptr(CamStatement) b = cam_database_prepare(db, sql, &error);
		g_assert_true(a != b);
		g_assert_true(cam_statement_step(a, &error));
		g_assert_true(cam_statement_step(b, &error));
	}
	g_assert_no_error(error);
	g_assert_null(cam_database_prepare(db, "SELECT nothing FROM t", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INTERNAL);
}

static void
test_constraints(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(":memory:", second, &error);

	g_assert_false(cam_database_exec(db, "INSERT INTO t (name) VALUES ('migrated')", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	g_assert_false(cam_database_exec(db, "INSERT INTO u VALUES (99)", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

static void
test_transactions(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(":memory:", first, &error);

	g_assert_true(cam_database_begin(db, &error));
	g_assert_true(cam_database_exec(db, "INSERT INTO t (name) VALUES ('a')", &error));
	cam_database_rollback(db);
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 0);
	g_assert_true(cam_database_begin(db, &error));
	g_assert_true(cam_database_exec(db, "INSERT INTO t (name) VALUES ('a')", &error));
	g_assert_true(cam_database_commit(db, &error));
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 1);
	g_assert_no_error(error);
}

static void
test_damaged(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);
	g_autofree char *noise = g_malloc(8192);

	memset(noise, 'x', 8192);
	g_assert_true(g_file_set_contents(path, noise, 8192, &error));
	g_assert_null(cam_database_open(path, first, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_autofree char *absent = g_build_filename(dir, "no", "x.db", NULL);
	g_assert_null(cam_database_open(absent, first, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	remove_dir(dir);
}

static gpointer
open_thread(gpointer path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(path, second, &error);

	g_assert_no_error(error);
	for (guint i = 0; i < 20; i++) {
		g_assert_true(cam_database_begin(db, &error));
		g_assert_true(cam_database_exec(db, "INSERT INTO t (score) VALUES (1)", &error));
		g_assert_true(cam_database_commit(db, &error));
		g_assert_no_error(error);
	}
	return NULL;
}

static void
test_opened_at_once(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);
	GThread *threads[4];

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("open", open_thread, path);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	CamDatabase *db = cam_database_open(path, second, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 81);
	cam_database_close(db);
	remove_dir(dir);
}

/* Others write meanwhile; what is read is of one time. */
static void
test_reading(void)
{
	static const char *const schema[] = { "CREATE TABLE t (a); INSERT INTO t VALUES (1);",
					      NULL };
	g_autofree char *dir = g_dir_make_tmp("cambium-database-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "db", NULL);
	g_autoptr(CamDatabase) db = cam_database_open(path, schema, NULL);
	g_autoptr(CamDatabase) other = cam_database_open(path, schema, NULL);

	g_assert_true(cam_database_begin_read(db, NULL));
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 1);
	g_assert_true(cam_database_exec(other, "INSERT INTO t VALUES (2)", NULL));
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 1);
	cam_database_end_read(db);
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 2);
	g_assert_true(cam_database_begin(db, NULL));
	g_assert_true(cam_database_commit(db, NULL));
	g_clear_pointer(&db, cam_database_close);
	g_clear_pointer(&other, cam_database_close);
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* ---- read-only ---- */

/* As an ordinary user who cannot write; 0 if the two rows are seen and nothing can be written. */
static int
read_only_check(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = NULL;

	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 2;
	db = cam_database_open(path, first, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, 2);
	g_assert_false(cam_database_exec(db, "INSERT INTO t (score) VALUES (1)", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	return 0;
}

static void
assert_readable(const char *dir, const char *path)
{
	int status;
	pid_t pid;

	g_assert_cmpint(chmod(dir, 0555), ==, 0);
	pid = fork();
	if (pid == 0)
		_exit(read_only_check(path));
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	g_assert_cmpint(chmod(dir, 0755), ==, 0);
}

static void
copy_file(const char *from, const char *to)
{
	g_autofree char *content = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(from, &content, &size, NULL));
	g_assert_true(g_file_set_contents(to, content, (gssize) size, NULL));
	g_assert_cmpint(chmod(to, 0444), ==, 0);
}

/* With and without a log, and with a log whose index is gone. */
static void
test_read_only(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = make_dir(), *copy = make_dir();
	g_autofree char *path = g_build_filename(dir, "x %3f.db", NULL);
	g_autofree char *log = g_strconcat(path, "-wal", NULL);
	g_autofree char *bare = g_build_filename(copy, "x.db", NULL);
	g_autofree char *bare_log = g_strconcat(bare, "-wal", NULL);
	CamDatabase *db = cam_database_open(path, first, &error);

	g_assert_no_error(error);
	g_assert_true(cam_database_exec(db, "INSERT INTO t (score) VALUES (1), (2)", &error));
	assert_readable(dir, path);
	copy_file(path, bare);
	copy_file(log, bare_log);
	assert_readable(copy, bare);
	cam_database_close(db);
	g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
	assert_readable(dir, path);
	remove_dir(dir);
	remove_dir(copy);
}

/* ---- damage ---- */

#define N_ROWS 3000

/* What @sql gives, all rows; (nullable) with @error. */
static char *
query(CamDatabase *db, const char *sql, GError **error)
{
	g_autoptr(CamStatement) s = cam_database_prepare(db, sql, error);
	g_autoptr(GString) text = g_string_new(NULL);
	gboolean more = TRUE;

	while (s != NULL && cam_statement_step_checked(s, &more, error) && more)
		g_string_append_printf(text, "%s %s;", cam_statement_text(s, 0),
				       cam_statement_text(s, 1));
	return s == NULL || more ? NULL : g_strdup(text->str);
}

static void
make_rows(const char *path, const char *const *migrations)
{
	g_autoptr(GError) error = NULL;
	CamDatabase *db = cam_database_open(path, migrations, &error);

	g_assert_no_error(error);
	g_assert_true(cam_database_exec(
		db,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
		"LIMIT " G_STRINGIFY(N_ROWS) ") INSERT INTO t (id, name, score)"
					     " SELECT i, 'package-' || (i * 7919 % 3001), i FROM n",
		&error));
	g_assert_no_error(error);
	cam_database_close(db);
}

static void
flip(const char *path, guint8 *bytes, gsize size, guint n, GRand *rand)
{
	g_autofree guint8 *damaged = g_memdup2(bytes, size);

	for (guint i = 0; i < n; i++)
		damaged[g_rand_int_range(rand, 0, (gint32) size)] ^=
			(guint8) g_rand_int_range(rand, 1, 256);
	g_assert_true(g_file_set_contents(path, (char *) damaged, (gssize) size, NULL));
}

/* The right answer or an error, for a walk of the table, an index, and single rows. */
static guint
check_answers(const char *path)
{
	static const char *const queries[] = {
		"SELECT id, name FROM t ORDER BY id",
		"SELECT name, count(*) FROM t WHERE name >= 'package-1' GROUP BY name",
		"SELECT score, name FROM t WHERE name = 'package-2718'",
	};
	static char *expected[G_N_ELEMENTS(queries)];
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) db = cam_database_open(path, first, &error);
	guint n_errors = db == NULL;

	for (gsize i = 0; db != NULL && i < G_N_ELEMENTS(queries); i++) {
		g_autoptr(GError) problem = NULL;
		g_autofree char *answer = query(db, queries[i], &problem);

		if (expected[i] == NULL)
			expected[i] = g_strdup(answer);
		if (answer != NULL)
			g_assert_cmpstr(answer, ==, expected[i]);
		else
			g_assert_error(problem, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		n_errors += answer == NULL;
	}
	return n_errors;
}

/* CAM_TEST_LONG=1 tries more. */
static void
test_flipped_bytes(void)
{
	guint n_seeds = g_getenv("CAM_TEST_LONG") != NULL ? 5000 : 150, n_silent = 0;
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);
	g_autofree guint8 *bytes = NULL;
	gsize size;

	make_rows(path, first);
	g_assert_cmpuint(check_answers(path), ==, 0);
	g_assert_true(cam_database_verify(path, NULL));
	g_assert_true(g_file_get_contents(path, (char **) &bytes, &size, NULL));
	for (guint seed = 0; seed < n_seeds; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
		g_autoptr(GError) error = NULL;

		flip(path, bytes, size, seed % 2 == 0 ? 30 : 1, rand);
		n_silent += check_answers(path) == 0;
		g_assert_false(cam_database_verify(path, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	}
	/* A query need not touch the page. */
	g_assert_cmpuint(n_silent, <, n_seeds / 2);
	remove_dir(dir);
}

/* Each byte of the header, which says whether there are checksums. */
static void
test_flipped_header(void)
{
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);
	g_autofree guint8 *bytes = NULL;
	gsize size;

	make_rows(path, first);
	g_assert_cmpuint(check_answers(path), ==, 0);
	g_assert_true(g_file_get_contents(path, (char **) &bytes, &size, NULL));
	for (guint i = 0; i < 100; i++) {
		g_autoptr(GError) error = NULL;

		bytes[i] ^= 0x5a;
		g_assert_true(g_file_set_contents(path, (char *) bytes, (gssize) size, NULL));
		g_assert_cmpuint(check_answers(path), >, 0);
		bytes[i] ^= 0x5a;
	}
	remove_dir(dir);
}

/* One that was made before there were checksums gets them. */
static void
test_checksums_are_added(void)
{
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);
	g_autofree guint8 *bytes = NULL;
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	gsize size;
	sqlite3 *old;

	g_assert_cmpint(sqlite3_open(path, &old), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(old, first[0], NULL, NULL, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(old, "PRAGMA user_version = 1", NULL, NULL, NULL), ==,
			SQLITE_OK);
	sqlite3_close(old);
	make_rows(path, first);
	g_assert_cmpuint(check_answers(path), ==, 0);
	g_assert_true(g_file_get_contents(path, (char **) &bytes, &size, NULL));
	flip(path, bytes, size, 30, rand);
	g_assert_false(cam_database_verify(path, NULL));
	remove_dir(dir);
}

/* Keeps a connection open, and writes once more when it is told to. */
static void
keep_writing(const char *path, int told, int tell)
{
	g_autoptr(CamDatabase) db = cam_database_open(path, first, NULL);
	char byte = 0;
	gboolean ok = db != NULL &&
		      cam_database_exec(db, "INSERT INTO t (name) VALUES ('a')", NULL) &&
		      write(tell, &byte, 1) == 1 && read(told, &byte, 1) == 1 &&
		      cam_database_exec(db, "INSERT INTO t (name) VALUES ('b')", NULL) &&
		      write(tell, &byte, 1) == 1 && read(told, &byte, 1) == 1;

	_exit(ok ? 0 : 1);
}

/* Another process that opens the database and closes it again does not take away the log that the
 * first one writes to: the first holds its locks, whatever opening looked at. */
static void
test_others_come_and_go(void)
{
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "x.db", NULL);
	int to_child[2], to_us[2], status;
	char byte = 0;
	pid_t child;

	g_assert_cmpint(pipe2(to_child, O_CLOEXEC), ==, 0);
	g_assert_cmpint(pipe2(to_us, O_CLOEXEC), ==, 0);
	child = fork();
	if (child == 0)
		keep_writing(path, to_child[0], to_us[1]);
	for (gint64 rows = 1; rows <= 2; rows++) {
		g_autoptr(CamDatabase) db = NULL;

		g_assert_cmpint(read(to_us[0], &byte, 1), ==, 1);
		db = cam_database_open(path, first, NULL);
		g_assert_cmpint(count(db, "SELECT count(*) FROM t"), ==, rows);
		g_clear_pointer(&db, cam_database_close);
		g_assert_cmpint(write(to_child[1], &byte, 1), ==, 1);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
	for (gsize i = 0; i < 2; i++) {
		close(to_child[i]);
		close(to_us[i]);
	}
	remove_dir(dir);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/database/migration", test_migration);
	g_test_add_func("/base/database/migration-is-atomic", test_migration_is_atomic);
	g_test_add_func("/base/database/values", test_values);
	g_test_add_func("/base/database/statements-nest", test_statements_nest);
	g_test_add_func("/base/database/constraints", test_constraints);
	g_test_add_func("/base/database/transactions", test_transactions);
	g_test_add_func("/base/database/reading", test_reading);
	g_test_add_func("/base/database/damaged", test_damaged);
	g_test_add_func("/base/database/opened-at-once", test_opened_at_once);
	g_test_add_func("/base/database/others-come-and-go", test_others_come_and_go);
	g_test_add_func("/base/database/read-only", test_read_only);
	g_test_add_func("/base/database/flipped-bytes", test_flipped_bytes);
	g_test_add_func("/base/database/flipped-header", test_flipped_header);
	g_test_add_func("/base/database/checksums-are-added", test_checksums_are_added);
	return g_test_run();
}
