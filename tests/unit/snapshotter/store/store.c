/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's directory: making and opening it, holds, and the temporary directories. */
#include "snapshotter/store/store.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/store/store-private.h"
#include "tests/unit/snapshotter/store/temporary-store.h"

static void
test_open_absent(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open("/nonexistent/store", FALSE, NULL, &error);

	g_assert_null(store);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "--store"));
}

static void
test_open_foreign_directory(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(fixture->path, "cache", NULL);
	g_autoptr(CamStore) store = cam_store_open(path, FALSE, NULL, &error);

	g_assert_null(store);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "not a Cambium store"));
}

static void
test_reopen(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) again = cam_store_open(fixture->path, FALSE, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(cam_store_get_path(again), ==, fixture->path);
}

/* What another process left in tmp/ hinders nobody, whatever it is. */
static void
test_left_behind(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *left = g_build_filename(fixture->path, "tmp", "left", NULL);
	int fd;

	g_assert_cmpint(g_mkdir(left, 0700), ==, 0);
	fd = open(left, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (guint i = 0; i < 1500; i++) {
		int next;

		g_assert_cmpint(mkdirat(fd, "a", 0700), ==, 0);
		next = openat(fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		g_close(fd, NULL);
		fd = next;
	}
	g_close(fd, NULL);
	g_assert_cmpint(cam_store_get_tmp_dirfd(fixture->store, NULL, &error), >=, 0);
	g_assert_no_error(error);
	g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

static void
test_damaged_state(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(fixture->path, "state.db", NULL);

	g_clear_object(&fixture->store);
	g_file_set_contents(path, "this is no database at all, not even nearly", -1, &error);
	g_assert_no_error(error);
	g_autoptr(CamStore) again = cam_store_open(fixture->path, FALSE, NULL, &error);
	g_assert_null(again);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
}

static void
test_tmp_lives_with_the_store(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	g_autofree char *again = NULL;
	int fd = cam_store_get_tmp_dirfd(fixture->store, &path, &error);

	g_assert_no_error(error);
	g_assert_cmpint(fd, ==, cam_store_get_tmp_dirfd(fixture->store, &again, &error));
	g_assert_cmpstr(path, ==, again);
	g_assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
	g_clear_object(&fixture->store);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_tmp_of_the_dead_is_swept(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *dead = g_build_filename(fixture->path, "tmp", "1-deadbeef", NULL);
	g_autofree char *file = g_build_filename(dead, "layer", NULL);
	g_autofree char *stray = g_build_filename(fixture->path, "tmp", "stray", NULL);
	g_autofree char *alive = NULL;

	g_autoptr(CamStore) other = cam_store_open(fixture->path, FALSE, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(cam_store_get_tmp_dirfd(other, &alive, &error), >=, 0);
	g_assert_cmpint(g_mkdir(dead, 0700), ==, 0);
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	g_assert_true(g_file_set_contents(stray, "x", 1, NULL));

	g_assert_cmpint(cam_store_get_tmp_dirfd(fixture->store, NULL, &error), >=, 0);
	g_assert_no_error(error);
	g_assert_false(g_file_test(dead, G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test(stray, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(alive, G_FILE_TEST_IS_DIR));
}

static void
test_holds_share_and_keep_the_sweep_out(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GCancellable) cancelled = g_cancellable_new();
	CamStoreHold *first = cam_store_hold(fixture->store, NULL, &error);
	CamStoreHold *second = cam_store_hold(fixture->store, NULL, &error);

	g_assert_no_error(error);
	g_cancellable_cancel(cancelled);
	g_assert_cmpint(cam_store_lock_sweep(fixture->store, cancelled, &error), ==, -1);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	g_clear_error(&error);
	cam_store_release(first);
	cam_store_release(second);

	g_auto(CamFd) sweep = cam_store_lock_sweep(fixture->store, NULL, &error);
	g_assert_no_error(error);
	g_assert_null(cam_store_hold(fixture->store, cancelled, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

static void
test_lease(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *digest = cam_digest_for_data("x", 1);
	const char *digests[] = { digest, NULL };
	const char *wrong[] = { "sha256:no", NULL };

	g_assert_true(cam_store_add_lease(fixture->store, "pull-1", digests, 0, &error));
	g_assert_true(cam_store_add_lease(fixture->store, "pull-1", digests, 5, &error));
	g_assert_no_error(error);
	g_assert_false(cam_store_add_lease(fixture->store, "pull-2", wrong, 0, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_true(cam_store_remove_lease(fixture->store, "pull-1", &error));
	g_assert_false(cam_store_remove_lease(fixture->store, "pull-1", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/open-absent", test_open_absent);
	g_test_add_func("/store/open-foreign-directory", test_open_foreign_directory);
	g_test_add_func("/store/reopen", test_reopen);
	g_test_add_func("/store/damaged-state", test_damaged_state);
	g_test_add_func("/store/left-behind", test_left_behind);
	g_test_add_func("/store/tmp-lives-with-the-store", test_tmp_lives_with_the_store);
	g_test_add_func("/store/tmp-of-the-dead-is-swept", test_tmp_of_the_dead_is_swept);
	g_test_add_func("/store/holds", test_holds_share_and_keep_the_sweep_out);
	g_test_add_func("/store/lease", test_lease);
	return g_test_run();
}
