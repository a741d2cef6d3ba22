/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which packages the database judges: by feeds, by look-ups, and after a change of schema. */
#include <fcntl.h>
#include <string.h>

#include "scanners/advisory/advisory-db-private.h"

static CamAdvisoryUpdate *
begin(CamAdvisoryDb *db, const char *name, const char *kind)
{
	const CamAdvisorySource source = { .name = (char *) name,
					   .kind = (char *) kind,
					   .url = (char *) "/s" };
	g_autoptr(GError) error = NULL;
	CamAdvisoryUpdate *update = cam_advisory_update_begin(db, &source, &error);

	g_assert_no_error(error);
	return update;
}

static void
commit(CamAdvisoryUpdate *update)
{
	g_autoptr(GError) error = NULL;

	cam_advisory_update_commit(update, "v", 0, NULL, NULL, &error);
	g_assert_no_error(error);
}

/* A record of curl and of @n packages more in @ecosystem whose range ends with @last. */
static void
put_many(CamAdvisoryUpdate *update, const char *id, const char *ecosystem, const char *last,
	 guint n)
{
	g_autofree char *json = g_strdup_printf(
		"{\"id\":\"%s\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{\"package\":{"
		"\"ecosystem\":\"%s\",\"name\":\"curl\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
		"\"events\":[{\"introduced\":\"0\"}%s]}]}]}",
		id, ecosystem, last);
	g_autofree char *digest_text = cam_digest_for_data(json, strlen(json));
	g_autoptr(GError) error = NULL;
	g_autoptr(CamOsvRecord) record = cam_osv_record_parse(json, strlen(json), &error);
	CamSha256 digest;

	g_assert_no_error(error);
	for (guint i = 0; i < n; i++) {
		const CamOsvAffected *curl = g_ptr_array_index(record->affected, 0);
		g_autofree char *name = g_strdup_printf("package-%u", i);

		g_ptr_array_add(record->affected,
				cam_osv_affected_new(curl->ecosystem, name, curl->ranges));
	}
	g_assert_true(cam_digest_to_sha256(digest_text, &digest, NULL));
	cam_advisory_update_put(update, id, &digest, record, &error);
	g_assert_no_error(error);
}

/* As a vendor's feed, which names a release's packages by the hundred. */
static void
put(CamAdvisoryUpdate *update, const char *id, const char *ecosystem, const char *last)
{
	put_many(update, id, ecosystem, last, 200);
}

#define FIXED ",{\"fixed\":\"2\"}"

static char *
describe(CamAdvisoryDb *db, const char *ecosystem, const char *package, const char *version)
{
	g_auto(CamCoverage) coverage = { 0 };
	g_autoptr(GError) error = NULL;

	cam_advisory_db_get_coverage(db, ecosystem, package, version, &coverage, &error);
	g_assert_no_error(error);
	g_assert_cmpint(coverage.fixes, ==, coverage.reason == NULL);
	return g_strdup_printf("%s%s%s", coverage.fixes ? "fixes" : "",
			       coverage.unfixed ? " unfixed" : "",
			       coverage.reason != NULL ? coverage.reason : "");
}

#define assert_coverage(db, ecosystem, package, version, expected)                  \
	G_STMT_START                                                                \
	{                                                                           \
		g_autofree char *text_ = describe(db, ecosystem, package, version); \
		g_assert_cmpstr(text_, ==, expected);                               \
	}                                                                           \
	G_STMT_END

static void
test_feeds(void)
{
	g_autoptr(CamAdvisoryDb) db = cam_advisory_db_open(":memory:", NULL);
	CamAdvisoryUpdate *update = begin(db, "a", "osv-git");

	assert_coverage(db, "Debian:12", "curl", "1", "no source for Debian:12");
	put(update, "CVE-2023-1", "Debian:12", FIXED);
	put(update, "CVE-2023-2", "Ubuntu:22.04:LTS", "");
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "other", "1", "fixes");
	assert_coverage(db, "Ubuntu:22.04", "other", "1", "fixes unfixed");
	assert_coverage(db, "Ubuntu:22.04:LTS", "other", "1", "fixes unfixed");
	assert_coverage(db, "Debian:13", "curl", "1", "no source for Debian:13");

	/* another feed that tells of what has no fix, and then no longer does */
	update = begin(db, "b", "osv-jsonl");
	put(update, "CVE-2023-3", "Debian:12", "");
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "other", "1", "fixes unfixed");
	update = begin(db, "b", "osv-jsonl");
	put(update, "CVE-2023-3", "Debian:12", FIXED);
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "other", "1", "fixes");

	/* the last records of an ecosystem go */
	update = begin(db, "a", "osv-git");
	g_assert_true(cam_advisory_update_remove_unseen(update, NULL));
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Ubuntu:22.04", "other", "1", "no source for Ubuntu:22.04");
	assert_coverage(db, "Debian:12", "other", "1", "fixes");

	/* of an update that was given up nothing stays */
	update = begin(db, "a", "osv-git");
	put(update, "CVE-2023-2", "Ubuntu:22.04", "");
	cam_advisory_update_free(update);
	assert_coverage(db, "Ubuntu:22.04", "other", "1", "no source for Ubuntu:22.04");
}

/* A feed of a few packages does not make a release judged, not even with others like it. */
static void
test_small_feeds(void)
{
	g_autoptr(CamAdvisoryDb) db = cam_advisory_db_open(":memory:", NULL);
	CamAdvisoryUpdate *update = begin(db, "ours", "osv-git");

	put_many(update, "X-1", "Debian:12", FIXED, 0);
	commit(update);
	cam_advisory_update_free(update);
	update = begin(db, "theirs", "osv-git");
	put_many(update, "X-2", "Debian:12", "", 98);
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "curl", "1", "fixes unfixed");
	assert_coverage(db, "Debian:12", "package-1", "1", "fixes unfixed");
	assert_coverage(db, "Debian:12", "other", "1", "no source for Debian:12");

	/* The vendor's comes beside them, and goes. */
	update = begin(db, "vendor", "osv-git");
	put(update, "X-3", "Debian:12", FIXED);
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "other", "1", "fixes");
	update = begin(db, "vendor", "osv-git");
	put_many(update, "X-3", "Debian:12", FIXED, 1);
	g_assert_true(cam_advisory_update_remove_unseen(update, NULL));
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "other", "1", "no source for Debian:12");
}

static void
set_lookup(CamAdvisoryDb *db, const char *source, const char *package, CamLookupOutcome outcome,
	   const char *candidate)
{
	const CamLookup lookup = { .ecosystem = (char *) "Debian:12",
				   .package = (char *) package,
				   .outcome = outcome,
				   .release = (char *) "bookworm",
				   .candidate = (char *) candidate,
				   .looked_at = g_get_real_time() / G_USEC_PER_SEC };
	g_autoptr(CamAdvisoryUpdate) update = begin(db, source, "debian-changelog");
	g_autoptr(GError) error = NULL;

	cam_advisory_update_set_lookup(update, &lookup, &error);
	g_assert_no_error(error);
	commit(update);
}

static void
test_lookups(void)
{
	g_autoptr(CamAdvisoryDb) db = cam_advisory_db_open(":memory:", NULL);
	g_autofree char *version = NULL, *later = NULL;
	CamAdvisoryUpdate *update;

	set_lookup(db, "changelogs", "curl", CAM_LOOKUP_CURRENT, "2");
	version = g_strdup(cam_advisory_db_get_version(db));
	assert_coverage(db, "Debian:12", "curl", "2", "fixes");
	assert_coverage(db, "Debian:12", "curl", "1", "not looked up");
	assert_coverage(db, "Debian:12", "other", "1", "not looked up");
	assert_coverage(db, "Debian:11", "curl", "2", "no source for Debian:11");

	/* only what was looked up anew changes; what is known has a new name then, and only then */
	set_lookup(db, "changelogs", "other", CAM_LOOKUP_NOT_LISTED, NULL);
	assert_coverage(db, "Debian:12", "curl", "2", "fixes");
	assert_coverage(db, "Debian:12", "other", "1", "not in the repositories of bookworm");
	later = g_strdup(cam_advisory_db_get_version(db));
	g_assert_cmpstr(later, !=, version);
	set_lookup(db, "changelogs", "other", CAM_LOOKUP_NOT_LISTED, NULL);
	g_assert_cmpstr(cam_advisory_db_get_version(db), ==, later);
	set_lookup(db, "changelogs", "curl", CAM_LOOKUP_READ, "3");
	assert_coverage(db, "Debian:12", "curl", "1", "fixes");
	assert_coverage(db, "Debian:12", "curl", "3.1", "newer than what the repositories hold");

	/* of two sources one that judges is enough */
	set_lookup(db, "more", "curl", CAM_LOOKUP_READ, "3.1");
	assert_coverage(db, "Debian:12", "curl", "3.1", "fixes");
	assert_coverage(db, "Debian:12", "curl", "2", "fixes");

	/* a feed covers what no changelog does */
	update = begin(db, "feed", "osv-git");
	put(update, "CVE-2023-1", "Debian:12", "");
	commit(update);
	cam_advisory_update_free(update);
	assert_coverage(db, "Debian:12", "other", "1", "fixes unfixed");
}

/* A database as the release before this table wrote it. */
static void
test_old_schema(void)
{
	static const char *const old[] = {
		"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
		"CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
		" kind TEXT NOT NULL, url TEXT, version TEXT NOT NULL, date INTEGER NOT NULL,"
		" updated INTEGER NOT NULL, records INTEGER NOT NULL, note TEXT);"
		"CREATE TABLE advisories (id INTEGER PRIMARY KEY,"
		" source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, key TEXT NOT NULL,"
		" digest BLOB NOT NULL, record TEXT NOT NULL, identities TEXT NOT NULL,"
		" aliases TEXT NOT NULL, summary TEXT, urls TEXT NOT NULL,"
		" published INTEGER NOT NULL, modified INTEGER NOT NULL,"
		" withdrawn INTEGER NOT NULL, UNIQUE (source, key));"
		"CREATE TABLE packages (id INTEGER PRIMARY KEY, ecosystem TEXT NOT NULL,"
		" name TEXT NOT NULL, UNIQUE (ecosystem, name));"
		"CREATE TABLE affected (package INTEGER NOT NULL REFERENCES packages,"
		" advisory INTEGER NOT NULL REFERENCES advisories ON DELETE CASCADE,"
		" ranges TEXT NOT NULL, severity INTEGER NOT NULL, score REAL NOT NULL,"
		" vector TEXT, PRIMARY KEY (package, advisory)) WITHOUT ROWID;"
		"CREATE INDEX affected_by_advisory ON affected (advisory);"
		"INSERT INTO meta VALUES ('version', '');",
		"CREATE TABLE derived (source INTEGER NOT NULL REFERENCES sources"
		" ON DELETE CASCADE, package TEXT NOT NULL, version TEXT NOT NULL,"
		" PRIMARY KEY (source, package)) WITHOUT ROWID;"
		"INSERT INTO meta VALUES ('x', '');"
		"INSERT INTO sources VALUES (1, 'c', 'debian-changelog', '', '', 0, 0, 1, ''),"
		" (2, 'f', 'osv-git', '', '', 0, 0, 2, '');"
		"INSERT INTO derived VALUES (1, 'curl', '2');"
		"INSERT INTO advisories VALUES"
		" (1, 1, 'curl/CVE-2023-1', x'', 'CVE-2023-1', 'CVE-2023-1', '', '', '', 0, 0, 0),"
		" (2, 2, 'b', x'', 'CVE-2023-2', 'CVE-2023-2', '', '', '', 0, 0, 0),"
		" (3, 2, 'c', x'', 'CVE-2023-3', 'CVE-2023-3', '', '', '', 0, 0, 0);"
		"INSERT INTO packages VALUES (1, 'Debian:12', 'curl'), (2, 'Debian:11', 'curl'),"
		" (3, 'Debian:10', 'curl');"
		"INSERT INTO affected VALUES (1, 1, 'r' || char(10) || 'i 0' || char(10) || 'f 2' "
		"||"
		" char(10), 0, -1, NULL), (2, 2, 'r' || char(10) || 'i 0' || char(10) || 'f 2' ||"
		" char(10), 0, -1, NULL), (3, 3, 'r' || char(10) || 'i 0' || char(10), 0, -1, "
		"NULL);",
		NULL,
	};
	g_autofree char *dir = g_dir_make_tmp("cam-coverage-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "advisories.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamDatabase) before = cam_database_open(path, old, &error);
	g_autoptr(CamAdvisoryDb) db = NULL;
	g_autoptr(GPtrArray) matches = NULL;

	g_assert_no_error(error);
	g_clear_pointer(&before, cam_database_close);
	db = cam_advisory_db_open(path, &error);
	g_assert_no_error(error);
	/* what was found is still found, but "nothing else" is no longer said */
	matches = cam_advisory_db_match(db, "Debian:12", "curl", "1", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(matches->len, ==, 1);
	assert_coverage(db, "Debian:12", "curl", "1", "no source for Debian:12");
	assert_coverage(db, "Debian:11", "curl", "1", "fixes");
	assert_coverage(db, "Debian:10", "curl", "1", "fixes unfixed");
	g_clear_object(&db);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, NULL));
}

/* ---- several at once ---- */

#define WRITERS	 4
#define PACKAGES 25

typedef struct {
	const char *path;
	guint first;
} Writer;

static gpointer
write_lookups(gpointer data)
{
	const Writer *self = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamAdvisoryDb) db = cam_advisory_db_open(self->path, &error);

	g_assert_no_error(error);
	for (guint i = 0; i < PACKAGES; i++) {
		g_autofree char *name = g_strdup_printf("p%u", self->first + i);

		set_lookup(db, "changelogs", name, CAM_LOOKUP_CURRENT, "2");
	}
	return NULL;
}

static void
test_concurrent(void)
{
	g_autofree char *dir = g_dir_make_tmp("cam-coverage-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "advisories.db", NULL);
	g_autoptr(CamAdvisoryDb) db = NULL;
	Writer writers[WRITERS];
	GThread *threads[WRITERS];

	for (guint i = 0; i < WRITERS; i++) {
		/* neighbours overlap */
		writers[i] = (Writer){ path, i * PACKAGES / 2 };
		threads[i] = g_thread_new("writer", write_lookups, &writers[i]);
	}
	for (guint i = 0; i < WRITERS; i++)
		g_thread_join(threads[i]);
	db = cam_advisory_db_open(path, NULL);
	for (guint i = 0; i < (WRITERS + 1) * PACKAGES / 2; i++) {
		g_autofree char *name = g_strdup_printf("p%u", i);

		assert_coverage(db, "Debian:12", name, "2", "fixes");
	}
	g_clear_object(&db);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/advisory-coverage/feeds", test_feeds);
	g_test_add_func("/advisory-coverage/small-feeds", test_small_feeds);
	g_test_add_func("/advisory-coverage/lookups", test_lookups);
	g_test_add_func("/advisory-coverage/old-schema", test_old_schema);
	g_test_add_func("/advisory-coverage/concurrent", test_concurrent);
	return g_test_run();
}
