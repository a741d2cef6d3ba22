/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Garbage collection: what nobody needs goes, all else stays, and a dry run only tells. */
#include "snapshotter/snapshotter.h"

#include "image-fixture.h"
#include "layer-fixture.h"

/* One layer with one file; the image that stands on it is @name. */
static char *
add_image(CamStore *store, const char *name, const char *content)
{
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "etc/motd", content);
	char *diff_id = import_tar(store, tar);
	g_autofree char *manifest = put_documents(store, name, diff_id);
	put_image(store, name, manifest);
	return diff_id;
}

static void
open_rootfs(CamStore *store, const char *diff_id)
{
	g_autoptr(GError) error = NULL;
	const char *diff_ids[] = { diff_id, NULL };
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store, diff_ids, NULL, &error);

	g_assert_no_error(error);
	g_assert_nonnull(rootfs);
}

static CamGcResult
collect(CamStore *store, gboolean dry_run)
{
	g_autoptr(GError) error = NULL;
	CamGcResult result;

	g_assert_true(cam_store_gc(store, dry_run, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	return result;
}

static void
assert_whole(CamStore *store)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamVerifyResult) result = { 0 };

	g_assert_true(cam_store_verify(store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(result.problems->len, ==, 0);
}

static void
test_frees_what_no_name_needs(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *kept = add_image(fixture->store, "kept:1", "kept");
	g_autofree char *gone = add_image(fixture->store, "gone:1", "gone");

	open_rootfs(fixture->store, kept);
	open_rootfs(fixture->store, gone);
	g_assert_cmpuint(collect(fixture->store, FALSE).layers, ==, 0);
	g_assert_true(cam_store_remove_image(fixture->store, "gone:1", &error));

	CamGcResult told = collect(fixture->store, TRUE);
	g_assert_true(cam_store_has_layer(fixture->store, gone));
	CamGcResult done = collect(fixture->store, FALSE);
	g_assert_cmpuint(told.layers, ==, 1);
	g_assert_cmpuint(told.rootfs, ==, 1);
	g_assert_cmpuint(told.blobs, ==, 2);
	g_assert_cmpuint(told.objects, >, 0);
	g_assert_cmpmem(&told, sizeof(told), &done, sizeof(done));

	g_assert_false(cam_store_has_layer(fixture->store, gone));
	g_assert_true(cam_store_has_layer(fixture->store, kept));
	open_rootfs(fixture->store, kept);
	assert_whole(fixture->store);
	CamGcResult again = collect(fixture->store, FALSE);
	g_assert_cmpuint(again.objects, ==, 0);
	g_assert_cmpuint(again.bytes, ==, 0);
}

static void
test_lease_keeps_until_it_ends(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *diff_id = add_image(fixture->store, "shop:1", "text");
	const char *digests[] = { diff_id, NULL };

	g_assert_true(cam_store_remove_image(fixture->store, "shop:1", &error));
	g_assert_true(cam_store_add_lease(fixture->store, "pull", digests, 0, &error));
	collect(fixture->store, FALSE);
	g_assert_true(cam_store_has_layer(fixture->store, diff_id));
	g_assert_true(cam_store_add_lease(fixture->store, "pull", digests, 1, &error));
	collect(fixture->store, FALSE);
	g_assert_no_error(error);
	g_assert_false(cam_store_has_layer(fixture->store, diff_id));
	g_assert_false(cam_store_remove_lease(fixture->store, "pull", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_shared_layer_stays(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *first = add_image(fixture->store, "a:1", "same");
	g_autofree char *second = add_image(fixture->store, "b:1", "same");

	g_assert_cmpstr(first, ==, second);
	g_assert_true(cam_store_remove_image(fixture->store, "a:1", &error));
	collect(fixture->store, FALSE);
	g_assert_true(cam_store_has_layer(fixture->store, first));
	assert_whole(fixture->store);
}

/* An image whose documents are damaged might need anything: nothing is freed then. */
static void
test_unreadable_image_stops_it(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *diff_id = add_image(fixture->store, "shop:1", "text");
	g_autoptr(CamImage) image = cam_store_get_image(fixture->store, "shop:1", &error);
	g_autofree char *path = g_build_filename(fixture->path, "blobs", "sha256",
						 cam_digest_hex(image->config->digest), NULL);
	CamGcResult result;

	g_assert_true(g_file_set_contents(path, "{}", -1, &error));
	g_assert_false(cam_store_gc(fixture->store, FALSE, NULL, &result, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_nonnull(strstr(error->message, "shop:1"));
	g_assert_true(cam_store_has_layer(fixture->store, diff_id));
}

static void
test_waits_for_holders(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GCancellable) cancelled = g_cancellable_new();
	g_autoptr(CamStoreHold) hold = cam_store_hold(fixture->store, NULL, &error);
	CamGcResult result;

	g_cancellable_cancel(cancelled);
	g_assert_false(cam_store_gc(fixture->store, FALSE, NULL, &result, cancelled, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gc/frees-what-no-name-needs", test_frees_what_no_name_needs);
	g_test_add_func("/gc/lease-keeps-until-it-ends", test_lease_keeps_until_it_ends);
	g_test_add_func("/gc/shared-layer-stays", test_shared_layer_stays);
	g_test_add_func("/gc/unreadable-image-stops-it", test_unreadable_image_stops_it);
	g_test_add_func("/gc/waits-for-holders", test_waits_for_holders);
	return g_test_run();
}
