/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

/* Package URLs and the order of packages. */

static void
assert_purl(const char *name, const char *version, const char *architecture, const char *version_id,
	    const char *expected)
{
	g_autoptr(CamPackage) package = cam_package_new(CAM_PACKAGE_DEB, name, version);
	g_autofree char *purl = NULL;

	package->architecture = g_strdup(architecture);
	purl = cam_package_get_purl(package, "debian", version_id);
	g_assert_cmpstr(purl, ==, expected);
}

static void
test_purl(void)
{
	assert_purl("openssl", "3.0.11-1", "amd64", "12",
		    "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12");
	assert_purl("attr", "1:2.4.47-2+b1", "amd64", NULL,
		    "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64");
	assert_purl("libstdc++6", "12.2.0-14~exp1", NULL, NULL,
		    "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14~exp1");
	assert_purl("a", "1?x#y@z", NULL, "12", "pkg:deb/debian/a@1%3Fx%23y%40z?distro=debian-12");
}

static void
test_copy(void)
{
	g_autoptr(CamPackage) package = cam_package_new(CAM_PACKAGE_DEB, "a", "1");
	g_autoptr(CamPackage) copy = NULL;

	package->multi_arch = g_strdup("same");
	package->origin = g_strdup("Example Corp");
	package->held = TRUE;
	copy = cam_package_copy(package);
	g_assert_cmpint(cam_package_compare(package, copy), ==, 0);
	g_assert_cmpstr(copy->multi_arch, ==, "same");
	g_assert_cmpstr(copy->origin, ==, "Example Corp");
	g_assert_cmpstr(copy->source_name, ==, "a");
	g_assert_cmpint(copy->layer, ==, -1);
	g_assert_true(copy->held);
}

static void
test_compare(void)
{
	g_autoptr(CamPackage) a = cam_package_new(CAM_PACKAGE_DEB, "libc6", "1");
	g_autoptr(CamPackage) b = cam_package_new(CAM_PACKAGE_DEB, "libc6", "1");

	a->architecture = g_strdup("amd64");
	b->architecture = g_strdup("i386");
	g_assert_cmpint(cam_package_compare(a, b), <, 0);
	g_assert_cmpint(cam_package_compare(b, a), >, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/package/purl", test_purl);
	g_test_add_func("/package/copy", test_copy);
	g_test_add_func("/package/compare", test_compare);
	return g_test_run();
}
