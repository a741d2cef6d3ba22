/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of scans on unpack. Images are kept apart from verdicts: several names may stand for
 * one manifest, and a name is known before its scan is done.
 */
#include "plugin/daemon/verdict-db.h"

#include <string.h>

#define FILE_NAME "verdicts.db"

static const char *const migrations[] = {
	"CREATE TABLE image ("
	" namespace TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL,"
	" manifest_digest TEXT NOT NULL, config_digest TEXT NOT NULL, chain_id TEXT NOT NULL,"
	" store_name TEXT, PRIMARY KEY (namespace, name)) WITHOUT ROWID;"
	"CREATE INDEX image_chain ON image (chain_id);"
	"CREATE INDEX image_target ON image (target);"
	"CREATE INDEX image_manifest ON image (manifest_digest);"
	"CREATE TABLE verdict ("
	" manifest_digest TEXT NOT NULL PRIMARY KEY, scanned_at INTEGER NOT NULL,"
	" database TEXT NOT NULL, level TEXT NOT NULL, critical INTEGER NOT NULL,"
	" high INTEGER NOT NULL, medium INTEGER NOT NULL, low INTEGER NOT NULL,"
	" none INTEGER NOT NULL, unknown INTEGER NOT NULL, top TEXT NOT NULL) WITHOUT ROWID;",
	/* What was remembered before says nothing of packages that no source judged: it is made
	 * anew. result: see cam_verdict_to_json(). */
	"DROP TABLE verdict;"
	"CREATE TABLE verdict ("
	" manifest_digest TEXT NOT NULL PRIMARY KEY, scanned_at INTEGER NOT NULL,"
	" looked_up_at INTEGER NOT NULL, database TEXT NOT NULL, level TEXT NOT NULL,"
	" result TEXT NOT NULL) WITHOUT ROWID;",
	/* Whiteouts followed links of lower layers: the trees that were scanned may have been
	 * others than containers see (CAM_TREE_RULE 2). */
	"DELETE FROM verdict;",
	NULL,
};

#define SELECT_IMAGES                                                               \
	"SELECT namespace, name, target, manifest_digest, config_digest, chain_id," \
	" store_name, scanned_at, looked_up_at, database, level, result"            \
	" FROM image LEFT JOIN verdict USING (manifest_digest) "
#define ORDER_IMAGES " ORDER BY namespace, name"

struct _CamVerdictDb {
	GMutex mutex;
	CamDatabase *database;
};

CamVerdictDb *
cam_verdict_db_open(const char *store_path, gboolean create, GError **error)
{
	g_autofree char *path = g_build_filename(store_path, FILE_NAME, NULL);
	CamDatabase *database;
	CamVerdictDb *self;

	if (!create && !g_file_test(path, G_FILE_TEST_EXISTS)) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND, "there is no %s: cambiumd makes it",
			      path);
		return NULL;
	}
	database = cam_database_open(path, migrations, error);
	if (database == NULL)
		return NULL;
	self = g_new0(CamVerdictDb, 1);
	g_mutex_init(&self->mutex);
	self->database = database;
	return self;
}

void
cam_verdict_db_free(CamVerdictDb *self)
{
	if (self == NULL)
		return;
	cam_database_close(self->database);
	g_mutex_clear(&self->mutex);
	g_free(self);
}

/* ---- writing ---- */

static gboolean
put_image(CamVerdictDb *self, const CamVerdict *verdict, GError **error)
{
	const char *const values[] = {
		verdict->name_space,	  verdict->name,	  verdict->target,
		verdict->manifest_digest, verdict->config_digest, verdict->chain_id,
		verdict->store_name,
	};
	g_autoptr(CamStatement) statement = cam_database_prepare(
		self->database, "REPLACE INTO image VALUES (?, ?, ?, ?, ?, ?, ?)", error);

	if (statement == NULL)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(values); i++)
		cam_statement_bind_text(statement, (int) i + 1, values[i]);
	return cam_statement_run(statement, error);
}

static gboolean
put_verdict(CamVerdictDb *self, const CamVerdict *verdict, GError **error)
{
	g_autofree char *result = NULL;
	g_autoptr(CamStatement) statement = NULL;

	if (verdict->scanned_at == 0)
		return TRUE;
	result = cam_verdict_to_json(verdict);
	statement = cam_database_prepare(self->database,
					 "REPLACE INTO verdict VALUES (?, ?, ?, ?, ?, ?)", error);
	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, verdict->manifest_digest);
	cam_statement_bind_int(statement, 2, verdict->scanned_at);
	cam_statement_bind_int(statement, 3, verdict->looked_up_at);
	cam_statement_bind_text(statement, 4, verdict->database);
	cam_statement_bind_text(statement, 5, cam_severity_name(verdict->level));
	cam_statement_bind_text(statement, 6, result);
	return cam_statement_run(statement, error);
}

static gboolean
drop_orphans(CamVerdictDb *self, GError **error)
{
	return cam_database_exec(self->database,
				 "DELETE FROM verdict WHERE manifest_digest NOT IN "
				 "(SELECT manifest_digest FROM image)",
				 error);
}

gboolean
cam_verdict_db_put(CamVerdictDb *self, const CamVerdict *verdict, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);

	if (!cam_database_begin(self->database, error))
		return FALSE;
	if (put_image(self, verdict, error) && put_verdict(self, verdict, error) &&
	    drop_orphans(self, error) && cam_database_commit(self->database, error))
		return TRUE;
	cam_database_rollback(self->database);
	return FALSE;
}

/* ---- reading ---- */

static CamVerdict *
read_row(CamStatement *row)
{
	CamVerdict *self = cam_verdict_new();

	self->name_space = g_strdup(cam_statement_text(row, 0));
	self->name = g_strdup(cam_statement_text(row, 1));
	self->target = g_strdup(cam_statement_text(row, 2));
	self->manifest_digest = g_strdup(cam_statement_text(row, 3));
	self->config_digest = g_strdup(cam_statement_text(row, 4));
	self->chain_id = g_strdup(cam_statement_text(row, 5));
	self->store_name = g_strdup(cam_statement_text(row, 6));
	if (cam_statement_is_null(row, 7))
		return self;
	/* What cannot be read is as if it had never been scanned. */
	if (!cam_severity_parse(cam_statement_text(row, 10), &self->level) ||
	    !cam_verdict_from_json(self, cam_statement_text(row, 11)))
		return self;
	self->scanned_at = cam_statement_int(row, 7);
	self->looked_up_at = cam_statement_int(row, 8);
	self->database = g_strdup(cam_statement_text(row, 9));
	return self;
}

/* @a, @b: (nullable): values of the statement's parameters */
static GPtrArray *
select_images(CamVerdictDb *self, const char *sql, const char *a, const char *b, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(GPtrArray) found =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_verdict_free);
	g_autoptr(CamStatement) statement = cam_database_prepare(self->database, sql, error);
	gboolean row = TRUE;

	if (statement == NULL)
		return NULL;
	if (a != NULL)
		cam_statement_bind_text(statement, 1, a);
	if (b != NULL)
		cam_statement_bind_text(statement, 2, b);
	while (row) {
		if (!cam_statement_step_checked(statement, &row, error))
			return NULL;
		if (row)
			g_ptr_array_add(found, read_row(statement));
	}
	return g_steal_pointer(&found);
}

CamVerdict *
cam_verdict_db_get(CamVerdictDb *self, const char *name_space, const char *name, GError **error)
{
	g_autoptr(GPtrArray) found = select_images(
		self, SELECT_IMAGES "WHERE namespace = ? AND name = ?", name_space, name, error);

	if (found == NULL)
		return NULL;
	if (found->len > 0)
		return g_ptr_array_steal_index(found, 0);
	cam_set_error(error, CAM_ERROR_NOT_FOUND, "nothing is known about %s in namespace %s", name,
		      name_space);
	return NULL;
}

GPtrArray *
cam_verdict_db_list(CamVerdictDb *self, GError **error)
{
	return select_images(self, SELECT_IMAGES ORDER_IMAGES, NULL, NULL, error);
}

GPtrArray *
cam_verdict_db_find_chain(CamVerdictDb *self, const char *chain_id, GError **error)
{
	return select_images(self, SELECT_IMAGES "WHERE chain_id = ?" ORDER_IMAGES, chain_id, NULL,
			     error);
}

GPtrArray *
cam_verdict_db_find_target(CamVerdictDb *self, const char *target, GError **error)
{
	return select_images(self, SELECT_IMAGES "WHERE target = ?" ORDER_IMAGES, target, NULL,
			     error);
}

/* ---- forgetting ---- */

static gboolean
delete_image(CamVerdictDb *self, const char *name_space, const char *name, GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(
		self->database, "DELETE FROM image WHERE namespace = ? AND name = ?", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, name_space);
	cam_statement_bind_text(statement, 2, name);
	return cam_statement_run(statement, error);
}

gboolean
cam_verdict_db_forget(CamVerdictDb *self, const char *name_space, const char *name,
		      char **store_name, GError **error)
{
	g_autoptr(GPtrArray) alike =
		select_images(self,
			      SELECT_IMAGES "WHERE store_name = (SELECT store_name FROM image "
					    "WHERE namespace = ? AND name = ?)",
			      name_space, name, error);
	g_autoptr(GMutexLocker) locker = NULL;

	*store_name = NULL;
	if (alike == NULL)
		return FALSE;
	locker = g_mutex_locker_new(&self->mutex);
	if (!cam_database_begin(self->database, error))
		return FALSE;
	if (!delete_image(self, name_space, name, error) || !drop_orphans(self, error) ||
	    !cam_database_commit(self->database, error)) {
		cam_database_rollback(self->database);
		return FALSE;
	}
	if (alike->len == 1)
		*store_name = g_strdup(((CamVerdict *) alike->pdata[0])->store_name);
	return TRUE;
}
