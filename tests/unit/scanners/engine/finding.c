/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

/* Names and order of findings. */

static void
assert_order(const CamFinding *a, const CamFinding *b)
{
	g_assert_cmpint(cam_finding_compare(a, b, CAM_SEVERITY_MEDIUM), <, 0);
	g_assert_cmpint(cam_finding_compare(b, a, CAM_SEVERITY_MEDIUM), >, 0);
}

static void
test_order(void)
{
	const CamFinding high = { .id = "CVE-2", .package = "z", .severity = CAM_SEVERITY_HIGH };
	const CamFinding medium = { .id = "CVE-1",
				    .package = "a",
				    .severity = CAM_SEVERITY_MEDIUM };
	const CamFinding unknown = { .id = "CVE-1", .package = "a" };
	const CamFinding low = { .id = "CVE-1", .package = "a", .severity = CAM_SEVERITY_LOW };
	const CamFinding later = { .id = "CVE-3", .package = "a", .severity = CAM_SEVERITY_LOW };
	const CamFinding end = { .kind = CAM_FINDING_END_OF_LIFE,
				 .id = "EOL",
				 .package = "zz",
				 .severity = CAM_SEVERITY_HIGH };

	assert_order(&high, &medium);
	assert_order(&medium, &unknown);
	assert_order(&unknown, &low);
	assert_order(&low, &later);
	assert_order(&end, &high);
	g_assert_cmpint(cam_finding_compare(&unknown, &high, CAM_SEVERITY_CRITICAL), <, 0);
	g_assert_cmpint(cam_finding_compare(&low, &low, CAM_SEVERITY_MEDIUM), ==, 0);
}

static void
test_copy(void)
{
	const char *aliases[] = { "DSA-1", NULL }, *references[] = { NULL };
	const CamFinding finding = { .id = "CVE-1",
				     .aliases = (char **) aliases,
				     .references = (char **) references,
				     .package = "p",
				     .layer = 3 };
	g_autoptr(CamFinding) copy = cam_finding_copy(&finding);

	g_assert_cmpstr(copy->id, ==, "CVE-1");
	g_assert_cmpstr(copy->aliases[0], ==, "DSA-1");
	g_assert_null(copy->title);
	g_assert_cmpint(copy->layer, ==, 3);
	g_assert_cmpint(cam_finding_compare(&finding, copy, CAM_SEVERITY_LOW), ==, 0);
}

static void
test_names(void)
{
	g_assert_cmpstr(cam_finding_kind_name(CAM_FINDING_VULNERABILITY), ==, "vulnerability");
	g_assert_cmpstr(cam_finding_kind_name(CAM_FINDING_SECURITY_UPDATE), ==, "security-update");
	g_assert_cmpstr(cam_finding_kind_name(CAM_FINDING_END_OF_LIFE), ==, "end-of-life");
	g_assert_cmpstr(cam_finding_state_name(CAM_STATE_NOT_FIXED), ==, "not-fixed");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/finding/order", test_order);
	g_test_add_func("/finding/copy", test_copy);
	g_test_add_func("/finding/names", test_names);
	return g_test_run();
}
