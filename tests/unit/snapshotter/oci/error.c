/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/oci/error.h"

#include <errno.h>
#include <gio/gio.h>

static void
test_names(void)
{
	for (int code = CAM_ERROR_UNKNOWN; code <= CAM_ERROR_INTERNAL; code++)
		g_assert_nonnull(cam_error_code_name((CamError) code));
	g_assert_cmpstr(cam_error_code_name(CAM_ERROR_DATA_LOSS), ==, "data-loss");
	g_assert_cmpstr(cam_error_code_name((CamError) 999), ==, "unknown");
}

static void
test_errno(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_set_error_errno(&error, ENOSPC, "cannot write %s", "x"));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_RESOURCE_EXHAUSTED);
	g_assert_cmpstr(error->message, ==, "cannot write x: No space left on device");
	g_assert_cmpint(cam_error_from_errno(ENOENT), ==, CAM_ERROR_NOT_FOUND);
	g_assert_cmpint(cam_error_from_errno(12345), ==, CAM_ERROR_UNKNOWN);
	g_assert_false(cam_set_error_errno(NULL, EIO, "ignored"));
}

static void
test_translate(void)
{
	g_autoptr(GError) error =
		g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "refused");

	g_assert_false(cam_error_translate(&error, "host %s", "a"));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_UNAVAILABLE);
	g_assert_cmpstr(error->message, ==, "host a: refused");

	/* An error of ours keeps its code. */
	g_assert_false(cam_error_translate(&error, "outer"));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_UNAVAILABLE);
	g_assert_cmpstr(error->message, ==, "outer: host a: refused");

	g_assert_false(cam_error_translate(NULL, "nothing"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/error/names", test_names);
	g_test_add_func("/oci/error/errno", test_errno);
	g_test_add_func("/oci/error/translate", test_translate);
	return g_test_run();
}
