/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamDatabase and CamStatement: SQLite as the rest of Cambium sees it. Owns the connection's
 * settings, the schema's migration, the cache of prepared statements and the translation of
 * SQLite's codes. Owns no schema.
 */
#include "snapshotter/base/database.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/checked-vfs.h"

#define BUSY_TIMEOUT_MS 30000
#define BUSY_RETRY_USEC 10000

struct _CamDatabase {
	sqlite3 *db;
	GHashTable *idle; /* SQL → CamStatement that nobody uses */
	char *path;
	gboolean read_only;
	gboolean in_transaction;
};

struct _CamStatement {
	CamDatabase *database;
	sqlite3_stmt *stmt;
	const char *sql; /* owned by SQLite */
};

static CamError
error_code(CamDatabase *self, int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return CAM_ERROR_DATA_LOSS;
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
		return CAM_ERROR_RESOURCE_EXHAUSTED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return CAM_ERROR_ABORTED;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_READONLY:
		return CAM_ERROR_PERMISSION_DENIED;
	case SQLITE_CONSTRAINT:
		return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY
			       ? CAM_ERROR_ALREADY_EXISTS
			       : CAM_ERROR_FAILED_PRECONDITION;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		if (code == SQLITE_IOERR_DATA)
			return CAM_ERROR_DATA_LOSS;
		return self->db != NULL && sqlite3_system_errno(self->db) != 0
			       ? cam_error_from_errno(sqlite3_system_errno(self->db))
			       : CAM_ERROR_UNKNOWN;
	default:
		return CAM_ERROR_INTERNAL;
	}
}

/* Always FALSE. */
static gboolean
set_sqlite_error(CamDatabase *self, int code, GError **error)
{
	const char *text = self->db != NULL ? sqlite3_errmsg(self->db) : sqlite3_errstr(code);
	CamError mapped = error_code(self, code);

	/* SQLite calls it a disk I/O error. */
	if (code == SQLITE_IOERR_DATA)
		text = "a page does not have its checksum";
	if (mapped == CAM_ERROR_DATA_LOSS)
		return cam_set_error(error, mapped, "database %s is damaged: %s", self->path, text);
	return cam_set_error(error, mapped, "database %s: %s", self->path, text);
}

gboolean
cam_database_exec(CamDatabase *self, const char *sql, GError **error)
{
	int code = sqlite3_exec(self->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK || set_sqlite_error(self, code, error);
}

static gboolean
query_int(CamDatabase *self, const char *sql, gint64 *value, GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(self, sql, error);
	gboolean row;

	if (statement == NULL || !cam_statement_step_checked(statement, &row, error))
		return FALSE;
	*value = row ? cam_statement_int(statement, 0) : 0;
	return TRUE;
}

static gboolean
is_wal(CamDatabase *self, gboolean *wal, GError **error)
{
	g_autoptr(CamStatement) statement =
		cam_database_prepare(self, "PRAGMA journal_mode", error);
	gboolean row;

	if (statement == NULL || !cam_statement_step_checked(statement, &row, error))
		return FALSE;
	*wal = row && g_strcmp0(cam_statement_text(statement, 0), "delete") != 0;
	return TRUE;
}

/* Changing to WAL needs the file for itself, and SQLite does not wait for that: two processes that
 * make the database at once would see "locked". */
static gboolean
enter_wal(CamDatabase *self, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + BUSY_TIMEOUT_MS * 1000;
	gboolean wal;
	int code;

	if (!is_wal(self, &wal, error))
		return FALSE;
	if (wal)
		return TRUE;
	while ((code = sqlite3_exec(self->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL)) ==
		       SQLITE_BUSY &&
	       g_get_monotonic_time() < deadline)
		g_usleep(BUSY_RETRY_USEC);
	return code == SQLITE_OK || set_sqlite_error(self, code, error);
}

static gboolean
run_migrations(CamDatabase *self, const char *const *migrations, gint64 newest, GError **error)
{
	gint64 version;

	/* Read again under the lock: another process may have migrated meanwhile. */
	if (!query_int(self, "PRAGMA user_version", &version, error))
		return FALSE;
	for (; version < newest; version++)
		if (!cam_database_exec(self, migrations[version], error))
			return cam_error_translate(error, "schema version %" G_GINT64_FORMAT,
						   version + 1);
	g_autofree char *sql = g_strdup_printf("PRAGMA user_version = %" G_GINT64_FORMAT, newest);
	return cam_database_exec(self, sql, error);
}

static gboolean
migrate(CamDatabase *self, const char *const *migrations, GError **error)
{
	gint64 newest = migrations != NULL ? (gint64) g_strv_length((char **) migrations) : 0;
	gint64 version;

	if (!query_int(self, "PRAGMA user_version", &version, error))
		return FALSE;
	if (version > newest)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "database %s was written by a newer version of Cambium "
				     "(schema %" G_GINT64_FORMAT ", known up to %" G_GINT64_FORMAT
				     "); use that version",
				     self->path, version, newest);
	if (version == newest)
		return TRUE;
	if (!enter_wal(self, error) || !cam_database_begin(self, error))
		return FALSE;
	if (!run_migrations(self, migrations, newest, error)) {
		cam_database_rollback(self);
		return FALSE;
	}
	return cam_database_commit(self, error);
}

/* ---- opening ---- */

/* Whether SQLite can make the files that WAL needs beside @path. */
static gboolean
is_read_only(const char *path)
{
	g_autofree char *directory = g_path_get_dirname(path);

	return access(path, F_OK) == 0 && (access(path, W_OK) != 0 || access(directory, W_OK) != 0);
}

static gboolean
has_companion(const char *path, const char *suffix)
{
	g_autofree char *companion = g_strconcat(path, suffix, NULL);
	struct stat st;

	return stat(companion, &st) == 0 && st.st_size > 0;
}

static gboolean
check_integrity(CamDatabase *self, GError **error)
{
	g_autoptr(CamStatement) check =
		cam_database_prepare(self, "PRAGMA integrity_check(1)", error);
	gboolean row;

	if (check == NULL || !cam_statement_step_checked(check, &row, error))
		return FALSE;
	return (row && g_strcmp0(cam_statement_text(check, 0), "ok") == 0) ||
	       cam_set_error(error, CAM_ERROR_DATA_LOSS, "database %s is damaged: %s", self->path,
			     row ? cam_statement_text(check, 0) : "it cannot be read");
}

/* A log that has an index is read as usual: another process may be writing through another mount.
 * An index that is missing SQLite keeps in memory if it need not lock. Without a log the file is
 * all there is. */
static char *
make_uri(const char *path, gboolean read_only)
{
	g_autofree char *escaped = g_uri_escape_string(path, "/", TRUE);
	gboolean has_log = has_companion(path, "-wal");
	gboolean locking = !read_only || !has_log || has_companion(path, "-shm");
	const char *how = !read_only ? "mode=rwc" : has_log ? "mode=ro" : "mode=ro&immutable=1";

	return g_strdup_printf("file:%s?%s&vfs=%s", escaped, how, cam_checked_vfs_name(locking));
}

static gboolean
open_connection(CamDatabase *self, GError **error)
{
	gboolean in_memory = g_str_equal(self->path, ":memory:");
	g_autofree char *uri = NULL;
	int reserve = CAM_CHECKED_RESERVE, code;

	self->read_only = !in_memory && is_read_only(self->path);
	uri = in_memory ? g_strdup(self->path) : make_uri(self->path, self->read_only);
	code = sqlite3_open_v2(uri, &self->db,
			       SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI |
				       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			       NULL);
	if (code != SQLITE_OK)
		return set_sqlite_error(self, code, error);
	sqlite3_busy_timeout(self->db, BUSY_TIMEOUT_MS);
	(void) sqlite3_file_control(self->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	/* The index of the log is then in memory. */
	return strstr(uri, cam_checked_vfs_name(FALSE)) == NULL ||
	       cam_database_exec(self, "PRAGMA locking_mode = EXCLUSIVE", error);
}

/* What the file's header says; FALSE if there is none. It is read through the connection's own
 * descriptor: closing another one of the same file would drop the locks that SQLite holds for this
 * process, and other processes would then throw away a log that is in use. */
static gboolean
read_header(CamDatabase *self, gboolean *reserved, gboolean *has_id)
{
	sqlite3_file *file = NULL;
	guint8 header[CAM_SQLITE_HEADER];
	guint32 id;

	if (sqlite3_file_control(self->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods == NULL ||
	    file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK)
		return FALSE;
	memcpy(&id, header + CAM_SQLITE_ID, sizeof id);
	*reserved = header[CAM_SQLITE_RESERVE] == CAM_CHECKED_RESERVE;
	*has_id = GUINT32_FROM_BE(id) == CAM_CHECKED_ID;
	return TRUE;
}

/* A database from before pages had checksums is written anew once. */
static gboolean
rewrite(CamDatabase *self, GError **error)
{
	return check_integrity(self, error) && cam_database_exec(self, "VACUUM", error) &&
	       cam_database_exec(self, "PRAGMA wal_checkpoint(TRUNCATE)", error);
}

/* Says that all pages have checksums. */
static gboolean
set_id(CamDatabase *self, GError **error)
{
	gint64 id;

	return query_int(self, "PRAGMA application_id", &id, error) &&
	       (id == CAM_CHECKED_ID ||
		cam_database_exec(self, "PRAGMA application_id = " G_STRINGIFY(CAM_CHECKED_ID),
				  error));
}

/* Where this cannot be done now, on a full disk perhaps, the database is used as it is. */
static gboolean
add_checksums(CamDatabase *self, GError **error)
{
	g_autoptr(GError) problem = NULL;
	gboolean reserved, has_id;

	if (self->read_only || !read_header(self, &reserved, &has_id) || has_id ||
	    ((reserved || rewrite(self, &problem)) && set_id(self, &problem)))
		return TRUE;
	if (g_error_matches(problem, CAM_ERROR, CAM_ERROR_DATA_LOSS)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	g_info("%s", problem->message);
	return TRUE;
}

CamDatabase *
cam_database_open(const char *path, const char *const *migrations, GError **error)
{
	g_autoptr(CamDatabase) self = g_new0(CamDatabase, 1);

	self->path = g_strdup(path);
	self->idle = g_hash_table_new(g_str_hash, g_str_equal);
	if (!open_connection(self, error) ||
	    !cam_database_exec(self, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
			       error) ||
	    !migrate(self, migrations, error) || !add_checksums(self, error))
		return NULL;
	return g_steal_pointer(&self);
}

gboolean
cam_database_verify(const char *path, GError **error)
{
	g_autoptr(CamDatabase) self = g_new0(CamDatabase, 1);

	self->path = g_strdup(path);
	self->idle = g_hash_table_new(g_str_hash, g_str_equal);
	return open_connection(self, error) && check_integrity(self, error);
}

static void
finalize_statement(gpointer data)
{
	CamStatement *statement = data;

	sqlite3_finalize(statement->stmt);
	g_free(statement);
}

void
cam_database_close(CamDatabase *self)
{
	GHashTableIter iter;
	gpointer statement;

	g_hash_table_iter_init(&iter, self->idle);
	while (g_hash_table_iter_next(&iter, NULL, &statement)) {
		/* The key is the statement's own text. */
		g_hash_table_iter_steal(&iter);
		finalize_statement(statement);
	}
	g_hash_table_unref(self->idle);
	sqlite3_close_v2(self->db);
	g_free(self->path);
	g_free(self);
}

gboolean
cam_database_begin(CamDatabase *self, GError **error)
{
	g_return_val_if_fail(!self->in_transaction, FALSE);
	if (!cam_database_exec(self, "BEGIN IMMEDIATE", error))
		return FALSE;
	self->in_transaction = TRUE;
	return TRUE;
}

gboolean
cam_database_commit(CamDatabase *self, GError **error)
{
	g_return_val_if_fail(self->in_transaction, FALSE);
	if (!cam_database_exec(self, "COMMIT", error)) {
		cam_database_rollback(self);
		return FALSE;
	}
	self->in_transaction = FALSE;
	return TRUE;
}

void
cam_database_rollback(CamDatabase *self)
{
	/* After some errors (a full disk) SQLite has rolled back by itself. */
	if (!sqlite3_get_autocommit(self->db))
		(void) sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
	self->in_transaction = FALSE;
}

gboolean
cam_database_begin_read(CamDatabase *self, GError **error)
{
	g_return_val_if_fail(!self->in_transaction, FALSE);
	if (!cam_database_exec(self, "BEGIN", error))
		return FALSE;
	self->in_transaction = TRUE;
	return TRUE;
}

void
cam_database_end_read(CamDatabase *self)
{
	cam_database_rollback(self);
}

gint64
cam_database_changes(CamDatabase *self)
{
	return sqlite3_changes(self->db);
}

gint64
cam_database_last_rowid(CamDatabase *self)
{
	return sqlite3_last_insert_rowid(self->db);
}

CamStatement *
cam_database_prepare(CamDatabase *self, const char *sql, GError **error)
{
	gpointer cached = NULL;
	sqlite3_stmt *stmt;
	int code;

	if (g_hash_table_steal_extended(self->idle, sql, NULL, &cached))
		return cached;
	code = sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (code != SQLITE_OK) {
		set_sqlite_error(self, code, error);
		return NULL;
	}
	CamStatement *statement = g_new0(CamStatement, 1);
	statement->database = self;
	statement->stmt = stmt;
	statement->sql = sqlite3_sql(stmt);
	return statement;
}

void
cam_statement_free(CamStatement *self)
{
	GHashTable *idle = self->database->idle;

	sqlite3_reset(self->stmt);
	sqlite3_clear_bindings(self->stmt);
	if (g_hash_table_contains(idle, self->sql))
		finalize_statement(self);
	else
		g_hash_table_insert(idle, (char *) self->sql, self);
}

/* A bind fails only for an index that the statement does not have, or without memory. */
static void
check_bind(CamStatement *self, int code)
{
	if (code != SQLITE_OK)
		g_critical("cannot bind to \"%s\": %s", self->sql, sqlite3_errstr(code));
}

void
cam_statement_bind_text(CamStatement *self, int index, const char *value)
{
	check_bind(self, sqlite3_bind_text(self->stmt, index, value, -1, SQLITE_TRANSIENT));
}

void
cam_statement_bind_int(CamStatement *self, int index, gint64 value)
{
	check_bind(self, sqlite3_bind_int64(self->stmt, index, value));
}

void
cam_statement_bind_double(CamStatement *self, int index, double value)
{
	check_bind(self, sqlite3_bind_double(self->stmt, index, value));
}

void
cam_statement_bind_blob(CamStatement *self, int index, gconstpointer data, gsize size)
{
	/* A NULL pointer would bind NULL: an empty blob is not that. */
	check_bind(self, sqlite3_bind_blob64(self->stmt, index, data != NULL ? data : "", size,
					     SQLITE_TRANSIENT));
}

gboolean
cam_statement_step_checked(CamStatement *self, gboolean *row, GError **error)
{
	int code = sqlite3_step(self->stmt);

	if (code == SQLITE_ROW || code == SQLITE_DONE) {
		*row = code == SQLITE_ROW;
		return TRUE;
	}
	set_sqlite_error(self->database, code, error);
	sqlite3_reset(self->stmt);
	return FALSE;
}

gboolean
cam_statement_step(CamStatement *self, GError **error)
{
	gboolean row;

	return cam_statement_step_checked(self, &row, error) && row;
}

gboolean
cam_statement_run(CamStatement *self, GError **error)
{
	gboolean row = TRUE;

	while (row)
		if (!cam_statement_step_checked(self, &row, error))
			return FALSE;
	sqlite3_reset(self->stmt);
	return TRUE;
}

void
cam_statement_reset(CamStatement *self)
{
	sqlite3_reset(self->stmt);
}

const char *
cam_statement_text(CamStatement *self, int column)
{
	return (const char *) sqlite3_column_text(self->stmt, column);
}

gint64
cam_statement_int(CamStatement *self, int column)
{
	return sqlite3_column_int64(self->stmt, column);
}

double
cam_statement_double(CamStatement *self, int column)
{
	return sqlite3_column_double(self->stmt, column);
}

gconstpointer
cam_statement_blob(CamStatement *self, int column, gsize *size)
{
	gconstpointer data = sqlite3_column_blob(self->stmt, column);

	*size = (gsize) sqlite3_column_bytes(self->stmt, column);
	return data;
}

gboolean
cam_statement_is_null(CamStatement *self, int column)
{
	return sqlite3_column_type(self->stmt, column) == SQLITE_NULL;
}
