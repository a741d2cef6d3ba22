/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of migration, statements, transactions and the translation of SQLite's errors. */
#include "snapshotter/base/database.h"

#include <fcntl.h>
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
	g_test_add_func("/base/database/damaged", test_damaged);
	g_test_add_func("/base/database/opened-at-once", test_opened_at_once);
	g_test_add_func("/base/database/read-only", test_read_only);
	return g_test_run();
}
