/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamDatabase:
 *
 * A SQLite database with errors as %CAM_ERROR, prepared statements kept for reuse, and a schema
 * that migrates. Each page has a checksum: what was changed by anything else than this is
 * %CAM_ERROR_DATA_LOSS when it is read, in the middle of a statement perhaps. WAL,
 * synchronous=NORMAL, foreign keys on, busy timeout 30 s. One connection, to be used by one thread
 * at a time; other threads and processes open their own.
 */
typedef struct _CamDatabase CamDatabase;

/**
 * cam_database_open:
 * @path: file name, or ":memory:"
 * @migrations: NULL-terminated array of SQL scripts; script i lifts `user_version` from i to
 *     i + 1. Scripts are only ever appended. All that is missing runs in one transaction.
 *
 * Where neither the file nor its directory can be written to it is opened for reading: what was
 * committed is seen, what is not migrated cannot be opened.
 *
 * A file that is no database or is damaged is %CAM_ERROR_DATA_LOSS; one from a newer version of
 * Cambium is %CAM_ERROR_FAILED_PRECONDITION.
 */
CamDatabase *cam_database_open(const char *path, const char *const *migrations, GError **error);
/* Reads all of the database that exists at @path: %CAM_ERROR_DATA_LOSS if it is damaged. */
gboolean cam_database_verify(const char *path, GError **error);
void cam_database_close(CamDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDatabase, cam_database_close)

/* One or more statements without parameters. */
gboolean cam_database_exec(CamDatabase *self, const char *sql, GError **error);

/* BEGIN IMMEDIATE … COMMIT. Nesting is a programmer error. */
gboolean cam_database_begin(CamDatabase *self, GError **error);
gboolean cam_database_commit(CamDatabase *self, GError **error);
void cam_database_rollback(CamDatabase *self);
/* BEGIN …: what is read until the end is one state of the database, whatever others write. Nothing
 * may be written, and a transaction must not be begun, between the two. */
gboolean cam_database_begin_read(CamDatabase *self, GError **error);
void cam_database_end_read(CamDatabase *self);
/* Rows changed by the last statement; rowid of the last insert. */
gint64 cam_database_changes(CamDatabase *self);
gint64 cam_database_last_rowid(CamDatabase *self);

/**
 * CamStatement:
 *
 * Usage:
 *   g_autoptr(CamStatement) s = cam_database_prepare(db, "SELECT a, b FROM t WHERE c = ?", error);
 *   cam_statement_bind_text(s, 1, c);
 *   while (cam_statement_step(s, error)) { cam_statement_text(s, 0); … }
 *
 * Binding never fails for a valid index. step returns TRUE while there is a row and FALSE at the
 * end or on error: use cam_statement_step_checked() where the two must be told apart in one call,
 * or look at @error. Freeing gives the statement back to the database's cache.
 */
typedef struct _CamStatement CamStatement;

CamStatement *cam_database_prepare(CamDatabase *self, const char *sql, GError **error);
void cam_statement_free(CamStatement *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamStatement, cam_statement_free)

void cam_statement_bind_text(CamStatement *self, int index, const char *value); /* NULL → NULL */
void cam_statement_bind_int(CamStatement *self, int index, gint64 value);
void cam_statement_bind_double(CamStatement *self, int index, double value);
void cam_statement_bind_blob(CamStatement *self, int index, gconstpointer data, gsize size);

gboolean cam_statement_step(CamStatement *self, GError **error);
/* *@row says whether there is a row; FALSE only on error, which leaves *@row as it was: a loop that
 * began with TRUE and ended with FALSE saw every row. */
gboolean cam_statement_step_checked(CamStatement *self, gboolean *row, GError **error);
/* Runs a statement that returns no rows, then resets it so that it can be bound and run again. */
gboolean cam_statement_run(CamStatement *self, GError **error);
void cam_statement_reset(CamStatement *self);

/* Columns count from 0; pointers live until the next step, reset or free. */
const char *cam_statement_text(CamStatement *self, int column); /* NULL for NULL */
gint64 cam_statement_int(CamStatement *self, int column);
double cam_statement_double(CamStatement *self, int column);
gconstpointer cam_statement_blob(CamStatement *self, int column, gsize *size);
gboolean cam_statement_is_null(CamStatement *self, int column);

G_END_DECLS
