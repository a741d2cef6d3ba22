/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The date in a package's first archive member, and files that are no packages. */
#include "rebuild/publish/package-time.h"

#include <glib/gstdio.h>

static void
test_times(void)
{
	static const struct {
		const char *content;
		gint64 seconds; /* -1: refused */
	} cases[] = {
		{ "!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n",
		  1700000000 },
		{ "!<arch>\ndebian-binary   0           0", 0 },
		{ "!<arch>\ndebian-binary   999999999999", G_GINT64_CONSTANT(999999999999) },
		{ "!<arch>\ndebian-binary   -5          ", -1 },
		{ "!<arch>\ndebian-binary               ", -1 },
		{ "!<arch>\ndebian-binary   17000", -1 },
		{ "PK\003\004 no package at all, but long enough", -1 },
		{ "", -1 },
	};
	g_autofree char *dir = g_dir_make_tmp("cambium-package-time-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.deb", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gint64 seconds = -1;

		g_assert_true(g_file_set_contents(path, cases[i].content, -1, NULL));
		if (cases[i].seconds >= 0) {
			cam_package_time(path, &seconds, &error);
			g_assert_no_error(error);
			g_assert_cmpint(seconds, ==, cases[i].seconds);
		} else {
			g_assert_false(cam_package_time(path, &seconds, &error));
			g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		}
	}
	g_unlink(path);
	g_rmdir(dir);
}

static void
test_absent(void)
{
	g_autoptr(GError) error = NULL;
	gint64 seconds;

	g_assert_false(cam_package_time("/nonexistent/x.deb", &seconds, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/package-time/times", test_times);
	g_test_add_func("/package-time/absent", test_absent);
	return g_test_run();
}
