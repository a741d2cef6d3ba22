/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chains: found from images and from what was added, never with a layer that is not there. */
#include "snapshotter/snapshotter.h"

#include "image-fixture.h"
#include "layer-fixture.h"
#include "snapshotter/store/store-private.h"

static char *
import_file(CamStore *store, const char *content)
{
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "etc/motd", content);
	return import_tar(store, tar);
}

/* NULL: not known. */
static char *
found(CamStore *store, const char *chain_id)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) diff_ids = NULL;

	g_assert_true(cam_store_find_chain(store, chain_id, &diff_ids, &error));
	g_assert_no_error(error);
	return diff_ids != NULL ? g_strjoinv(" ", diff_ids) : NULL;
}

static void
assert_found(CamStore *store, const char *chain_id, const char *expected)
{
	g_autofree char *layers = found(store, chain_id);

	g_assert_cmpstr(layers, ==, expected);
}

static void
add_chain(CamStore *store, const char *first, const char *second)
{
	g_autoptr(GError) error = NULL;
	const char *diff_ids[] = { first, second, NULL };

	g_assert_true(cam_store_add_chain(store, diff_ids, &error));
	g_assert_no_error(error);
}

static void
collect(CamStore *store)
{
	g_autoptr(GError) error = NULL;
	CamGcResult result;

	g_assert_true(cam_store_gc(store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
}

static gint64
count_rows(CamStore *store)
{
	g_autoptr(GError) error = NULL;
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(store, &state);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state, "SELECT count(*) FROM chains", &error);

	g_assert_true(cam_statement_step(row, &error));
	return cam_statement_int(row, 0);
}

static void
test_image_brings_its_chain(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *diff_id = import_file(fixture->store, "one");
	g_autofree char *other = import_file(fixture->store, "other");
	g_autofree char *manifest = put_documents(fixture->store, "a", diff_id);

	assert_found(fixture->store, diff_id, NULL);
	put_image(fixture->store, "shop:1", manifest);
	assert_found(fixture->store, diff_id, diff_id);
	assert_found(fixture->store, other, NULL);
	assert_found(fixture->store, "no digest", NULL);
}

static void
test_added_with_all_parts(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *base = import_file(fixture->store, "one");
	g_autofree char *top = import_file(fixture->store, "two");
	g_autofree char *chain = cam_chain_id(base, top);
	g_autofree char *both = g_strjoin(" ", base, top, NULL);
	g_autoptr(GError) error = NULL;
	const char *bad[] = { base, "sha256:short", NULL };

	add_chain(fixture->store, base, top);
	assert_found(fixture->store, base, base);
	assert_found(fixture->store, chain, both);
	assert_found(fixture->store, top, NULL);
	g_assert_false(cam_store_add_chain(fixture->store, bad, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_needs_every_layer(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *absent = cam_digest_for_data("absent", 6);
	g_autofree char *top = import_file(fixture->store, "two");
	g_autofree char *chain = cam_chain_id(absent, top);

	add_chain(fixture->store, absent, top);
	assert_found(fixture->store, absent, NULL);
	assert_found(fixture->store, chain, NULL);
}

/* A store as it was before there were chains. */
static void
test_filled_once_from_images(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *diff_id = import_file(fixture->store, "one");
	g_autofree char *manifest = put_documents(fixture->store, "a", diff_id);
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(fixture->path, "state.db", NULL);

	put_image(fixture->store, "shop:1", manifest);
	g_clear_object(&fixture->store);
	/* As many scripts as the schema has: none of them runs. */
	const char *const scripts[] = { "", "", NULL };
	g_autoptr(CamDatabase) state = cam_database_open(path, scripts, &error);
	g_assert_no_error(error);
	g_assert_true(cam_database_exec(
		state, "DROP TABLE chains; DROP TABLE marks; PRAGMA user_version = 1", &error));
	fixture->store = cam_store_open(fixture->path, FALSE, NULL, &error);
	g_assert_no_error(error);
	assert_found(fixture->store, diff_id, diff_id);

	g_assert_true(cam_database_exec(state, "DELETE FROM chains", &error));
	assert_found(fixture->store, diff_id, NULL);
	g_assert_no_error(error);
}

static void
test_goes_with_its_layers(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *base = import_file(fixture->store, "one");
	g_autofree char *top = import_file(fixture->store, "two");
	g_autofree char *chain = cam_chain_id(base, top);
	g_autofree char *both = g_strjoin(" ", base, top, NULL);
	g_autoptr(GError) error = NULL;
	const char *leased[] = { chain, NULL };

	add_chain(fixture->store, base, top);
	g_assert_true(cam_store_add_lease(fixture->store, "snapshot/1", leased, 0, &error));
	collect(fixture->store);
	assert_found(fixture->store, chain, both);
	g_assert_true(cam_store_remove_lease(fixture->store, "snapshot/1", &error));

	/* The base goes, the top stays: nothing stands on it any more. */
	leased[0] = top;
	g_assert_true(cam_store_add_lease(fixture->store, "snapshot/2", leased, 0, &error));
	g_assert_no_error(error);
	collect(fixture->store);
	g_assert_true(cam_store_has_layer(fixture->store, top));
	assert_found(fixture->store, chain, NULL);
	g_assert_cmpint(count_rows(fixture->store), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/chains/image-brings-its-chain", test_image_brings_its_chain);
	g_test_add_func("/chains/added-with-all-parts", test_added_with_all_parts);
	g_test_add_func("/chains/needs-every-layer", test_needs_every_layer);
	g_test_add_func("/chains/filled-once-from-images", test_filled_once_from_images);
	g_test_add_func("/chains/goes-with-its-layers", test_goes_with_its_layers);
	return g_test_run();
}
