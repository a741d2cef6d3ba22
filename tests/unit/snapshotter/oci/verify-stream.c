/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/oci/verify-stream.h"

#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* Reads "hello" in bites of @bite; the code of the error, or -1. */
static int
read_hello(const char *digest, gint64 size, gsize bite)
{
	g_autoptr(GInputStream) base = g_memory_input_stream_new_from_data("hello", 5, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = cam_verify_stream_new(base, digest, size, &error);
	char buffer[16];
	gssize n;

	if (stream == NULL)
		return error->code;
	do {
		n = g_input_stream_read(stream, buffer, bite, NULL, &error);
	} while (n > 0);
	if (n == 0) {
		/* The end stays the end. */
		g_assert_no_error(error);
		g_assert_cmpint(g_input_stream_read(stream, buffer, 1, NULL, &error), ==, 0);
		return -1;
	}
	g_assert_true(error->domain == CAM_ERROR);
	return error->code;
}

static void
test_accepts(void)
{
	for (gsize bite = 1; bite <= 16; bite++) {
		g_assert_cmpint(read_hello(HELLO, 5, bite), ==, -1);
		g_assert_cmpint(read_hello(HELLO, -1, bite), ==, -1);
	}
}

static void
test_refuses(void)
{
	g_autofree char *other = cam_digest_for_data("hellp", 5);

	g_assert_cmpint(read_hello(other, 5, 16), ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpint(read_hello(other, -1, 2), ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpint(read_hello(HELLO, 4, 16), ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpint(read_hello(HELLO, 6, 16), ==, CAM_ERROR_DATA_LOSS);
	g_assert_cmpint(read_hello("sha256:00", 5, 16), ==, CAM_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/verify-stream/accepts", test_accepts);
	g_test_add_func("/oci/verify-stream/refuses", test_refuses);
	return g_test_run();
}
