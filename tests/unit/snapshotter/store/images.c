/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of images: how they are found, replaced and removed. Layers are another test's matter. */
#include "snapshotter/snapshotter.h"
#include "snapshotter/store/store-private.h"

#include "image-fixture.h"

static void
assert_means(CamStore *store, const char *text, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImage) image = cam_store_get_image(store, text, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(image->name, ==, name);
}

static void
test_find(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *digest = put_documents(fixture->store, "a", NULL);
	g_autoptr(GError) error = NULL;

	put_image(fixture->store, "shop", digest);
	g_autoptr(CamImage) image = cam_store_get_image(fixture->store, "shop", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(image->name, ==, "shop:latest");
	g_assert_cmpstr(image->manifest->digest, ==, digest);
	g_assert_cmpstr(image->source, ==, "oci:/srv/layout:1.0");
	g_assert_cmpstr(image->chain_id, ==, "");
	g_assert_cmpuint(g_strv_length(image->diff_ids), ==, 0);

	g_autofree char *prefix = g_strndup(cam_digest_hex(digest), 8);
	g_autofree char *id = g_strndup(cam_digest_hex(image->config->digest), 12);
	assert_means(fixture->store, "shop:latest", "shop:latest");
	assert_means(fixture->store, digest, "shop:latest");
	assert_means(fixture->store, prefix, "shop:latest");
	assert_means(fixture->store, id, "shop:latest");
}

static void
test_not_found(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *digest = put_documents(fixture->store, "a", NULL);
	g_autoptr(GError) error = NULL;

	put_image(fixture->store, "registry.example.org/team/shop:1.0", digest);
	g_assert_null(
		cam_store_get_image(fixture->store, "registry.example.org/team/shpo:1.0", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(
		strstr(error->message, "did you mean registry.example.org/team/shop:1.0?"));
	g_clear_error(&error);
	g_assert_null(cam_store_get_image(fixture->store, "nothing-like-it-at-all", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "cambium images"));
}

/* What gc and verify ask when a name that they listed cannot be read. */
static void
test_gone(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *digest = put_documents(fixture->store, "a", NULL);
	g_autoptr(GError) error = NULL;

	put_image(fixture->store, "shop:1.0", digest);
	g_assert_false(cam_images_is_gone(fixture->store, "shop:1.0"));
	g_assert_true(cam_store_remove_image(fixture->store, "shop:1.0", &error));
	g_assert_no_error(error);
	g_assert_true(cam_images_is_gone(fixture->store, "shop:1.0"));
}

static void
test_replace_and_remove(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *first = put_documents(fixture->store, "a", NULL);
	g_autofree char *second = put_documents(fixture->store, "b", NULL);
	g_autoptr(GError) error = NULL;

	put_image(fixture->store, "shop:1.0", first);
	g_assert_true(cam_store_put_image(fixture->store, "shop:1.0", first, NULL, NULL, NULL,
					  FALSE, &error));
	g_assert_false(cam_store_put_image(fixture->store, "shop:1.0", second, NULL, NULL, NULL,
					   FALSE, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_ALREADY_EXISTS);
	g_clear_error(&error);
	put_image(fixture->store, "shop:1.0", second);
	assert_means(fixture->store, second, "shop:1.0");
	g_assert_true(cam_store_remove_image(fixture->store, "shop:1.0", &error));
	g_assert_no_error(error);
	g_autoptr(GPtrArray) images = cam_store_list_images(fixture->store, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(images->len, ==, 0);
	g_assert_false(cam_store_remove_image(fixture->store, "shop:1.0", &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_incomplete(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *diff_id = cam_digest_for_data("no layer", 8);
	g_autofree char *digest = put_documents(fixture->store, "a", diff_id);
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_store_put_image(fixture->store, "shop:1.0", digest, NULL, NULL, NULL,
					   TRUE, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
	g_assert_nonnull(strstr(error->message, diff_id));
	g_clear_error(&error);
	g_assert_false(cam_store_put_image(fixture->store, "shop:1.0", diff_id, NULL, NULL, NULL,
					   TRUE, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_list_is_sorted(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autofree char *digest = put_documents(fixture->store, "a", NULL);
	g_autoptr(GError) error = NULL;

	put_image(fixture->store, "b:1", digest);
	put_image(fixture->store, "a:2", digest);
	g_autoptr(GPtrArray) images = cam_store_list_images(fixture->store, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(images->len, ==, 2);
	g_assert_cmpstr(((CamImage *) images->pdata[0])->name, ==, "a:2");
	g_assert_cmpstr(((CamImage *) images->pdata[1])->name, ==, "b:1");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/images/find", test_find);
	g_test_add_func("/images/not-found", test_not_found);
	g_test_add_func("/images/gone", test_gone);
	g_test_add_func("/images/replace-and-remove", test_replace_and_remove);
	g_test_add_func("/images/incomplete", test_incomplete);
	g_test_add_func("/images/list-is-sorted", test_list_is_sorted);
	return g_test_run();
}
