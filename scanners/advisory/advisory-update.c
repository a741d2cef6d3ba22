/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Refreshing one source of the advisory database: one transaction, records compared by digest, what
 * a feed no longer has removed. Owns no format: feeds bring parsed records.
 */
#include "scanners/advisory/advisory-db-private.h"

#include <string.h>

struct _CamAdvisoryUpdate {
	CamAdvisoryDb *db;
	CamDatabase *database;
	gint64 source; /* rowid */
	char *name;
	CamFeedResult result;
	gboolean open;
};

void
cam_advisory_update_free(CamAdvisoryUpdate *self)
{
	if (self == NULL)
		return;
	if (self->open)
		cam_database_rollback(self->database);
	g_clear_object(&self->db);
	g_free(self->name);
	g_free(self);
}

/* Statements come from the database's cache: preparing one again is a look-up. */
static CamStatement *
prepare(CamAdvisoryUpdate *self, const char *sql, GError **error)
{
	return cam_database_prepare(self->database, sql, error);
}

static gboolean
find_source(CamAdvisoryUpdate *self, const CamAdvisorySource *source, GError **error)
{
	g_autoptr(CamStatement) insert = NULL, find = NULL;
	gboolean row;

	insert = prepare(self,
			 "INSERT INTO sources (name, kind, url, version, date, updated, records)"
			 " VALUES (?, ?, ?, '', 0, 0, 0) ON CONFLICT (name) DO UPDATE"
			 " SET kind = excluded.kind, url = excluded.url",
			 error);
	find = insert != NULL ? prepare(self, "SELECT id FROM sources WHERE name = ?", error)
			      : NULL;
	if (find == NULL)
		return FALSE;
	cam_statement_bind_text(insert, 1, source->name);
	cam_statement_bind_text(insert, 2, source->kind);
	cam_statement_bind_text(insert, 3, source->url);
	if (!cam_statement_run(insert, error))
		return FALSE;
	cam_statement_bind_text(find, 1, source->name);
	if (!cam_statement_step_checked(find, &row, error))
		return FALSE;
	self->source = cam_statement_int(find, 0);
	return TRUE;
}

CamAdvisoryUpdate *
cam_advisory_update_begin(CamAdvisoryDb *db, const CamAdvisorySource *source, GError **error)
{
	g_autoptr(CamAdvisoryUpdate) self = g_new0(CamAdvisoryUpdate, 1);

	self->db = g_object_ref(db);
	self->database = cam_advisory_db_get_database(db);
	self->name = g_strdup(source->name);
	/* The list of what was seen is on disk, not in memory: feeds have any size. */
	if (!cam_database_exec(self->database,
			       "CREATE TEMP TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY)",
			       error) ||
	    !cam_database_begin(self->database, error))
		return NULL;
	self->open = TRUE;
	if (!cam_database_exec(self->database, "DELETE FROM temp.seen", error) ||
	    !find_source(self, source, error))
		return NULL;
	return g_steal_pointer(&self);
}

static gboolean
mark_seen(CamAdvisoryUpdate *self, gint64 id, GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self, "INSERT OR IGNORE INTO temp.seen VALUES (?)", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, id);
	return cam_statement_run(statement, error);
}

/* *@id: 0 where there is no such record. @digest: (out). */
static gboolean
find_record(CamAdvisoryUpdate *self, const char *key, gint64 *id, CamSha256 *digest, GError **error)
{
	g_autoptr(CamStatement) statement = prepare(
		self, "SELECT id, digest FROM advisories WHERE source = ? AND key = ?", error);
	gconstpointer blob;
	gboolean row;
	gsize size;

	*id = 0;
	memset(digest, 0, sizeof(*digest));
	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	cam_statement_bind_text(statement, 2, key);
	if (!cam_statement_step_checked(statement, &row, error))
		return FALSE;
	if (!row)
		return TRUE;
	*id = cam_statement_int(statement, 0);
	blob = cam_statement_blob(statement, 1, &size);
	if (size == sizeof(*digest))
		memcpy(digest, blob, size);
	return TRUE;
}

gboolean
cam_advisory_update_is_known(CamAdvisoryUpdate *self, const char *key, const CamSha256 *digest,
			     GError **error)
{
	CamSha256 stored;
	gint64 id;

	if (!find_record(self, key, &id, &stored, error) || id == 0 ||
	    memcmp(&stored, digest, sizeof(stored)) != 0)
		return FALSE;
	if (!mark_seen(self, id, error))
		return FALSE;
	self->result.unchanged++;
	return TRUE;
}

static gboolean
delete_record(CamAdvisoryUpdate *self, gint64 id, GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self, "DELETE FROM advisories WHERE id = ?", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, id);
	return cam_statement_run(statement, error);
}

static gboolean
insert_record(CamAdvisoryUpdate *self, const char *key, const CamSha256 *digest,
	      const CamOsvRecord *record, gint64 *id, GError **error)
{
	g_autofree char *identities = cam_advisory_join(record->identities);
	g_autofree char *aliases = cam_advisory_join(record->aliases);
	g_autofree char *references = cam_advisory_join(record->references);
	g_autoptr(CamStatement) statement =
		prepare(self,
			"INSERT INTO advisories (source, key, digest, record, identities, aliases,"
			" summary, urls, published, modified, withdrawn)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	cam_statement_bind_text(statement, 2, key);
	cam_statement_bind_blob(statement, 3, digest, sizeof(*digest));
	cam_statement_bind_text(statement, 4, record->id);
	cam_statement_bind_text(statement, 5, identities);
	cam_statement_bind_text(statement, 6, aliases);
	cam_statement_bind_text(statement, 7, record->summary);
	cam_statement_bind_text(statement, 8, references);
	cam_statement_bind_int(statement, 9, record->published);
	cam_statement_bind_int(statement, 10, record->modified);
	cam_statement_bind_int(statement, 11, record->withdrawn);
	if (!cam_statement_run(statement, error))
		return FALSE;
	*id = cam_database_last_rowid(self->database);
	return TRUE;
}

/* Package ids are never given back: there are few, and others may know them. */
static gboolean
insert_affected(CamAdvisoryUpdate *self, gint64 id, const CamOsvAffected *affected, GError **error)
{
	g_autoptr(CamStatement) package = NULL, row = NULL;

	package = prepare(self, "INSERT OR IGNORE INTO packages (ecosystem, name) VALUES (?, ?)",
			  error);
	row = package != NULL
		      ? prepare(self,
				"INSERT INTO affected (package, advisory, ranges, severity, score,"
				" vector) SELECT id, ?, ?, ?, ?, ? FROM packages"
				" WHERE ecosystem = ? AND name = ?",
				error)
		      : NULL;
	if (row == NULL)
		return FALSE;
	cam_statement_bind_text(package, 1, affected->ecosystem);
	cam_statement_bind_text(package, 2, affected->package);
	if (!cam_statement_run(package, error))
		return FALSE;
	cam_statement_bind_int(row, 1, id);
	cam_statement_bind_text(row, 2, affected->ranges);
	cam_statement_bind_int(row, 3, affected->severity.severity);
	cam_statement_bind_double(row, 4, affected->severity.score);
	cam_statement_bind_text(row, 5, affected->severity.vector);
	cam_statement_bind_text(row, 6, affected->ecosystem);
	cam_statement_bind_text(row, 7, affected->package);
	return cam_statement_run(row, error);
}

gboolean
cam_advisory_update_put(CamAdvisoryUpdate *self, const char *key, const CamSha256 *digest,
			const CamOsvRecord *record, GError **error)
{
	CamSha256 stored;
	gint64 old, id;

	if (!find_record(self, key, &old, &stored, error) ||
	    (old != 0 && !delete_record(self, old, error)) ||
	    !insert_record(self, key, digest, record, &id, error) || !mark_seen(self, id, error))
		return FALSE;
	for (guint i = 0; i < record->affected->len; i++)
		if (!insert_affected(self, id, g_ptr_array_index(record->affected, i), error))
			return cam_error_translate(error, "%s", record->id);
	if (old != 0)
		self->result.changed++;
	else
		self->result.added++;
	return TRUE;
}

gboolean
cam_advisory_update_remove(CamAdvisoryUpdate *self, const char *key, GError **error)
{
	CamSha256 stored;
	gint64 id;

	if (!find_record(self, key, &id, &stored, error))
		return FALSE;
	if (id == 0)
		return TRUE;
	self->result.removed++;
	return delete_record(self, id, error);
}

gboolean
cam_advisory_update_set_derived(CamAdvisoryUpdate *self, const char *package, const char *version,
				GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self, "INSERT OR REPLACE INTO derived VALUES (?, ?, ?)", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	cam_statement_bind_text(statement, 2, package);
	cam_statement_bind_text(statement, 3, version);
	return cam_statement_run(statement, error);
}

gboolean
cam_advisory_update_remove_unseen(CamAdvisoryUpdate *self, GError **error)
{
	g_autoptr(CamStatement) statement = prepare(
		self,
		"DELETE FROM advisories WHERE source = ? AND id NOT IN (SELECT id FROM temp.seen)",
		error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	if (!cam_statement_run(statement, error))
		return FALSE;
	self->result.removed += cam_database_changes(self->database);
	return TRUE;
}

gboolean
cam_advisory_update_keep(CamAdvisoryUpdate *self, const char *key, GError **error)
{
	CamSha256 stored;
	gint64 id;

	self->result.malformed++;
	if (key == NULL)
		return TRUE;
	if (!find_record(self, key, &id, &stored, error))
		return FALSE;
	return id == 0 || mark_seen(self, id, error);
}

void
cam_advisory_update_count_unchanged(CamAdvisoryUpdate *self, guint64 n)
{
	self->result.unchanged += n;
}

const CamFeedResult *
cam_advisory_update_get_result(CamAdvisoryUpdate *self)
{
	return &self->result;
}

static gboolean
update_source(CamAdvisoryUpdate *self, const char *version, gint64 date, const char *note,
	      GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self,
			"UPDATE sources SET version = ?2, updated = ?3, note = ?4,"
			" records = (SELECT count(*) FROM advisories WHERE source = ?1),"
			" date = iif(?5 != 0, ?5,"
			"  (SELECT ifnull(max(modified), 0) FROM advisories WHERE source = ?1))"
			" WHERE id = ?1",
			error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	cam_statement_bind_text(statement, 2, version);
	cam_statement_bind_int(statement, 3, g_get_real_time() / G_USEC_PER_SEC);
	cam_statement_bind_text(statement, 4, note);
	cam_statement_bind_int(statement, 5, date);
	return cam_statement_run(statement, error);
}

/* A new name for what the database says now. Random: two histories may meet in one count of changes
 * but not in one name. */
static gboolean
change_version(CamAdvisoryUpdate *self, GError **error)
{
	g_autofree char *name = g_uuid_string_random();
	g_autoptr(CamStatement) statement =
		prepare(self, "UPDATE meta SET value = ? WHERE key = 'version'", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, name);
	return cam_statement_run(statement, error);
}

gboolean
cam_advisory_update_commit(CamAdvisoryUpdate *self, const char *version, gint64 date,
			   const char *note, CamFeedResult *result, GError **error)
{
	gboolean changed = self->result.added + self->result.changed + self->result.removed > 0;

	if (!update_source(self, version, date, note, error) ||
	    (changed && !change_version(self, error)) ||
	    !cam_database_commit(self->database, error))
		return cam_error_translate(error, "%s", self->name);
	self->open = FALSE;
	if (result != NULL)
		*result = self->result;
	return TRUE;
}
