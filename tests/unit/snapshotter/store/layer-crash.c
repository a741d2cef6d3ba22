/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Imports that are killed, run side by side, or meet a full disk: the store is whole afterwards and
 * nothing is left over. The importers are this program itself, started with a command.
 */
#include "snapshotter/snapshotter.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "layer-fixture.h"

#define FILES	  600
#define FILE_SIZE 20000
#define KILLS	  12
#define IMPORTERS 3
#define FULL_DISK "size=8m"
#define SKIPPED	  77

static const char *program;

static GBytes *
large_layer(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(3);
	GByteArray *tar = g_byte_array_new();
	g_autofree guint32 *content = g_malloc(FILE_SIZE);

	for (guint i = 0; i < FILES; i++) {
		g_autofree char *name = g_strdup_printf("d%u/f%u", i % 20, i);

		for (guint k = 0; k < FILE_SIZE / 4; k++)
			content[k] = g_rand_int(rand);
		tar_add(tar, &(TarSample){ .name = name,
					   .type = '0',
					   .mode = 0644,
					   .content = (const char *) content,
					   .content_size = FILE_SIZE });
	}
	return tar_end(tar);
}

/* ---- what the started program does ---- */

static int
import_file(const char *store_path, const char *file)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(store_path, TRUE, NULL, &error);
	g_autofree char *data = NULL, *diff_id = NULL;
	gsize size;

	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(file, &data, &size, NULL));
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	diff_id = import_bytes(store, bytes, NULL, &error);
	g_assert_no_error(error);
	return diff_id != NULL ? 0 : 1;
}

static void
assert_whole(CamStore *store)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamVerifyResult) result = { 0 };

	g_assert_true(cam_store_verify(store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < result.problems->len; i++) {
		CamVerifyProblem *problem = g_ptr_array_index(result.problems, i);

		g_error("%s: %s", problem->subject, problem->problem);
	}
}

static void
assert_empty(const char *store, const char *name, const char *prefix)
{
	g_autofree char *path = g_build_filename(store, name, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *entry;

	while (dir != NULL && (entry = g_dir_read_name(dir)) != NULL)
		if (g_str_has_prefix(entry, prefix))
			g_error("%s/%s was left behind", path, entry);
}

/* In a mount namespace of its own, so that the mount goes with the process. */
static int
fill_disk(const char *directory, const char *file)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL, *refused = NULL, *path = NULL;
	g_autoptr(CamStore) store = NULL;
	gsize size;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", directory, "tmpfs", 0, FULL_DISK) != 0)
		return SKIPPED;
	path = g_build_filename(directory, "store", NULL);
	store = cam_store_open(path, TRUE, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(file, &data, &size, NULL));
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	refused = import_bytes(store, bytes, NULL, &error);
	g_assert_null(refused);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);
	assert_whole(store);
	assert_empty(path, "repo/tmp", "staging-");

	/* There is room again for what fits. */
	GByteArray *small = g_byte_array_new();
	tar_file(small, "f", "fits");
	g_autofree char *diff_id = import_tar(store, small);
	g_assert_true(cam_store_has_layer(store, diff_id));
	g_clear_object(&store);
	assert_empty(path, "tmp", "");
	return 0;
}

/* ---- the tests ---- */

typedef struct {
	char *directory, *store, *layer;
	char *diff_id;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) layer = large_layer();

	f->directory = g_dir_make_tmp("cambium-crash-XXXXXX", &error);
	g_assert_no_error(error);
	f->store = g_build_filename(f->directory, "store", NULL);
	f->layer = g_build_filename(f->directory, "layer.tar", NULL);
	f->diff_id = cam_digest_for_bytes(layer);
	g_assert_true(g_file_set_contents(f->layer, g_bytes_get_data(layer, NULL),
					  (gssize) g_bytes_get_size(layer), NULL));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->directory, &error));
	g_assert_no_error(error);
	g_free(f->directory);
	g_free(f->store);
	g_free(f->layer);
	g_free(f->diff_id);
}

static GSubprocess *
start(const char *command, const char *argument, const Fixture *f)
{
	g_autoptr(GError) error = NULL;
	GSubprocess *process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error, program,
						command, argument, f->layer, NULL);

	g_assert_no_error(error);
	return process;
}

static void
assert_imports_cleanly(const Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process = start("--import", f->store, f);
	g_autoptr(CamStore) store = NULL;

	g_assert_true(g_subprocess_wait_check(process, NULL, &error));
	g_assert_no_error(error);
	store = cam_store_open(f->store, FALSE, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(cam_store_has_layer(store, f->diff_id));
	assert_whole(store);
	g_clear_object(&store);
	assert_empty(f->store, "tmp", "");
	assert_empty(f->store, "repo/tmp", "staging-");
}

static void
test_killed(Fixture *f, gconstpointer data)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(11);
	gint64 begin = g_get_monotonic_time(), whole;

	/* How long it takes tells where to kill; the store of this one is thrown away. */
	assert_imports_cleanly(f);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->store, NULL));
	whole = (g_get_monotonic_time() - begin) / 2;
	for (guint i = 0; i < KILLS; i++) {
		g_autoptr(GSubprocess) process = start("--import", f->store, f);

		g_usleep((gulong) g_rand_double_range(rand, 0, (double) whole));
		g_subprocess_force_exit(process);
		g_assert_true(g_subprocess_wait(process, NULL, NULL));
	}
	assert_imports_cleanly(f);
}

static void
test_side_by_side(Fixture *f, gconstpointer data)
{
	GSubprocess *processes[IMPORTERS];

	for (guint i = 0; i < IMPORTERS; i++)
		processes[i] = start("--import", f->store, f);
	for (guint i = 0; i < IMPORTERS; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(g_subprocess_wait_check(processes[i], NULL, &error));
		g_assert_no_error(error);
		g_object_unref(processes[i]);
	}
	assert_imports_cleanly(f);
}

static void
test_full_disk(Fixture *f, gconstpointer data)
{
	g_autoptr(GSubprocess) process = NULL;

	g_assert_cmpint(g_mkdir_with_parents(f->store, 0700), ==, 0);
	process = start("--fill-disk", f->store, f);
	g_assert_true(g_subprocess_wait(process, NULL, NULL));
	g_assert_true(g_subprocess_get_if_exited(process));
	if (g_subprocess_get_exit_status(process) == SKIPPED)
		g_test_skip("cannot mount here");
	else
		g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 0);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && g_str_equal(argv[1], "--import"))
		return import_file(argv[2], argv[3]);
	if (argc == 4 && g_str_equal(argv[1], "--fill-disk"))
		return fill_disk(argv[2], argv[3]);
	program = argv[0];
	g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)
	ADD("/store/layer-crash/killed", test_killed);
	ADD("/store/layer-crash/side-by-side", test_side_by_side);
	ADD("/store/layer-crash/full-disk", test_full_disk);
	return g_test_run();
}
