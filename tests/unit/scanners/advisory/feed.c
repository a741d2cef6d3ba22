/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OSV feeds made of files. git has its own test. */
#include "scanners/advisory/feed.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	char *dir;
	CamAdvisoryDb *db;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	f->dir = g_dir_make_tmp("cam-feed-XXXXXX", &error);
	g_assert_no_error(error);
	f->db = cam_advisory_db_open(":memory:", &error);
	g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_object(&f->db);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
}

static char *
record(const char *id, const char *fixed)
{
	return g_strdup_printf("{\"id\":\"%s\",\"modified\":\"2024-01-01T00:00:00Z\","
			       "\"affected\":[{\"package\":{\"ecosystem\":\"Debian:12\",\"name\":"
			       "\"curl\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
			       "\"introduced\":\"0\"},{\"fixed\":\"%s\"}]}]}]}",
			       id, fixed);
}

static char *
write_file(Fixture *f, const char *name, const char *content)
{
	g_autofree char *path = g_build_filename(f->dir, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, content, -1, &error));
	g_assert_no_error(error);
	return g_steal_pointer(&path);
}

static CamFeedResult
import(Fixture *f, const char *location)
{
	g_autoptr(GError) error = NULL;
	CamFeedResult result = { 0 };

	/* Feeds of so few records lose a large share with each; feed-check.c tests that. */
	g_assert_true(cam_feed_import_osv(f->db, location, "feed", f->dir, CAM_FEED_ACCEPT_SHRINK,
					  NULL, &result, NULL, &error));
	g_assert_no_error(error);
	return result;
}

static void
assert_matches(Fixture *f, guint expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) matches =
		cam_advisory_db_match(f->db, "Debian:12", "curl", "1", &error);

	g_assert_no_error(error);
	g_assert_cmpuint(matches->len, ==, expected);
}

static void
assert_result(CamFeedResult r, guint added, guint changed, guint removed, guint unchanged,
	      guint malformed)
{
	g_assert_cmpuint(r.added, ==, added);
	g_assert_cmpuint(r.changed, ==, changed);
	g_assert_cmpuint(r.removed, ==, removed);
	g_assert_cmpuint(r.unchanged, ==, unchanged);
	g_assert_cmpuint(r.malformed, ==, malformed);
}

static void
test_directory(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2"), *two = record("CVE-2023-2", "3");
	g_autofree char *changed = record("CVE-2023-2", "4"), *three = record("CVE-2023-3", "5");
	g_autofree char *four = record("CVE-2023-4", "6");
	g_autofree char *feed = g_build_filename(f->dir, "feed", NULL);
	g_autofree char *a = write_file(f, "feed/a.json", one);
	g_autofree char *b = write_file(f, "feed/deep/er/b.json", two);
	g_autofree char *c = write_file(f, "feed/c.json", three);
	g_autofree char *d = write_file(f, "feed/d.json", four);
	g_autofree char *other = write_file(f, "feed/README.md", "not a record");
	g_autofree char *bad = write_file(f, "feed/bad.json", "{ rubbish");
	g_autofree char *hidden = write_file(f, "feed/.git-like/x.json", one);
	g_autofree char *loop = g_build_filename(feed, "loop", NULL);
	g_autoptr(GPtrArray) sources = NULL;

	g_assert_true(symlink(feed, loop) == 0);
	assert_result(import(f, feed), 4, 0, 0, 0, 1);
	assert_matches(f, 4);
	assert_result(import(f, feed), 0, 0, 0, 4, 1);
	g_free(write_file(f, "feed/deep/er/b.json", changed));
	g_assert_cmpint(g_unlink(a), ==, 0);
	assert_result(import(f, feed), 0, 1, 1, 2, 1);
	assert_matches(f, 3);
	/* What becomes unreadable stays as it was. */
	g_free(write_file(f, "feed/deep/er/b.json", "{ now rubbish too"));
	assert_result(import(f, feed), 0, 0, 0, 2, 2);
	assert_matches(f, 3);
	sources = cam_advisory_db_list_sources(f->db, NULL);
	g_assert_cmpstr(((CamAdvisorySource *) sources->pdata[0])->kind, ==, "osv-directory");
	g_assert_nonnull(strstr(((CamAdvisorySource *) sources->pdata[0])->note, "2 malformed"));
}

static void
test_lines(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2"), *two = record("CVE-2023-2", "3");
	g_autofree char *text = g_strdup_printf("%s\r\n\nrubbish\n%s", one, two);
	g_autofree char *path = write_file(f, "feed.jsonl", text);
	g_autofree char *shorter = NULL;

	assert_result(import(f, path), 2, 0, 0, 0, 1);
	assert_matches(f, 2);
	/* The very same file is not read again. */
	assert_result(import(f, path), 0, 0, 0, 2, 0);
	shorter = g_strconcat(two, "\n", NULL);
	g_free(write_file(f, "feed.jsonl", shorter));
	assert_result(import(f, path), 0, 0, 1, 1, 0);
	assert_matches(f, 1);
}

static void
test_long_line(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2");
	g_autofree char *filler = g_strnfill(CAM_FEED_MAX_RECORD_SIZE + 10, 'x');
	g_autofree char *text = g_strdup_printf("%s\n%s", filler, one);
	g_autofree char *path = write_file(f, "feed.jsonl", text);

	assert_result(import(f, path), 1, 0, 0, 0, 1);
}

static char *
write_tar(Fixture *f, const char *name, const char *const *records)
{
	g_autofree char *path = g_build_filename(f->dir, name, NULL);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GFileOutputStream) out =
		g_file_replace(file, NULL, FALSE, G_FILE_CREATE_NONE, NULL, &error);
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(G_OUTPUT_STREAM(out), &error);

	for (gsize i = 0; records[i] != NULL; i++) {
		g_autofree char *entry = g_strdup_printf("all/%" G_GSIZE_FORMAT ".json", i);
		g_autoptr(GBytes) bytes = g_bytes_new_static(records[i], strlen(records[i]));

		g_assert_true(cam_archive_writer_add_bytes(writer, entry, bytes, 0644, 0, &error));
	}
	g_assert_true(cam_archive_writer_finish(writer, &error));
	g_assert_true(g_output_stream_close(G_OUTPUT_STREAM(out), NULL, &error));
	return g_steal_pointer(&path);
}

static void
test_tar(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2"), *two = record("CVE-2023-2", "3");
	const char *const records[] = { one, "rubbish", two, NULL };
	g_autofree char *path = write_tar(f, "feed.tar", records);

	assert_result(import(f, path), 2, 0, 0, 0, 1);
	assert_matches(f, 2);
}

/* A feed that breaks off must leave what was there before. */
static void
test_truncated(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2"), *two = record("CVE-2023-2", "3");
	const char *const records[] = { one, two, NULL };
	g_autofree char *path = write_tar(f, "feed.tar", records);
	g_autoptr(GError) error = NULL;
	CamFeedResult result = { 0 };

	import(f, path);
	g_assert_cmpint(truncate(path, 1600), ==, 0);
	g_assert_false(cam_feed_import_osv(f->db, path, "feed", f->dir, CAM_FEED_NONE, NULL,
					   &result, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	assert_matches(f, 2);
}

static void
test_update(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2"), *two = record("CVE-2023-2", "3");
	g_autofree char *path = write_file(f, "feed.jsonl", one);
	g_autoptr(GError) error = NULL;
	CamFeedResult result = { 0 };

	import(f, path);
	g_free(write_file(f, "feed.jsonl", two));
	g_assert_true(cam_feed_update(f->db, NULL, f->dir, CAM_FEED_ACCEPT_SHRINK, NULL, &result,
				      NULL, &error));
	g_assert_no_error(error);
	assert_result(result, 1, 0, 1, 0, 0);
	g_assert_false(cam_feed_update(f->db, "nobody", f->dir, CAM_FEED_NONE, NULL, &result, NULL,
				       &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_bad_locations(Fixture *f, gconstpointer data)
{
	g_autofree char *odd = write_file(f, "feed.odd", "x");
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_feed_import_osv(f->db, "/nonexistent/x.jsonl", NULL, f->dir,
					   CAM_FEED_NONE, NULL, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(cam_feed_import_osv(f->db, odd, NULL, f->dir, CAM_FEED_NONE, NULL, NULL,
					   NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_cancel(Fixture *f, gconstpointer data)
{
	g_autofree char *one = record("CVE-2023-1", "2");
	g_autofree char *path = write_file(f, "feed.jsonl", one);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	g_cancellable_cancel(cancellable);
	g_assert_false(cam_feed_import_osv(f->db, path, NULL, f->dir, CAM_FEED_NONE, NULL, NULL,
					   cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

/* Real feeds, where they are at hand. */
static void
test_shared(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *file;
		guint records;
	} feeds[] = { { "debian12-osv.jsonl.xz", 4701 },
		      { "ubuntu-osv.jsonl.xz", 124 },
		      { "almalinux-osv.tar.xz", 5680 },
		      { "pypi-osv.jsonl.xz", 157 } };
	const char *shared = g_getenv("CAM_SHARED");

	for (gsize i = 0; i < G_N_ELEMENTS(feeds); i++) {
		g_autofree char *path = g_build_filename(shared != NULL ? shared : "/nonexistent",
							 "data", "advisories", feeds[i].file, NULL);
		g_autoptr(GError) error = NULL;
		CamFeedResult result = { 0 };

		if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
			g_test_skip("the shared feeds are not here");
			return;
		}
		g_assert_true(cam_feed_import_osv(f->db, path, feeds[i].file, f->dir, CAM_FEED_NONE,
						  NULL, &result, NULL, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(result.malformed, ==, 0);
		g_assert_cmpuint(result.added, ==, feeds[i].records);
	}
}

/* Rows as Ubuntu writes them. */
static void
test_shared_ubuntu(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *ecosystem, *package, *version, *cve, *expected;
	} cases[] = {
		{ "Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.9", "CVE-2023-2650",
		  "3.0.2-0ubuntu1.10" },
		{ "Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.10", "CVE-2023-2650", "-" },
		{ "Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.9+Fips1", "CVE-2023-2650",
		  "pro 3.0.2-0ubuntu1.10+Fips1" },
		{ "Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.10+Fips1", "CVE-2023-2650", "-" },
		{ "Ubuntu:16.04:LTS", "openssl", "1.0.2g-1ubuntu4.20", "CVE-2023-2650",
		  "pro 1.0.2g-1ubuntu4.20+esm9" },
		{ "Ubuntu:16.04:LTS", "openssl", "1.0.2g-1ubuntu4.20+esm8", "CVE-2023-2650",
		  "pro 1.0.2g-1ubuntu4.20+esm9" },
		{ "Ubuntu:16.04:LTS", "openssl", "1.0.2g-1ubuntu4.20+esm9", "CVE-2023-2650", "-" },
		{ "Ubuntu:18.04:LTS", "openssl", "1.1.1-1ubuntu2.fips.2.1~18.04.23.2",
		  "CVE-2023-3446", "pro 1.1.1-1ubuntu2.fips.2.1~18.04.23.3" },
		{ "Ubuntu:18.04:LTS", "openssl", "1.1.1-1ubuntu2.fips.2.1~18.04.23.3",
		  "CVE-2023-3446", "-" },
		{ "Ubuntu:22.04:LTS", "docker.io-app", "26.1.3-0ubuntu1~22.04.1", "CVE-2024-29018",
		  "27.5.1-0ubuntu3~22.04.2" },
		{ "Ubuntu:22.04:LTS", "docker.io-app", "26.1.3-0ubuntu1~22.04.1+esm1",
		  "CVE-2024-29018", "-" },
	};
	const char *shared = g_getenv("CAM_SHARED");
	g_autofree char *path = g_build_filename(shared != NULL ? shared : "/nonexistent", "data",
						 "advisories", "ubuntu-osv.jsonl.xz", NULL);

	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		g_test_skip("the shared feeds are not here");
		return;
	}
	import(f, path);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) matches = cam_advisory_db_match(
			f->db, cases[i].ecosystem, cases[i].package, cases[i].version, NULL);
		g_autofree char *text = g_strdup("-");

		for (guint m = 0; m < matches->len; m++) {
			const CamMatch *match = matches->pdata[m];

			if (!g_str_equal(match->advisory->id, cases[i].cve))
				continue;
			g_free(text);
			text = match->fixed_version == NULL
				       ? g_strdup("none")
				       : g_strconcat(match->pro_only ? "pro " : "",
						     match->fixed_version, NULL);
		}
		g_test_message("%s %s", cases[i].package, cases[i].version);
		g_assert_cmpstr(text, ==, cases[i].expected);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/feed/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("directory", test_directory);
	ADD("lines", test_lines);
	ADD("long-line", test_long_line);
	ADD("tar", test_tar);
	ADD("truncated", test_truncated);
	ADD("update", test_update);
	ADD("bad-locations", test_bad_locations);
	ADD("cancel", test_cancel);
	ADD("shared", test_shared);
	ADD("shared-ubuntu", test_shared_ubuntu);
	return g_test_run();
}
