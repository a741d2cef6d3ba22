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
	put(self, verdict);
	read = get(self, "shop:1.0");
	g_assert_cmpint(read->scanned_at, ==, verdict->scanned_at);
	g_assert_cmpint(read->level, ==, CAM_SEVERITY_HIGH);
	g_assert_cmpmem(read->counts, sizeof(read->counts), verdict->counts,
			sizeof(verdict->counts));
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

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/verdict-db/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
	g_test_add("/verdict-db/names", Fixture, NULL, set_up, test_names, tear_down);
	g_test_add("/verdict-db/forget", Fixture, NULL, set_up, test_forget, tear_down);
	return g_test_run();
}
