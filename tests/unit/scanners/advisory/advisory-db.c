/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/advisory-db.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "scanners/advisory/advisory-db-private.h"

static CamAdvisoryDb *
open_memory(void)
{
	g_autoptr(GError) error = NULL;
	CamAdvisoryDb *db = cam_advisory_db_open(":memory:", &error);

	g_assert_no_error(error);
	return db;
}

static CamAdvisoryUpdate *
begin(CamAdvisoryDb *db)
{
	const CamAdvisorySource source = { .name = "s", .kind = "osv-directory", .url = "/s" };
	g_autoptr(GError) error = NULL;
	CamAdvisoryUpdate *update = cam_advisory_update_begin(db, &source, &error);

	g_assert_no_error(error);
	return update;
}

/* A record of curl in Debian:12, fixed in @fixed. */
static void
put(CamAdvisoryUpdate *update, const char *id, const char *fixed, const char *more)
{
	g_autofree char *json =
		g_strdup_printf("{\"id\":\"%s\",\"modified\":\"2024-01-01T00:00:00Z\",%"
				"s\"affected\":[{\"package\":{"
				"\"ecosystem\":\"Debian:12\",\"name\":\"curl\"},\"ranges\":[{"
				"\"type\":\"ECOSYSTEM\","
				"\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"%s\"}]}]}]}",
				id, more, fixed);
	g_autofree char *digest_text = cam_digest_for_data(json, strlen(json));
	g_autoptr(GError) error = NULL;
	g_autoptr(CamOsvRecord) record = cam_osv_record_parse(json, strlen(json), &error);
	CamSha256 digest;

	g_assert_no_error(error);
	g_assert_true(cam_digest_to_sha256(digest_text, &digest, &error));
	if (cam_advisory_update_is_known(update, id, &digest, &error))
		return;
	g_assert_no_error(error);
	g_assert_true(cam_advisory_update_put(update, id, &digest, record, &error));
	g_assert_no_error(error);
}

static CamFeedResult
commit(CamAdvisoryUpdate *update)
{
	g_autoptr(GError) error = NULL;
	CamFeedResult result;

	g_assert_true(cam_advisory_update_remove_unseen(update, &error));
	g_assert_true(cam_advisory_update_commit(update, "v", 0, NULL, &result, &error));
	g_assert_no_error(error);
	return result;
}

static char *
match(CamAdvisoryDb *db, const char *ecosystem, const char *package, const char *version)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) matches =
		cam_advisory_db_match(db, ecosystem, package, version, &error);
	g_autoptr(GString) text = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < matches->len; i++) {
		const CamMatch *m = g_ptr_array_index(matches, i);

		g_string_append_printf(text, "%s:%s;", m->advisory->id, m->fixed_version);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

#define assert_match(db, version, expected)                                       \
	G_STMT_START                                                              \
	{                                                                         \
		g_autofree char *text_ = match(db, "Debian:12", "curl", version); \
		g_assert_cmpstr(text_, ==, expected);                             \
	}                                                                         \
	G_STMT_END

static void
test_update(void)
{
	g_autoptr(CamAdvisoryDb) db = open_memory();
	g_autoptr(CamAdvisoryUpdate) first = begin(db), second = NULL, third = NULL;
	g_autofree char *empty = g_strdup(cam_advisory_db_get_version(db)), *version = NULL;
	g_autoptr(GPtrArray) sources = NULL;
	const CamAdvisorySource *source;
	CamFeedResult result;

	put(first, "CVE-2023-1", "2", "");
	put(first, "CVE-2023-2", "3", "");
	put(first, "CVE-2023-3", "4", "\"withdrawn\":\"2024-02-02T00:00:00Z\",");
	result = commit(first);
	g_assert_cmpuint(result.added, ==, 3);
	assert_match(db, "1", "CVE-2023-1:2;CVE-2023-2:3;");
	assert_match(db, "2", "CVE-2023-2:3;");
	assert_match(db, "3", "");
	g_assert_cmpstr(cam_advisory_db_get_version(db), !=, empty);
	version = g_strdup(cam_advisory_db_get_version(db));

	second = begin(db);
	put(second, "CVE-2023-1", "2", "");
	put(second, "CVE-2023-2", "3", "");
	put(second, "CVE-2023-3", "4", "\"withdrawn\":\"2024-02-02T00:00:00Z\",");
	result = commit(second);
	g_assert_cmpuint(result.unchanged, ==, 3);
	g_assert_cmpuint(result.added + result.changed + result.removed, ==, 0);
	g_assert_cmpstr(cam_advisory_db_get_version(db), ==, version);

	third = begin(db);
	put(third, "CVE-2023-1", "2.5", "");
	put(third, "CVE-2023-4", "5", "");
	result = commit(third);
	g_assert_cmpuint(result.changed, ==, 1);
	g_assert_cmpuint(result.added, ==, 1);
	g_assert_cmpuint(result.removed, ==, 2);
	g_assert_cmpstr(cam_advisory_db_get_version(db), !=, version);
	assert_match(db, "2", "CVE-2023-1:2.5;CVE-2023-4:5;");

	sources = cam_advisory_db_list_sources(db, NULL);
	g_assert_cmpuint(sources->len, ==, 1);
	source = g_ptr_array_index(sources, 0);
	g_assert_cmpuint(source->records, ==, 2);
	g_assert_cmpint(source->date, ==, 1704067200);
	g_assert_cmpstr(source->version, ==, "v");
}

static void
test_ecosystems(void)
{
	g_autoptr(CamAdvisoryDb) db = open_memory();
	g_autoptr(CamAdvisoryUpdate) update = begin(db);
	g_autoptr(GError) error = NULL;
	gboolean has;

	g_assert_true(cam_advisory_db_has_ecosystem(db, "Debian:12", &has, &error));
	g_assert_false(has);
	put(update, "CVE-2023-1", "2", "");
	commit(update);
	g_assert_true(cam_advisory_db_has_ecosystem(db, "Debian:12", &has, &error));
	g_assert_true(has);
	g_assert_true(cam_advisory_db_has_ecosystem(db, "Debian:13", &has, &error));
	g_assert_false(has);
}

static void
test_abandoned(void)
{
	g_autoptr(CamAdvisoryDb) db = open_memory();
	CamAdvisoryUpdate *update = begin(db);
	g_autoptr(GPtrArray) sources = NULL;

	put(update, "CVE-2023-1", "2", "");
	cam_advisory_update_free(update);
	assert_match(db, "1", "");
	sources = cam_advisory_db_list_sources(db, NULL);
	g_assert_cmpuint(sources->len, ==, 0);
}

static void
test_keep(void)
{
	g_autoptr(CamAdvisoryDb) db = open_memory();
	g_autoptr(CamAdvisoryUpdate) first = begin(db), second = NULL;
	g_autoptr(GError) error = NULL;
	CamFeedResult result;

	put(first, "CVE-2023-1", "2", "");
	commit(first);
	second = begin(db);
	g_assert_true(cam_advisory_update_keep(second, "CVE-2023-1", &error));
	g_assert_true(cam_advisory_update_keep(second, "never seen", &error));
	g_assert_true(cam_advisory_update_keep(second, NULL, &error));
	result = commit(second);
	g_assert_cmpuint(result.malformed, ==, 3);
	g_assert_cmpuint(result.removed, ==, 0);
	assert_match(db, "1", "CVE-2023-1:2;");
}

static void
test_names(void)
{
	g_autoptr(CamAdvisoryDb) db = open_memory();
	g_autoptr(CamAdvisoryUpdate) update = begin(db);
	g_autofree char *other = NULL, *release = NULL;

	put(update, "CVE-2023-1", "2", "");
	commit(update);
	other = match(db, "Debian:12", "Curl", "1");
	release = match(db, "Debian:13", "curl", "1");
	g_assert_cmpstr(other, ==, "");
	g_assert_cmpstr(release, ==, "");
}

static void
test_damaged_file(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dir = g_dir_make_tmp("cam-advisories-XXXXXX", &error);
	g_autofree char *path = g_build_filename(dir, "advisories.db", NULL);
	g_autofree char *rubbish = g_strnfill(5000, 'x');

	g_assert_true(g_file_set_contents(path, rubbish, -1, &error));
	g_assert_null(cam_advisory_db_open(path, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, NULL));
}

/* An image's worth of packages against a database of a distribution's size. */
static void
test_speed(void)
{
	g_autoptr(CamAdvisoryDb) db = open_memory();
	g_autoptr(CamAdvisoryUpdate) update = begin(db);
	g_autoptr(GError) error = NULL;
	gint64 start;
	CamSha256 digest = { { 0 } };
	guint found = 0;

	for (guint i = 0; i < 20000; i++) {
		g_autofree char *id = g_strdup_printf("CVE-2020-%u", i);
		g_autofree char *json = g_strdup_printf(
			"{\"id\":\"%s\",\"affected\":[{\"package\":{\"ecosystem\":\"Debian:12\","
			"\"name\":\"p%u\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
			"\"introduced\":\"0\"},{\"fixed\":\"1.%u\"}]}]}]}",
			id, i % 2000, i % 100);
		g_autoptr(CamOsvRecord) record = cam_osv_record_parse(json, strlen(json), &error);

		g_assert_true(cam_advisory_update_put(update, id, &digest, record, &error));
	}
	commit(update);
	start = g_get_monotonic_time();
	for (guint i = 0; i < 350; i++) {
		g_autofree char *name = g_strdup_printf("p%u", i);
		g_autoptr(GPtrArray) matches =
			cam_advisory_db_match(db, "Debian:12", name, "1.50", &error);

		g_assert_no_error(error);
		found += matches->len;
	}
	g_test_minimized_result(g_get_monotonic_time() - start, "matching 350 packages: %.1f ms",
				(g_get_monotonic_time() - start) / 1000.0);
	g_assert_cmpuint(found, ==, 1470);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/advisory-db/update", test_update);
	g_test_add_func("/advisory-db/ecosystems", test_ecosystems);
	g_test_add_func("/advisory-db/abandoned", test_abandoned);
	g_test_add_func("/advisory-db/keep", test_keep);
	g_test_add_func("/advisory-db/names", test_names);
	g_test_add_func("/advisory-db/damaged-file", test_damaged_file);
	g_test_add_func("/advisory-db/speed", test_speed);
	return g_test_run();
}
