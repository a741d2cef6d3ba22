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

/* ---- who gets at it ---- */

static const char *const folders[] = { "repo", "blobs", "tmp", "cache" };

static guint
mode_of(TemporaryStore *fixture, const char *name)
{
	g_autofree char *path = g_build_filename(fixture->path, name, NULL);
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_mode & 07777;
}

static void
assert_opens(TemporaryStore *fixture)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(fixture->path, FALSE, NULL, &error);

	g_assert_no_error(error);
}

static void
assert_refused(TemporaryStore *fixture, const char *text)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(cam_store_open(fixture->path, FALSE, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_assert_nonnull(strstr(error->message, text));
}

/* The directory of a store may be open to everybody: its folders are not. */
static void
test_folders_are_shut(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *repo = g_build_filename(fixture->path, "repo", NULL);
	mode_t mask = umask(0);

	g_assert_nonnull(cam_store_get_repo(fixture->store, NULL));
	g_assert_cmpint(chmod(fixture->path, 0755), ==, 0);
	umask(mask);
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		g_assert_cmpuint(mode_of(fixture, folders[i]), ==, 0700);
	assert_opens(fixture);
	g_assert_cmpint(chmod(repo, 0755), ==, 0);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "*/repo was open*0755*0700 now");
	assert_opens(fixture);
	g_test_assert_expected_messages();
	g_assert_cmpuint(mode_of(fixture, "repo"), ==, 0700);
	g_assert_cmpint(chmod(fixture->path, 0777), ==, 0);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "* was open*0777*0755 now");
	assert_opens(fixture);
	g_test_assert_expected_messages();
	g_assert_cmpuint(mode_of(fixture, "."), ==, 0755);
}

static void
test_foreign_folders_are_refused(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *cache = g_build_filename(fixture->path, "cache", NULL);

	g_assert_cmpint(rmdir(cache), ==, 0);
	g_assert_cmpint(symlink("/tmp", cache), ==, 0);
	assert_refused(fixture, "no directory");
	g_assert_cmpint(unlink(cache), ==, 0);
	if (geteuid() != 0)
		return;
	g_assert_cmpint(mkdir(cache, 0700), ==, 0);
	g_assert_cmpint(chown(cache, 1000, 0), ==, 0);
	assert_refused(fixture, "/cache belongs to user 1000");
	g_assert_cmpint(chown(cache, 0, 0), ==, 0);
	g_assert_cmpint(chown(fixture->path, 1000, 0), ==, 0);
	assert_refused(fixture, "belongs to user 1000");
	g_assert_cmpint(chown(fixture->path, 0, 0), ==, 0);
	assert_opens(fixture);
}

/* Nobody else may hold the lock of a database, or have put a file of his own in its place. */
static void
test_files_are_the_owners(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *state = g_build_filename(fixture->path, "state.db", NULL);
	g_autofree char *planted = g_build_filename(fixture->path, "advisories.db", NULL);

	g_assert_cmpint(chmod(fixture->path, 0755), ==, 0);
	g_assert_cmpint(chmod(state, 0644), ==, 0);
	assert_opens(fixture);
	g_assert_cmpuint(mode_of(fixture, "state.db"), ==, 0600);
	g_assert_cmpint(chmod(state, 0666), ==, 0);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "*/state.db was open*0666*");
	assert_opens(fixture);
	g_test_assert_expected_messages();
	g_assert_cmpuint(mode_of(fixture, "state.db"), ==, 0600);
	if (geteuid() != 0)
		return;
	g_assert_cmpint(symlink("/nowhere", planted), ==, 0);
	assert_opens(fixture);
	g_assert_cmpint(lchown(planted, 1000, 0), ==, 0);
	assert_refused(fixture, "/advisories.db belongs to user 1000");
	g_assert_cmpint(unlink(planted), ==, 0);
	g_assert_cmpint(chown(state, 1000, 0), ==, 0);
	assert_refused(fixture, "/state.db belongs to user 1000");
	g_assert_cmpint(chown(state, 0, 0), ==, 0);
}

/* Another user may rename a store away and put his own in its place. */
static void
test_open_parents_are_told(void)
{
	g_autofree char *top = g_dir_make_tmp("cambium-parent-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(top, "store", NULL);
	g_autoptr(GError) error = NULL;
	CamStore *store;

	g_assert_cmpint(chmod(top, 0777), ==, 0);
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "other users can replace*0777");
	store = cam_store_open(path, TRUE, NULL, &error);
	g_assert_no_error(error);
	g_test_assert_expected_messages();
	g_clear_object(&store);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, top, NULL));
}

/* ---- a sweep that waits ---- */

#define HOLD_USEC 60000

static gpointer
hold_often(gpointer data)
{
	gint *stop = g_object_get_data(data, "stop");

	while (!g_atomic_int_get(stop)) {
		CamStoreHold *hold = cam_store_hold(data, NULL, NULL);
		CamStoreHold *nested;

		g_assert_nonnull(hold);
		g_usleep(HOLD_USEC);
		/* One that stands under another never waits for the gate. */
		nested = cam_store_hold(data, NULL, NULL);
		g_assert_nonnull(nested);
		cam_store_release(nested);
		cam_store_release(hold);
	}
	return NULL;
}

static void
test_sweep_goes_before_later_holds(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	gint64 began;
	GThread *threads[3];
	gint stop = 0;
	int fd;

	g_object_set_data(G_OBJECT(fixture->store), "stop", &stop);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
		threads[i] = g_thread_new("hold", hold_often, fixture->store);
		g_usleep(HOLD_USEC / G_N_ELEMENTS(threads));
	}
	began = g_get_monotonic_time();
	fd = cam_store_lock_sweep(fixture->store, NULL, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(g_get_monotonic_time() - began, <, 5 * G_USEC_PER_SEC);
	close(fd);
	g_atomic_int_set(&stop, 1);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
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
	g_test_add_func("/store/folders-are-shut", test_folders_are_shut);
	g_test_add_func("/store/foreign-folders-are-refused", test_foreign_folders_are_refused);
	g_test_add_func("/store/files-are-the-owners", test_files_are_the_owners);
	g_test_add_func("/store/open-parents-are-told", test_open_parents_are_told);
	g_test_add_func("/store/sweep-goes-before-later-holds", test_sweep_goes_before_later_holds);
	g_test_add_func("/store/tmp-lives-with-the-store", test_tmp_lives_with_the_store);
	g_test_add_func("/store/tmp-of-the-dead-is-swept", test_tmp_of_the_dead_is_swept);
	g_test_add_func("/store/holds", test_holds_share_and_keep_the_sweep_out);
	g_test_add_func("/store/lease", test_lease);
	return g_test_run();
}
