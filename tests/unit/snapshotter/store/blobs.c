/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blobs: what is put is had again, what is damaged is said to be. */
#include <glib/gstdio.h>

#include "snapshotter/oci/digest.h"
#include "tests/unit/snapshotter/store/temporary-store.h"

static void
test_round_trip(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = g_bytes_new_static("{}", 2);
	g_autofree char *expected = cam_digest_for_bytes(bytes);
	g_autofree char *digest = cam_store_put_blob(fixture->store, bytes, &error);
	g_autofree char *again = cam_store_put_blob(fixture->store, bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(digest, ==, expected);
	g_assert_cmpstr(again, ==, expected);
	g_assert_true(cam_store_has_blob(fixture->store, digest));
	g_autoptr(GBytes) read = cam_store_get_blob(fixture->store, digest, 100, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(read, bytes));
	g_assert_null(cam_store_get_blob(fixture->store, digest, 1, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
}

static void
test_absent_and_malformed(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *absent = cam_digest_for_data("absent", 6);

	g_assert_false(cam_store_has_blob(fixture->store, absent));
	g_assert_false(cam_store_has_blob(fixture->store, "sha256:../../state.db"));
	g_assert_null(cam_store_get_blob(fixture->store, absent, 100, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(cam_store_get_blob(fixture->store, "sha256:../../state.db", 100, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_store_open_blob(fixture->store, absent, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static char *
put_stream(CamStore *store, const char *text, const char *digest, GError **error)
{
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_data(text, -1, NULL);
	gint64 size = -1;
	char *real = cam_store_put_blob_stream(store, stream, digest, &size, NULL, error);

	if (real != NULL)
		g_assert_cmpint(size, ==, strlen(text));
	return real;
}

static void
test_stream(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *expected = cam_digest_for_data("layer", 5);
	g_autofree char *digest = put_stream(fixture->store, "layer", expected, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(digest, ==, expected);
	gint64 size;
	g_autoptr(GInputStream) stream = cam_store_open_blob(fixture->store, digest, &size, &error);
	char buffer[16];
	gsize n;
	g_assert_true(g_input_stream_read_all(stream, buffer, sizeof(buffer), &n, NULL, &error));
	g_assert_cmpmem(buffer, n, "layer", 5);
	g_assert_cmpint(size, ==, 5);

	g_assert_null(put_stream(fixture->store, "other", expected, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
}

static void
test_damage(void)
{
	g_autoptr(TemporaryStore) fixture = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *digest = put_stream(fixture->store, "layer", NULL, &error);
	g_autofree char *path =
		g_build_filename(fixture->path, "blobs", "sha256", cam_digest_hex(digest), NULL);

	g_assert_true(g_file_set_contents(path, "lAyer", 5, &error));
	g_assert_null(cam_store_get_blob(fixture->store, digest, 100, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_autoptr(GInputStream) stream = cam_store_open_blob(fixture->store, digest, NULL, &error);
	g_assert_no_error(error);
	char buffer[16];
	g_assert_false(g_input_stream_read_all(stream, buffer, sizeof(buffer), NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/blobs/round-trip", test_round_trip);
	g_test_add_func("/blobs/absent-and-malformed", test_absent_and_malformed);
	g_test_add_func("/blobs/stream", test_stream);
	g_test_add_func("/blobs/damage", test_damage);
	return g_test_run();
}
