/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases: what they keep with the thing that they name, and how they are found again. */
#include <sys/file.h>

#include "snapshotter/snapshotter.h"

#include "layer-fixture.h"

static char *
import_file(CamStore *store, const char *content)
{
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "etc/motd", content);
	return import_tar(store, tar);
}

static void
add_lease(CamStore *store, const char *id, const char *first, const char *second, gint64 expires)
{
	g_autoptr(GError) error = NULL;
	const char *digests[] = { first, second, NULL };

	g_assert_true(cam_store_add_lease(store, id, digests, expires, &error));
	g_assert_no_error(error);
}

static CamGcResult
collect(CamStore *store)
{
	g_autoptr(GError) error = NULL;
	CamGcResult result;

	g_assert_true(cam_store_gc(store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	return result;
}

static void
assert_listed(CamStore *store, const char *prefix, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) ids = cam_store_list_leases(store, prefix, &error);

	g_assert_no_error(error);
	g_ptr_array_add(ids, NULL);
	g_autofree char *text = g_strjoinv(" ", (char **) ids->pdata);
	g_assert_cmpstr(text, ==, expected);
}

static void
test_list(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();

	assert_listed(fixture->store, "", "");
	add_lease(fixture->store, "snapshot/7", NULL, NULL, 0);
	add_lease(fixture->store, "snapshot/12", NULL, NULL, 0);
	add_lease(fixture->store, "snapshot/3", NULL, NULL, 1);
	add_lease(fixture->store, "snapshots", NULL, NULL, 0);
	add_lease(fixture->store, "%", NULL, NULL, 0);
	assert_listed(fixture->store, "snapshot/", "snapshot/12 snapshot/7");
	assert_listed(fixture->store, "%", "%");
	assert_listed(fixture->store, "", "% snapshot/12 snapshot/7 snapshots");
}

/* The merged tree of leased layers stays, although the lease does not say how they are stacked, and
 * so does the metadata image that mounts keep beside the store. */
static void
test_keeps_the_chain_of_its_layers(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *base = import_file(fixture->store, "one");
	g_autofree char *top = import_file(fixture->store, "two");
	g_autofree char *chain = cam_chain_id(base, top);
	g_autofree char *folder = g_build_filename(fixture->path, "erofs", NULL);
	g_autofree char *image = g_strdup_printf("%s/%s.r3.erofs", folder, cam_digest_hex(chain));
	const char *diff_ids[] = { base, top, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(fixture->store, diff_ids, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
	g_assert_true(g_file_set_contents(image, "image", -1, &error));
	g_assert_true(cam_store_add_chain(fixture->store, diff_ids, &error));
	add_lease(fixture->store, "snapshot/1", base, NULL, 0);
	add_lease(fixture->store, "snapshot/2", top, NULL, 0);
	g_assert_cmpuint(collect(fixture->store).rootfs, ==, 0);
	g_assert_true(g_file_test(image, G_FILE_TEST_EXISTS));

	g_assert_true(cam_store_remove_lease(fixture->store, "snapshot/1", &error));
	g_assert_cmpuint(collect(fixture->store).rootfs, ==, 1);
	g_assert_false(g_file_test(image, G_FILE_TEST_EXISTS));
	g_assert_true(cam_store_has_layer(fixture->store, top));
}

/* Of a chain whose top is named alone, everything below stays. */
static void
test_chain_keeps_its_layers(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *base = import_file(fixture->store, "one");
	g_autofree char *top = import_file(fixture->store, "two");
	g_autofree char *chain = cam_chain_id(base, top);
	const char *diff_ids[] = { base, top, NULL };
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_store_add_chain(fixture->store, diff_ids, &error));
	g_assert_no_error(error);
	add_lease(fixture->store, "snapshot/1", chain, NULL, 0);
	g_assert_cmpuint(collect(fixture->store).layers, ==, 0);
	g_assert_true(cam_store_has_layer(fixture->store, base));
	g_assert_true(cam_store_has_layer(fixture->store, top));
}

static gpointer
add_in_thread(gpointer data)
{
	add_lease(data, "snapshot/1", NULL, NULL, 0);
	return NULL;
}

/* While a sweep runs, nobody may believe that a new lease keeps anything. */
static void
test_waits_for_a_sweep(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *path = g_build_filename(fixture->path, "lock", NULL);
	g_auto(CamFd) lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	g_assert_cmpint(flock(lock, LOCK_EX), ==, 0);
	GThread *thread = g_thread_new("lease", add_in_thread, fixture->store);
	g_usleep(100000);
	assert_listed(fixture->store, "", "");
	g_assert_cmpint(flock(lock, LOCK_UN), ==, 0);
	g_thread_join(thread);
	assert_listed(fixture->store, "", "snapshot/1");
}

typedef struct {
	char *path;
	gint stop;
	guint runs;
} Collector;

/* As another process: a store of its own. */
static gpointer
collect_in_thread(gpointer data)
{
	Collector *self = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamStore) store = cam_store_open(self->path, FALSE, NULL, &error);

	g_assert_no_error(error);
	while (!g_atomic_int_get(&self->stop)) {
		collect(store);
		self->runs++;
		g_usleep(5000);
	}
	return NULL;
}

/* What is imported and leased under one hold stays, whatever gc does meanwhile; what is found to be
 * there after it was leased, too. */
static void
test_against_gc(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	Collector collector = { .path = fixture->path };
	GThread *thread = g_thread_new("gc", collect_in_thread, &collector);

	for (guint i = 0; i < 12; i++) {
		g_autofree char *content = g_strdup_printf("content %u", i % 7);
		g_autoptr(GError) error = NULL;
		g_autoptr(CamStoreHold) hold = cam_store_hold(fixture->store, NULL, &error);
		g_autofree char *diff_id = import_file(fixture->store, content);
		GByteArray *tar = g_byte_array_new();

		tar_file(tar, "etc/motd", content);
		g_autoptr(GBytes) bytes = tar_end(tar);
		add_lease(fixture->store, "snapshot/1", diff_id, NULL, 0);
		g_clear_pointer(&hold, cam_store_release);
		g_usleep(2000);
		assert_exports_as(fixture->store, diff_id, bytes);
		g_assert_true(cam_store_remove_lease(fixture->store, "snapshot/1", &error));
		g_usleep(1000 * (i % 3));
		add_lease(fixture->store, "snapshot/2", diff_id, NULL, 0);
		if (cam_store_has_layer(fixture->store, diff_id))
			assert_exports_as(fixture->store, diff_id, bytes);
		g_assert_true(cam_store_remove_lease(fixture->store, "snapshot/2", &error));
	}
	g_atomic_int_set(&collector.stop, TRUE);
	g_thread_join(thread);
	g_assert_cmpuint(collector.runs, >, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/leases/list", test_list);
	g_test_add_func("/leases/keeps-the-chain-of-its-layers",
			test_keeps_the_chain_of_its_layers);
	g_test_add_func("/leases/chain-keeps-its-layers", test_chain_keeps_its_layers);
	g_test_add_func("/leases/waits-for-a-sweep", test_waits_for_a_sweep);
	g_test_add_func("/leases/against-gc", test_against_gc);
	return g_test_run();
}
