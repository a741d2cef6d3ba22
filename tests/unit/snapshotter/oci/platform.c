/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/oci/platform.h"

static void
test_spellings(void)
{
	static const char *const pairs[][2] = {
		{ "arm64", "linux/arm64" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "aarch64", "linux/arm64" },
		{ "linux/x86_64", "linux/amd64" },
		{ "Linux/AMD64", "linux/amd64" },
		{ "linux/arm", "linux/arm/v7" },
		{ "linux/arm/6", "linux/arm/v6" },
		{ "armhf", "linux/arm/v7" },
		{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "i686", "linux/386" },
		{ "linux/riscv64", "linux/riscv64" },
		{ "windows/amd64", "windows/amd64" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamPlatform) platform = cam_platform_parse(pairs[i][0], &error);
		g_autofree char *text = NULL;

		g_assert_no_error(error);
		text = cam_platform_to_string(platform);
		g_assert_cmpstr(text, ==, pairs[i][1]);
	}
}

static void
test_refuses(void)
{
	static const char *const bad[] = { "",	      "/",	   "linux/",	   "/amd64",
					   "a/b/c/d", "linux//v8", "linux/amd 64", "linux/\xff" };

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_platform_parse(bad[i], &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
}

static gboolean
match(const char *wanted, const char *offered)
{
	g_autoptr(CamPlatform) w = cam_platform_parse(wanted, NULL);
	g_autoptr(CamPlatform) o = cam_platform_parse(offered, NULL);

	return cam_platform_match(w, o);
}

static void
test_match(void)
{
	g_autoptr(CamPlatform) host = cam_platform_host();

	g_assert_true(match("linux/arm64", "linux/arm64/v8"));
	g_assert_true(match("linux/amd64", "linux/amd64/v3"));
	g_assert_true(match("linux/amd64/v3", "linux/amd64"));
	g_assert_false(match("linux/arm/v6", "linux/arm/v7"));
	g_assert_false(match("linux/arm64", "linux/arm"));
	g_assert_false(match("linux/amd64", "windows/amd64"));
	g_assert_cmpstr(host->os, ==, "linux");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/platform/spellings", test_spellings);
	g_test_add_func("/oci/platform/refuses", test_refuses);
	g_test_add_func("/oci/platform/match", test_match);
	return g_test_run();
}
