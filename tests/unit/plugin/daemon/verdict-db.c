/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/verdict-db.h"

#include <fcntl.h>

#include "tests/unit/plugin/daemon/verdict-sample.h"

typedef struct {
	char *root;
	CamVerdictDb *db;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	self->root = g_dir_make_tmp("cam-XXXXXX", &error);
	g_assert_null(cam_verdict_db_open(self->root, FALSE, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	self->db = cam_verdict_db_open(self->root, TRUE, &error);
	g_assert_no_error(error);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	cam_verdict_db_free(self->db);
	cam_remove_tree_at(AT_FDCWD, self->root, &error);
	g_assert_no_error(error);
	g_free(self->root);
}

static void
put(Fixture *self, const CamVerdict *verdict)
{
	g_autoptr(GError) error = NULL;

	cam_verdict_db_put(self->db, verdict, &error);
	g_assert_no_error(error);
}

static CamVerdict *
get(Fixture *self, const char *name)
{
	g_autoptr(GError) error = NULL;
	CamVerdict *verdict = cam_verdict_db_get(self->db, "k8s.io", name, &error);

	g_assert_no_error(error);
	return verdict;
}

static void
test_round_trip(Fixture *self, gconstpointer data)
{
	g_autoptr(CamVerdict) verdict = sample_verdict("shop:1.0", 1), read = NULL;
	g_autoptr(GError) error = NULL;

	/* Known, but not scanned yet. */
	put(self, verdict);
	read = get(self, "shop:1.0");
	g_assert_cmpstr(read->target, ==, verdict->target);
	g_assert_cmpstr(read->manifest_digest, ==, verdict->manifest_digest);
	g_assert_cmpstr(read->config_digest, ==, verdict->config_digest);
	g_assert_cmpstr(read->chain_id, ==, verdict->chain_id);
	g_assert_null(read->store_name);
	g_assert_cmpint(read->scanned_at, ==, 0);
	g_clear_pointer(&read, cam_verdict_free);

	sample_scan(verdict, CAM_SEVERITY_HIGH);
	verdict->store_name = g_strdup("shop:1.0");
	verdict->looked_up_at = 12345;
	put(self, verdict);
	read = get(self, "shop:1.0");
	g_assert_cmpint(read->scanned_at, ==, verdict->scanned_at);
	g_assert_cmpint(read->level, ==, CAM_SEVERITY_HIGH);
	g_assert_cmpint(read->looked_up_at, ==, 12345);
	g_assert_cmpmem(&read->tally, sizeof(CamTally), &verdict->tally, sizeof(CamTally));
	g_assert_true(read->whole);
	g_assert_cmpstr(read->database, ==, "db-1");
	g_assert_cmpstr(read->store_name, ==, "shop:1.0");
	g_assert_cmpuint(read->top->len, ==, 2);

	g_assert_null(cam_verdict_db_get(self->db, "default", "shop:1.0", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_names(Fixture *self, gconstpointer data)
{
	g_autoptr(CamVerdict) first = sample_verdict("shop:1.0", 1);
	g_autoptr(CamVerdict) second = sample_verdict("shop:latest", 1);
	g_autoptr(CamVerdict) moved = sample_verdict("shop:latest", 2), read = NULL;
	g_autoptr(GPtrArray) found = NULL;
	g_autoptr(GError) error = NULL;

	/* A scan is of the manifest: its other names have it too. */
	sample_scan(first, CAM_SEVERITY_HIGH);
	put(self, first);
	put(self, second);
	read = get(self, "shop:latest");
	g_assert_cmpint(read->level, ==, CAM_SEVERITY_HIGH);
	found = cam_verdict_db_find_chain(self->db, first->chain_id, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(found->len, ==, 2);
	g_clear_pointer(&found, g_ptr_array_unref);

	/* A tag that moves is what it is now. */
	put(self, moved);
	g_clear_pointer(&read, cam_verdict_free);
	read = get(self, "shop:latest");
	g_assert_cmpint(read->scanned_at, ==, 0);
	found = cam_verdict_db_find_target(self->db, moved->target, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(found->len, ==, 1);
	g_clear_pointer(&found, g_ptr_array_unref);
	found = cam_verdict_db_list(self->db, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(found->len, ==, 2);
}

static void
test_forget(Fixture *self, gconstpointer data)
{
	g_autoptr(CamVerdict) first = sample_verdict("shop:1.0", 1);
	g_autoptr(CamVerdict) second = sample_verdict("shop:latest", 1), read = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *store_name = NULL;

	sample_scan(first, CAM_SEVERITY_HIGH);
	first->store_name = g_strdup("shop:1.0");
	second->store_name = g_strdup("shop:1.0");
	put(self, first);
	put(self, second);
	g_assert_true(cam_verdict_db_forget(self->db, "k8s.io", "shop:1.0", &store_name, &error));
	g_assert_null(store_name);
	g_assert_true(cam_verdict_db_forget(self->db, "k8s.io", "other", &store_name, &error));
	g_assert_null(store_name);
	g_assert_true(
		cam_verdict_db_forget(self->db, "k8s.io", "shop:latest", &store_name, &error));
	g_assert_cmpstr(store_name, ==, "shop:1.0");

	/* With the last name goes the verdict. */
	put(self, second);
	read = get(self, "shop:latest");
	g_assert_cmpint(read->scanned_at, ==, 0);
}

/* At least as many as the database has; none of them changes anything. */
static const char *const forms[] = { "", "", "", "", "", "", "", "", NULL };

/* Verdicts that an older version has made say nothing of coverage: the images are known, and are
 * scanned anew. */
static void
test_older_form(Fixture *self, gconstpointer data)
{
	g_autofree char *path = g_build_filename(self->root, "verdicts.db", NULL);
	g_autoptr(CamVerdict) verdict = sample_verdict("shop:1.0", 1), read = NULL;
	g_autoptr(GError) error = NULL;
	CamDatabase *database;

	sample_scan(verdict, CAM_SEVERITY_NONE);
	put(self, verdict);
	g_clear_pointer(&self->db, cam_verdict_db_free);
	database = cam_database_open(path, forms, &error);
	g_assert_no_error(error);
	g_assert_true(cam_database_exec(
		database,
		"DROP TABLE verdict; CREATE TABLE verdict (manifest_digest TEXT NOT NULL PRIMARY "
		"KEY, scanned_at INTEGER NOT NULL, database TEXT NOT NULL, level TEXT NOT NULL,"
		" critical INTEGER NOT NULL, high INTEGER NOT NULL, medium INTEGER NOT NULL,"
		" low INTEGER NOT NULL, none INTEGER NOT NULL, unknown INTEGER NOT NULL,"
		" top TEXT NOT NULL) WITHOUT ROWID;"
		"INSERT INTO verdict SELECT manifest_digest, 1, 'db-1', 'none', 0, 0, 0, 0, 0, 0,"
		" '[]' FROM image; PRAGMA user_version = 1;",
		&error));
	cam_database_close(database);
	self->db = cam_verdict_db_open(self->root, TRUE, &error);
	g_assert_no_error(error);
	read = get(self, "shop:1.0");
	g_assert_cmpint(read->scanned_at, ==, 0);
	put(self, verdict);
	g_clear_pointer(&read, cam_verdict_free);
	read = get(self, "shop:1.0");
	g_assert_cmpint(read->scanned_at, ==, verdict->scanned_at);
}

static void
test_damaged(Fixture *self, gconstpointer data)
{
	g_autofree char *path = g_build_filename(self->root, "verdicts.db", NULL);
	g_autoptr(CamVerdict) verdict = sample_verdict("shop:1.0", 1), read = NULL;
	g_autoptr(GError) error = NULL;
	CamDatabase *database;

	sample_scan(verdict, CAM_SEVERITY_NONE);
	put(self, verdict);
	database = cam_database_open(path, forms, &error);
	g_assert_true(cam_database_exec(
		database, "UPDATE verdict SET result = substr(result, 1, 40)", &error));
	cam_database_close(database);
	read = get(self, "shop:1.0");
	g_assert_cmpint(read->scanned_at, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/verdict-db/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
	g_test_add("/verdict-db/names", Fixture, NULL, set_up, test_names, tear_down);
	g_test_add("/verdict-db/older-form", Fixture, NULL, set_up, test_older_form, tear_down);
	g_test_add("/verdict-db/damaged", Fixture, NULL, set_up, test_damaged, tear_down);
	g_test_add("/verdict-db/forget", Fixture, NULL, set_up, test_forget, tear_down);
	return g_test_run();
}
