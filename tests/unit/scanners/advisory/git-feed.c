/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A feed in a git repository, read through its path and through a URL. */
#include <fcntl.h>
#include <git2.h>
#include <glib/gstdio.h>
#include <string.h>

#include "scanners/advisory/feed.h"

typedef struct {
	char *dir, *origin, *clones;
	git_repository *repository;
	CamAdvisoryDb *db;
} Fixture;

static void
check(int result)
{
	if (result != 0)
		g_test_message("%s", git_error_last()->message);
	g_assert_cmpint(result, ==, 0);
}

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	git_libgit2_init();
	f->dir = g_dir_make_tmp("cam-git-XXXXXX", &error);
	g_assert_no_error(error);
	f->origin = g_build_filename(f->dir, "origin.git", NULL);
	f->clones = g_build_filename(f->dir, "clones", NULL);
	check(git_repository_init(&f->repository, f->origin, TRUE));
	f->db = cam_advisory_db_open(":memory:", &error);
	g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_object(&f->db);
	git_repository_free(f->repository);
	git_libgit2_shutdown();
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
	g_free(f->origin);
	g_free(f->clones);
}

static void
add_record(Fixture *f, git_treebuilder *tree, const char *name, const char *fixed)
{
	g_autofree char *file = g_strconcat(name, ".json", NULL);
	g_autofree char *json = g_strdup_printf(
		"{\"id\":\"%s\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{\"package\":{"
		"\"ecosystem\":\"Debian:12\",\"name\":\"curl\"},\"ranges\":[{\"type\":"
		"\"ECOSYSTEM\","
		"\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"%s\"}]}]}]}",
		name, fixed);
	git_oid id;

	check(git_blob_create_from_buffer(&id, f->repository, json, strlen(json)));
	check(git_treebuilder_insert(NULL, tree, file, &id, GIT_FILEMODE_BLOB));
}

/* Commits a tree with these records: pairs of name and version, in the folder "all". */
static void
commit(Fixture *f, const char *const *pairs)
{
	git_treebuilder *inner = NULL, *outer = NULL;
	git_oid inner_id, outer_id, id;
	git_tree *tree = NULL;
	git_commit *parent = NULL;
	git_signature *author = NULL;
	const git_commit *parents[1];

	check(git_treebuilder_new(&inner, f->repository, NULL));
	for (; pairs[0] != NULL; pairs += 2)
		add_record(f, inner, pairs[0], pairs[1]);
	check(git_treebuilder_write(&inner_id, inner));
	check(git_treebuilder_new(&outer, f->repository, NULL));
	check(git_treebuilder_insert(NULL, outer, "all", &inner_id, GIT_FILEMODE_TREE));
	check(git_treebuilder_write(&outer_id, outer));
	check(git_tree_lookup(&tree, f->repository, &outer_id));
	check(git_signature_new(&author, "Nobody", "nobody@example.org", 1700000000, 0));
	if (git_reference_name_to_id(&id, f->repository, "HEAD") == 0)
		check(git_commit_lookup(&parent, f->repository, &id));
	parents[0] = parent;
	check(git_commit_create(&id, f->repository, "HEAD", author, author, NULL, "change", tree,
				parent != NULL ? 1 : 0, parents));
	git_commit_free(parent);
	git_signature_free(author);
	git_tree_free(tree);
	git_treebuilder_free(outer);
	git_treebuilder_free(inner);
}

static CamFeedResult
import(Fixture *f, const char *location)
{
	g_autoptr(GError) error = NULL;
	CamFeedResult result = { 0 };

	g_assert_true(cam_feed_import_osv(f->db, location, "feed", f->clones,
					  CAM_FEED_ACCEPT_SHRINK, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	return result;
}

static void
assert_result(CamFeedResult r, guint added, guint changed, guint removed)
{
	g_assert_cmpuint(r.added, ==, added);
	g_assert_cmpuint(r.changed, ==, changed);
	g_assert_cmpuint(r.removed, ==, removed);
	g_assert_cmpuint(r.malformed, ==, 0);
}

static void
assert_matches(Fixture *f, guint expected)
{
	g_autoptr(GPtrArray) matches = cam_advisory_db_match(f->db, "Debian:12", "curl", "1", NULL);

	g_assert_cmpuint(matches->len, ==, expected);
}

/* @location: read three times while the origin changes. */
static void
follow(Fixture *f, const char *location)
{
	static const char *const first[] = { "CVE-2023-1", "2", "CVE-2023-2", "3",
					     "CVE-2023-3", "4", NULL };
	static const char *const second[] = { "CVE-2023-1", "2", "CVE-2023-2", "5",
					      "CVE-2023-4", "6", NULL };
	g_autoptr(GPtrArray) sources = NULL;
	const CamAdvisorySource *source;
	CamFeedResult result;

	commit(f, first);
	assert_result(import(f, location), 3, 0, 0);
	assert_matches(f, 3);
	result = import(f, location);
	assert_result(result, 0, 0, 0);
	g_assert_cmpuint(result.unchanged, ==, 0); /* nothing was even looked at */
	commit(f, second);
	result = import(f, location);
	assert_result(result, 1, 1, 1);
	g_assert_cmpuint(result.unchanged, ==, 0);
	assert_matches(f, 3);
	sources = cam_advisory_db_list_sources(f->db, NULL);
	source = g_ptr_array_index(sources, 0);
	g_assert_cmpstr(source->kind, ==, "osv-git");
	g_assert_cmpuint(strlen(source->version), ==, 40);
	g_assert_cmpuint(source->records, ==, 3);
}

static void
test_path(Fixture *f, gconstpointer data)
{
	follow(f, f->origin);
	g_assert_false(g_file_test(f->clones, G_FILE_TEST_EXISTS));
}

static void
test_url(Fixture *f, gconstpointer data)
{
	g_autofree char *url = g_strconcat("git+file://", f->origin, NULL);

	follow(f, url);
	g_assert_true(g_file_test(f->clones, G_FILE_TEST_IS_DIR));
}

/* Where the commit that was read last is gone, all is read again. */
static void
test_rewritten(Fixture *f, gconstpointer data)
{
	static const char *const first[] = { "CVE-2023-1", "2", "CVE-2023-2", "3", NULL };
	static const char *const second[] = { "CVE-2023-2", "3", "CVE-2023-3", "4", NULL };
	CamFeedResult result;

	commit(f, first);
	import(f, f->origin);
	git_repository_free(f->repository);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->origin, NULL));
	check(git_repository_init(&f->repository, f->origin, TRUE));
	commit(f, second);
	result = import(f, f->origin);
	assert_result(result, 1, 0, 1);
	g_assert_cmpuint(result.unchanged, ==, 1);
}

static void
refuse(Fixture *f, const char *location, CamFeedFlags flags, CamError code)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_feed_import_osv(f->db, location, "feed", f->clones, flags, NULL, NULL,
					   NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) code);
	assert_matches(f, 3);
}

/* A branch that was emptied, that lost most of its records, or that is another one now. */
static void
test_shrunk(Fixture *f, gconstpointer data)
{
	static const char *const whole[] = { "CVE-2023-1", "2", "CVE-2023-2", "3",
					     "CVE-2023-3", "4", NULL };
	static const char *const part[] = { "CVE-2023-1", "2", NULL };
	static const char *const other[] = { "CVE-2024-1", "2", "CVE-2024-2", "3",
					     "CVE-2024-3", "4", NULL };
	static const char *const nothing[] = { NULL };
	g_autofree char *url = g_strconcat("git+file://", f->origin, NULL);
	const char *locations[] = { f->origin, url };

	for (gsize i = 0; i < G_N_ELEMENTS(locations); i++) {
		commit(f, whole);
		import(f, locations[i]);
		assert_matches(f, 3);
		commit(f, nothing);
		refuse(f, locations[i], CAM_FEED_NONE, CAM_ERROR_FAILED_PRECONDITION);
		commit(f, part);
		refuse(f, locations[i], CAM_FEED_NONE, CAM_ERROR_FAILED_PRECONDITION);
		commit(f, other);
		refuse(f, locations[i], CAM_FEED_NONE, CAM_ERROR_FAILED_PRECONDITION);
		commit(f, part);
		assert_result(import(f, locations[i]), 0, 0, 2);
		assert_matches(f, 1);
	}
}

static void
test_remove(Fixture *f, gconstpointer data)
{
	static const char *const records[] = { "CVE-2023-1", "2", NULL };
	g_autofree char *url = g_strconcat("git+file://", f->origin, NULL);
	g_autoptr(GDir) dir = NULL;

	commit(f, records);
	import(f, url);
	g_assert_true(cam_feed_remove(f->db, "feed", f->clones, NULL));
	assert_matches(f, 0);
	dir = g_dir_open(f->clones, 0, NULL);
	g_assert_null(g_dir_read_name(dir));

	/* A repository that is read in place is the user's. */
	import(f, f->origin);
	g_assert_true(cam_feed_remove(f->db, "feed", f->clones, NULL));
	g_assert_true(g_file_test(f->origin, G_FILE_TEST_IS_DIR));
}

static void
test_failures(Fixture *f, gconstpointer data)
{
	g_autofree char *missing = g_strconcat("git+file://", f->dir, "/missing.git", NULL);
	g_autoptr(GError) error = NULL;

	/* no commit yet */
	g_assert_false(cam_feed_import_osv(f->db, f->origin, NULL, f->clones, CAM_FEED_NONE, NULL,
					   NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(cam_feed_import_osv(f->db, missing, NULL, f->clones, CAM_FEED_NONE, NULL,
					   NULL, NULL, &error));
	g_assert_true(error != NULL && error->domain == CAM_ERROR);
	assert_matches(f, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
	g_test_add("/git-feed/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("path", test_path);
	ADD("url", test_url);
	ADD("rewritten", test_rewritten);
	ADD("shrunk", test_shrunk);
	ADD("remove", test_remove);
	ADD("failures", test_failures);
	return g_test_run();
}
