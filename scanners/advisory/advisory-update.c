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
	gboolean is_feed;    /* covers whole ecosystems */
	GHashTable *covered; /* ecosystems of the records that were put; the value of one that has a
			      * record without a fixed version is not NULL */
	gboolean lookups_changed;
	CamFeedResult result;
	guint64 emptied; /* records that were changed and name no package any more */
	gboolean has_no_end;
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
	g_hash_table_unref(self->covered);
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
	self->is_feed = g_str_has_prefix(source->kind, "osv-");
	self->covered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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
			" summary, urls, published, modified, withdrawn, suite)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
	cam_statement_bind_text(statement, 12, record->suite);
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

/* Ranges are lines: one that begins with f tells of a fix. */
static void
note_covered(CamAdvisoryUpdate *self, const CamOsvAffected *affected)
{
	gboolean unfixed = affected->ranges[0] != '\0' && affected->ranges[0] != 'f' &&
			   strstr(affected->ranges, "\nf ") == NULL;
	gpointer known;

	if (!g_hash_table_lookup_extended(self->covered, affected->ecosystem, NULL, &known))
		g_hash_table_insert(self->covered, g_strdup(affected->ecosystem),
				    GINT_TO_POINTER(unfixed));
	else if (unfixed && known == NULL)
		g_hash_table_replace(self->covered, g_strdup(affected->ecosystem),
				     GINT_TO_POINTER(TRUE));
}

/* Whether a record that is not withdrawn names a package. */
static gboolean
is_live(CamAdvisoryUpdate *self, gint64 id, gboolean *live, GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self,
			"SELECT 1 FROM advisories a WHERE a.id = ? AND a.withdrawn = 0"
			" AND EXISTS (SELECT 1 FROM affected f WHERE f.advisory = a.id)",
			error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, id);
	return cam_statement_step_checked(statement, live, error);
}

static gboolean
delete_old(CamAdvisoryUpdate *self, gint64 id, const CamOsvRecord *record, GError **error)
{
	gboolean live;

	if (!is_live(self, id, &live, error))
		return FALSE;
	if (live && (record->withdrawn != 0 || record->affected->len == 0))
		self->emptied++;
	return delete_record(self, id, error);
}

gboolean
cam_advisory_update_put(CamAdvisoryUpdate *self, const char *key, const CamSha256 *digest,
			const CamOsvRecord *record, GError **error)
{
	CamSha256 stored;
	gint64 old, id;

	if (!find_record(self, key, &old, &stored, error) ||
	    (old != 0 && !delete_old(self, old, record, error)) ||
	    !insert_record(self, key, digest, record, &id, error) || !mark_seen(self, id, error))
		return FALSE;
	for (guint i = 0; i < record->affected->len; i++) {
		const CamOsvAffected *affected = g_ptr_array_index(record->affected, i);

		if (!insert_affected(self, id, affected, error))
			return cam_error_translate(error, "%s", record->id);
		if (record->withdrawn == 0)
			note_covered(self, affected);
	}
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

/* Whether anything but the time is new. */
static gboolean
is_same_lookup(const CamLookup *a, const CamLookup *b)
{
	return a != NULL && a->outcome == b->outcome && g_str_equal(a->ecosystem, b->ecosystem) &&
	       g_str_equal(a->release, b->release) && g_strcmp0(a->candidate, b->candidate) == 0 &&
	       g_strcmp0(a->suite, b->suite) == 0 && g_strcmp0(a->oldest, b->oldest) == 0 &&
	       g_strcmp0(a->reason, b->reason) == 0 && a->rules == b->rules;
}

gboolean
cam_advisory_update_set_lookup(CamAdvisoryUpdate *self, const CamLookup *lookup, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamLookup) old =
		cam_advisory_db_find_lookup(self->db, self->name, lookup->package, &local_error);
	g_autoptr(CamStatement) statement = NULL;

	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	statement = prepare(self,
			    "INSERT OR REPLACE INTO lookups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
			    " ?)",
			    error);
	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	cam_statement_bind_text(statement, 2, lookup->ecosystem);
	cam_statement_bind_text(statement, 3, lookup->package);
	cam_statement_bind_int(statement, 4, lookup->outcome);
	cam_statement_bind_text(statement, 5, lookup->release);
	cam_statement_bind_text(statement, 6, lookup->candidate);
	cam_statement_bind_text(statement, 7, lookup->suite);
	cam_statement_bind_text(statement, 8, lookup->oldest);
	cam_statement_bind_text(statement, 9, lookup->reason);
	cam_statement_bind_int(statement, 10, lookup->looked_at);
	cam_statement_bind_int(statement, 11, lookup->rules);
	if (!is_same_lookup(old, lookup))
		self->lookups_changed = TRUE;
	return cam_statement_run(statement, error);
}

/* "/" and "0" are neighbours: what lies below "curl/" is less than "curl0". */
gboolean
cam_advisory_update_remove_unseen_below(CamAdvisoryUpdate *self, const char *package,
					GError **error)
{
	g_autofree char *first = g_strconcat(package, "/", NULL);
	g_autofree char *end = g_strconcat(package, "0", NULL);
	g_autoptr(CamStatement) statement =
		prepare(self,
			"DELETE FROM advisories WHERE source = ? AND key >= ? AND key < ?"
			" AND id NOT IN (SELECT id FROM temp.seen)",
			error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	cam_statement_bind_text(statement, 2, first);
	cam_statement_bind_text(statement, 3, end);
	if (!cam_statement_run(statement, error))
		return FALSE;
	self->result.removed += cam_database_changes(self->database);
	return TRUE;
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

guint64
cam_advisory_update_count_lost(CamAdvisoryUpdate *self)
{
	return self->result.removed + self->emptied;
}

gboolean
cam_advisory_update_count_records(CamAdvisoryUpdate *self, guint64 *records, GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self, "SELECT count(*) FROM advisories WHERE source = ?", error);
	gboolean row;

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	if (!cam_statement_step_checked(statement, &row, error))
		return FALSE;
	*records = (guint64) cam_statement_int(statement, 0);
	return TRUE;
}

void
cam_advisory_update_set_no_end(CamAdvisoryUpdate *self)
{
	self->has_no_end = TRUE;
}

static gboolean
update_source(CamAdvisoryUpdate *self, const char *version, gint64 date, const char *note,
	      GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self,
			"UPDATE sources SET version = ?2, updated = ?3, note = ?4, no_end = ?6,"
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
	cam_statement_bind_int(statement, 6, self->has_no_end);
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

/* Puts down which ecosystems the source covers since these records came in. */
static gboolean
add_covered(CamAdvisoryUpdate *self, GError **error)
{
	g_autoptr(CamStatement) statement =
		prepare(self,
			"INSERT INTO covered (source, ecosystem, unfixed) VALUES (?, ?, ?)"
			" ON CONFLICT DO UPDATE SET unfixed = max(unfixed, excluded.unfixed)",
			error);
	GHashTableIter iter;
	gpointer ecosystem, unfixed;

	if (statement == NULL)
		return FALSE;
	g_hash_table_iter_init(&iter, self->covered);
	while (g_hash_table_iter_next(&iter, &ecosystem, &unfixed)) {
		cam_statement_bind_int(statement, 1, self->source);
		cam_statement_bind_text(statement, 2, ecosystem);
		cam_statement_bind_int(statement, 3, unfixed != NULL);
		if (!cam_statement_run(statement, error))
			return FALSE;
	}
	return TRUE;
}

#define RECORDS_OF_COVERED                                                              \
	"SELECT 1 FROM packages p JOIN affected f ON f.package = p.id"                  \
	" JOIN advisories a ON a.id = f.advisory WHERE p.ecosystem = covered.ecosystem" \
	" AND a.source = covered.source AND a.withdrawn = 0"

/* What was removed or changed may have been the last record of an ecosystem, or the last one
 * without a fixed version. */
static gboolean
check_covered(CamAdvisoryUpdate *self, GError **error)
{
	g_autoptr(CamStatement) remove = prepare(
		self,
		"DELETE FROM covered WHERE source = ? AND NOT EXISTS (" RECORDS_OF_COVERED ")",
		error);
	g_autoptr(CamStatement) lower =
		remove != NULL ? prepare(self,
					 "UPDATE covered SET unfixed = EXISTS (" RECORDS_OF_COVERED
					 " AND f.ranges != ''"
					 " AND instr(char(10) || f.ranges, char(10) || 'f ') = 0)"
					 " WHERE source = ? AND unfixed",
					 error)
			       : NULL;

	if (lower == NULL)
		return FALSE;
	cam_statement_bind_int(remove, 1, self->source);
	cam_statement_bind_int(lower, 1, self->source);
	return cam_statement_run(remove, error) && cam_statement_run(lower, error);
}

/* How many packages of each ecosystem the source names: a few do not make a release judged. */
static gboolean
count_covered(CamAdvisoryUpdate *self, GError **error)
{
	g_autoptr(CamStatement) statement = prepare(
		self,
		"UPDATE covered SET packages = (" CAM_PACKAGES_OF_COVERED ") WHERE source = ?",
		error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	return cam_statement_run(statement, error);
}

gboolean
cam_advisory_update_commit(CamAdvisoryUpdate *self, const char *version, gint64 date,
			   const char *note, CamFeedResult *result, GError **error)
{
	gboolean fewer = self->result.changed + self->result.removed > 0;
	gboolean changed = fewer || self->result.added > 0 || self->lookups_changed;

	if ((self->is_feed && !add_covered(self, error)) ||
	    (self->is_feed && fewer && !check_covered(self, error)) ||
	    (self->is_feed && changed && !count_covered(self, error)) ||
	    !update_source(self, version, date, note, error) ||
	    (changed && !change_version(self, error)) ||
	    !cam_database_commit(self->database, error))
		return cam_error_translate(error, "%s", self->name);
	self->open = FALSE;
	if (result != NULL)
		*result = self->result;
	return TRUE;
}

gboolean
cam_advisory_db_remove_source(CamAdvisoryDb *db, const char *name, GError **error)
{
	CamAdvisorySource source = { .name = (char *) name, .kind = (char *) "" };
	g_autoptr(CamAdvisoryUpdate) self = NULL;
	g_autoptr(CamStatement) statement = NULL;

	self = cam_advisory_update_begin(db, &source, error);
	if (self == NULL)
		return FALSE;
	/* All that belongs to a source goes with it, as the tables are declared. */
	statement = prepare(self, "DELETE FROM sources WHERE id = ?", error);
	if (statement == NULL)
		return FALSE;
	cam_statement_bind_int(statement, 1, self->source);
	if (!cam_statement_run(statement, error) || !change_version(self, error) ||
	    !cam_database_commit(self->database, error))
		return cam_error_translate(error, "%s", name);
	self->open = FALSE;
	return TRUE;
}
