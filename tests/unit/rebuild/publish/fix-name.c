/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of fixed images: no suffix piles up, no tag grows too long, archives stay as they are. */
#include "rebuild/publish/fix-name.h"

#include <string.h>

static void
test_names(void)
{
	static const struct {
		const char *original;
		guint attempt;
		const char *expected;
	} cases[] = {
		{ "shop:1.0", 0, "shop:1.0_fix" },
		{ "shop:1.0", 1, "shop:1.0_fix2" },
		{ "shop:1.0", 98, "shop:1.0_fix99" },
		{ "shop:1.0_fix", 0, "shop:1.0_fix2" },
		{ "shop:1.0_fix2", 0, "shop:1.0_fix3" },
		{ "shop:1.0_fix9", 1, "shop:1.0_fix11" },
		{ "shop", 0, "shop:latest_fix" },
		{ "registry.example.org:5000/a/b:x", 0, "registry.example.org:5000/a/b:x_fix" },
		{ "shop:_fix", 0, "shop:_fix_fix" },
		{ "shop:1.0_fix20240101", 0, "shop:1.0_fix20240101_fix" },
		{ "shop@sha256:"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  0, "shop:latest_fix" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamReference) original = cam_reference_parse(cases[i].original, &error);
		g_autoptr(CamReference) fixed = NULL;
		g_autofree char *text = NULL;

		g_assert_no_error(error);
		fixed = cam_fix_name(original, "_fix", cases[i].attempt, &error);
		g_assert_no_error(error);
		text = cam_reference_to_string(fixed);
		g_assert_cmpstr(text, ==, cases[i].expected);
	}
}

static void
test_too_long(void)
{
	g_autofree char *tag = g_strnfill(125, 't');
	g_autofree char *text = g_strconcat("shop:", tag, NULL);
	g_autoptr(CamReference) original = cam_reference_parse(text, NULL);
	g_autoptr(CamReference) fixed = NULL;
	g_autoptr(GError) error = NULL;

	fixed = cam_fix_name(original, "_fix", 0, &error);
	g_assert_null(fixed);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_locations(void)
{
	static const struct {
		const char *source;
		guint attempt;
		gboolean overwrite;
		const char *expected;
	} cases[] = {
		{ "oci:/srv/shop:1.0", 0, FALSE, "oci:/srv/shop:1.0_fix" },
		{ "oci:/srv/shop:1.0", 0, TRUE, "oci:/srv/shop:1.0" },
		{ "oci:/srv/shop", 1, FALSE, "oci:/srv/shop:2.0_fix2" },
		{ "oci:/srv/shop", 0, TRUE, "oci:/srv/shop:2.0" },
		{ "docker://registry.example.org/a:1", 0, FALSE,
		  "docker://registry.example.org/a:1_fix" },
		{ "docker://registry.example.org/a:1", 0, TRUE,
		  "docker://registry.example.org/a:1" },
		{ "docker-archive:/srv/a.tar:shop:1.0", 0, FALSE,
		  "docker-archive:/srv/a_fix.tar:shop:1.0_fix" },
		{ "docker-archive:/srv/a_fix.tar:shop:1.0_fix", 0, FALSE,
		  "docker-archive:/srv/a_fix2.tar:shop:1.0_fix2" },
		{ "docker-archive:/srv/a.tar", 0, FALSE,
		  "docker-archive:/srv/a_fix.tar:shop:2.0_fix" },
		{ "docker-archive:/srv/a.tar", 0, TRUE, "docker-archive:/srv/a_fix.tar:shop:2.0" },
		{ "oci-archive:/srv/a.tar.gz:1.0", 1, FALSE,
		  "oci-archive:/srv/a_fix2.tar.gz:1.0_fix2" },
		{ "oci-archive:/srv/image:1.0", 0, TRUE, "oci-archive:/srv/image_fix:1.0" },
	};
	g_autoptr(CamReference) name = cam_reference_parse("shop:2.0", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamLocation) source = cam_location_parse(cases[i].source, &error);
		g_autoptr(CamLocation) fixed = NULL;
		g_autofree char *text = NULL;

		g_assert_no_error(error);
		fixed = cam_fix_location(source, name, "_fix", cases[i].attempt, cases[i].overwrite,
					 &error);
		g_assert_no_error(error);
		text = cam_location_to_string(fixed);
		g_assert_cmpstr(text, ==, cases[i].expected);
	}
}

static void
test_impossible_locations(void)
{
	g_autoptr(CamReference) name = cam_reference_parse("shop:2.0", NULL);
	g_autoptr(CamLocation) by_digest = cam_location_parse(
		"docker://registry.example.org/a@sha256:"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		NULL);
	g_autoptr(CamLocation) store = cam_location_parse("shop:1.0", NULL);
	g_autoptr(CamLocation) none = NULL;
	g_autoptr(GError) error = NULL;

	none = cam_fix_location(by_digest, name, "_fix", 0, TRUE, &error);
	g_assert_null(none);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	none = cam_fix_location(store, name, "_fix", 0, FALSE, &error);
	g_assert_null(none);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fix-name/names", test_names);
	g_test_add_func("/fix-name/too-long", test_too_long);
	g_test_add_func("/fix-name/locations", test_locations);
	g_test_add_func("/fix-name/impossible-locations", test_impossible_locations);
	return g_test_run();
}
