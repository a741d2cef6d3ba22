/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The advisory database: its schema, its sources, and the rows that concern one package. Feeds
 * write through advisory-update.c; how rows of several sources become matches is
 * advisory-match.c's.
 */
#include "scanners/advisory/advisory-db.h"

#include <string.h>

#include "scanners/advisory/advisory-db-private.h"
#include "scanners/advisory/advisory-match.h"

struct _CamAdvisoryDb {
	GObject parent_instance;
	CamDatabase *database;
	char *version;
};

G_DEFINE_FINAL_TYPE(CamAdvisoryDb, cam_advisory_db, G_TYPE_OBJECT)

/*
 * advisories.identities: the CVEs that a record stands for, else its id. affected.ranges: see
 * version-ranges.h. affected is clustered by package: what a scan asks for lies together.
 */
static const char *const migrations[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" kind TEXT NOT NULL, url TEXT, version TEXT NOT NULL, date INTEGER NOT NULL,"
	" updated INTEGER NOT NULL, records INTEGER NOT NULL, note TEXT);"
	"CREATE TABLE advisories (id INTEGER PRIMARY KEY,"
	" source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, key TEXT NOT NULL,"
	" digest BLOB NOT NULL, record TEXT NOT NULL, identities TEXT NOT NULL,"
	" aliases TEXT NOT NULL, summary TEXT, urls TEXT NOT NULL, published INTEGER NOT NULL,"
	" modified INTEGER NOT NULL, withdrawn INTEGER NOT NULL, UNIQUE (source, key));"
	"CREATE TABLE packages (id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL,"
	" name TEXT NOT NULL, UNIQUE (ecosystem, name));"
	"CREATE TABLE affected (package INTEGER NOT NULL REFERENCES packages,"
	" advisory INTEGER NOT NULL REFERENCES advisories ON DELETE CASCADE,"
	" ranges TEXT NOT NULL, severity INTEGER NOT NULL, score REAL NOT NULL, vector TEXT,"
	" PRIMARY KEY (package, advisory)) WITHOUT ROWID;"
	"CREATE INDEX affected_by_advisory ON affected (advisory);"
	"INSERT INTO meta VALUES ('version', '');",
	/* Which version of which source package a changelog source has read. */
	"CREATE TABLE derived (source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,"
	" package TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (source, package))"
	" WITHOUT ROWID;",
	/* What was derived before said only that a changelog was read, not how far back: its
	 * packages are looked up again before they count as judged. */
	"DROP TABLE derived;"
	"CREATE TABLE lookups (source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,"
	" ecosystem TEXT NOT NULL, package TEXT NOT NULL, outcome INTEGER NOT NULL,"
	" release TEXT NOT NULL, candidate TEXT, suite TEXT, oldest TEXT, reason TEXT,"
	" looked_at INTEGER NOT NULL, rules INTEGER NOT NULL,"
	" PRIMARY KEY (ecosystem, package, source)) WITHOUT ROWID;"
	"CREATE TABLE covered (source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,"
	" ecosystem TEXT NOT NULL, unfixed INTEGER NOT NULL, PRIMARY KEY (ecosystem, source))"
	" WITHOUT ROWID;"
	"INSERT INTO covered SELECT a.source, p.ecosystem, max(f.ranges != ''"
	"  AND instr(char(10) || f.ranges, char(10) || 'f ') = 0) FROM sources s JOIN advisories a "
	"ON a.source = s.id"
	" JOIN affected f ON f.advisory = a.id JOIN packages p ON p.id = f.package"
	" WHERE s.kind LIKE 'osv-%' AND a.withdrawn = 0 GROUP BY a.source, p.ecosystem;",
	/* Of what was read before it is not known whether it had an end; it is read again soon. */
	"ALTER TABLE sources ADD COLUMN no_end INTEGER NOT NULL DEFAULT 0;",
	/* Names of ecosystems are written otherwise: all feeds are read anew with the next update.
	 */
	"UPDATE sources SET version = '' WHERE kind LIKE 'osv-%';"
	"UPDATE advisories SET digest = x'' WHERE source IN"
	" (SELECT id FROM sources WHERE kind LIKE 'osv-%');",
	/* Of a changelog's record: see CamOsvRecord. */
	"ALTER TABLE advisories ADD COLUMN suite TEXT;",
	/* A new version: what was judged before by a feed of a few packages may not be. */
	"ALTER TABLE covered ADD COLUMN packages INTEGER NOT NULL DEFAULT 0;"
	"UPDATE covered SET packages = (" CAM_PACKAGES_OF_COVERED ");"
	"UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'version' AND value != '';",
	NULL,
};

static void
cam_advisory_db_finalize(GObject *object)
{
	CamAdvisoryDb *self = CAM_ADVISORY_DB(object);

	g_clear_pointer(&self->database, cam_database_close);
	g_free(self->version);
	G_OBJECT_CLASS(cam_advisory_db_parent_class)->finalize(object);
}

static void
cam_advisory_db_class_init(CamAdvisoryDbClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_advisory_db_finalize;
}

static void
cam_advisory_db_init(CamAdvisoryDb *self)
{
}

CamAdvisoryDb *
cam_advisory_db_open(const char *path, GError **error)
{
	g_autoptr(CamAdvisoryDb) self = g_object_new(CAM_TYPE_ADVISORY_DB, NULL);

	self->database = cam_database_open(path, migrations, error);
	if (self->database == NULL) {
		cam_error_translate(error, "the advisory database");
		return NULL;
	}
	return g_steal_pointer(&self);
}

CamDatabase *
cam_advisory_db_get_database(CamAdvisoryDb *self)
{
	return self->database;
}

const char *
cam_advisory_db_get_version(CamAdvisoryDb *self)
{
	g_autoptr(CamStatement) statement = NULL;

	g_return_val_if_fail(CAM_IS_ADVISORY_DB(self), NULL);

	/* Asked anew each time: another process may have updated. */
	statement = cam_database_prepare(self->database,
					 "SELECT value FROM meta WHERE key = 'version'", NULL);
	if (statement != NULL && cam_statement_step(statement, NULL)) {
		g_free(self->version);
		self->version = g_strdup(cam_statement_text(statement, 0));
	}
	return self->version != NULL ? self->version : "";
}

gboolean
cam_advisory_db_begin_read(CamAdvisoryDb *self, GError **error)
{
	g_return_val_if_fail(CAM_IS_ADVISORY_DB(self), FALSE);

	return cam_database_begin_read(self->database, error);
}

void
cam_advisory_db_end_read(CamAdvisoryDb *self)
{
	g_return_if_fail(CAM_IS_ADVISORY_DB(self));

	cam_database_end_read(self->database);
}

void
cam_advisory_source_free(CamAdvisorySource *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_free(self->kind);
	g_free(self->url);
	g_free(self->version);
	g_free(self->note);
	g_free(self);
}

#define SOURCE_COLUMNS "name, kind, url, version, date, updated, records, note, no_end"

static CamAdvisorySource *
read_source(CamStatement *row)
{
	CamAdvisorySource *source = g_new0(CamAdvisorySource, 1);

	source->name = g_strdup(cam_statement_text(row, 0));
	source->kind = g_strdup(cam_statement_text(row, 1));
	source->url = g_strdup(cam_statement_text(row, 2));
	source->version = g_strdup(cam_statement_text(row, 3));
	source->date = cam_statement_int(row, 4);
	source->updated = cam_statement_int(row, 5);
	source->records = cam_statement_int(row, 6);
	source->note = g_strdup(cam_statement_text(row, 7));
	source->completeness_unknown = cam_statement_int(row, 8) != 0;
	return source;
}

GPtrArray *
cam_advisory_db_list_sources(CamAdvisoryDb *self, GError **error)
{
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_advisory_source_free);
	g_autoptr(CamStatement) statement = NULL;
	gboolean row;

	g_return_val_if_fail(CAM_IS_ADVISORY_DB(self), NULL);

	statement = cam_database_prepare(
		self->database, "SELECT " SOURCE_COLUMNS " FROM sources ORDER BY name", error);
	if (statement == NULL)
		return NULL;
	while (cam_statement_step_checked(statement, &row, error)) {
		if (!row)
			return g_steal_pointer(&sources);
		g_ptr_array_add(sources, read_source(statement));
	}
	return NULL;
}

CamAdvisorySource *
cam_advisory_db_find_source(CamAdvisoryDb *self, const char *name, GError **error)
{
	g_autoptr(CamStatement) statement = cam_database_prepare(
		self->database, "SELECT " SOURCE_COLUMNS " FROM sources WHERE name = ?", error);
	gboolean row;

	if (statement == NULL)
		return NULL;
	cam_statement_bind_text(statement, 1, name);
	if (!cam_statement_step_checked(statement, &row, error) || !row)
		return NULL;
	return read_source(statement);
}

static gboolean
has_rows(CamAdvisoryDb *self, const char *ecosystem, gboolean *has, GError **error)
{
	g_autoptr(CamStatement) statement =
		cam_database_prepare(self->database,
				     "SELECT 1 FROM packages p JOIN affected f"
				     " ON f.package = p.id WHERE p.ecosystem = ? LIMIT 1",
				     error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, ecosystem);
	return cam_statement_step_checked(statement, has, error);
}

gboolean
cam_advisory_db_has_ecosystem(CamAdvisoryDb *self, const char *ecosystem, gboolean *has,
			      GError **error)
{
	g_autoptr(GPtrArray) scopes = cam_ecosystem_list_scopes(ecosystem);

	g_return_val_if_fail(CAM_IS_ADVISORY_DB(self), FALSE);

	*has = FALSE;
	for (guint i = 0; i < scopes->len && !*has; i++) {
		const CamScopedEcosystem *scoped = g_ptr_array_index(scopes, i);

		if (scoped->scope != CAM_SCOPE_FIPS &&
		    !has_rows(self, scoped->ecosystem, has, error))
			return FALSE;
	}
	return TRUE;
}

char *
cam_advisory_join(char **list)
{
	return g_strjoinv("\n", list);
}

char **
cam_advisory_split(const char *text)
{
	return text[0] == '\0' ? g_new0(char *, 1) : g_strsplit(text, "\n", -1);
}

static char *
name_source(const char *source, const char *suite)
{
	return suite != NULL ? g_strdup_printf("%s (%s)", source, suite) : g_strdup(source);
}

/* Reads what a match needs of a row; the expensive columns only of one that matches. */
static CamAdvisoryRow *
read_row(CamStatement *statement, CamVersionCompare compare, const char *version)
{
	g_autofree char *fixed = NULL;
	CamAdvisoryRow *row;
	gboolean affected = cam_version_ranges_match(cam_statement_text(statement, 0), compare,
						     version, &fixed);

	row = g_new0(CamAdvisoryRow, 1);
	row->affected = affected;
	row->identities = cam_advisory_split(cam_statement_text(statement, 1));
	row->kind = g_strdup(cam_statement_text(statement, 2));
	if (!affected)
		return row;
	row->fixed = g_steal_pointer(&fixed);
	row->source =
		name_source(cam_statement_text(statement, 3), cam_statement_text(statement, 12));
	row->aliases = cam_advisory_split(cam_statement_text(statement, 4));
	row->summary = g_strdup(cam_statement_text(statement, 5));
	row->references = cam_advisory_split(cam_statement_text(statement, 6));
	row->published = cam_statement_int(statement, 7);
	row->modified = cam_statement_int(statement, 8);
	row->severity = cam_statement_int(statement, 9);
	row->score = cam_statement_double(statement, 10);
	row->vector = g_strdup(cam_statement_text(statement, 11));
	return row;
}

/* Adds what is known of the package in one ecosystem. */
static gboolean
add_rows(CamAdvisoryDb *self, const CamScopedEcosystem *scoped, guint track, const char *package,
	 const char *version, GPtrArray *rows, GError **error)
{
	CamVersionCompare compare = cam_version_compare_for_ecosystem(scoped->ecosystem);
	g_autoptr(CamStatement) statement = cam_database_prepare(
		self->database,
		"SELECT f.ranges, a.identities, s.kind, s.name, a.aliases, a.summary, a.urls,"
		" a.published, a.modified, f.severity, f.score, f.vector, a.suite"
		" FROM packages p JOIN affected f ON f.package = p.id"
		" JOIN advisories a ON a.id = f.advisory JOIN sources s ON s.id = a.source"
		" WHERE p.ecosystem = ? AND p.name = ? AND a.withdrawn = 0"
		" ORDER BY s.name, a.record",
		error);
	gboolean more;

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, scoped->ecosystem);
	cam_statement_bind_text(statement, 2, package);
	while (cam_statement_step_checked(statement, &more, error)) {
		CamAdvisoryRow *row;

		if (!more)
			return TRUE;
		row = read_row(statement, compare, version);
		row->scope = scoped->scope;
		row->track = track;
		g_ptr_array_add(rows, row);
	}
	return FALSE;
}

GPtrArray *
cam_advisory_db_match(CamAdvisoryDb *self, const char *ecosystem, const char *package,
		      const char *version, GError **error)
{
	g_autoptr(GPtrArray) scopes = cam_ecosystem_list_scopes(ecosystem);
	g_autoptr(GPtrArray) rows =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_advisory_row_free);

	g_return_val_if_fail(CAM_IS_ADVISORY_DB(self), NULL);

	for (guint i = 0; i < scopes->len; i++)
		if (!add_rows(self, g_ptr_array_index(scopes, i), i, package, version, rows, error))
			return NULL;
	return cam_advisory_match_rows(rows, cam_build_of(package, version),
				       cam_version_compare_for_ecosystem(ecosystem));
}
