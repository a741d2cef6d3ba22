/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/lookup.h"

#include <string.h>

/* What is judged, by what was looked up. */
static const struct {
	CamLookupOutcome outcome;
	const char *candidate, *oldest, *reason, *version;
	const char *doubt; /* NULL: judged */
} cases[] = {
	{ CAM_LOOKUP_NOT_LISTED, NULL, NULL, NULL, "1", "not in the repositories of bookworm" },
	{ CAM_LOOKUP_CURRENT, "2", NULL, NULL, "2", NULL },
	{ CAM_LOOKUP_CURRENT, "2", NULL, NULL, "1", "not looked up" },
	{ CAM_LOOKUP_CURRENT, "2", NULL, NULL, "3", "newer than what the repositories hold" },
	{ CAM_LOOKUP_READ, "2", NULL, NULL, "2", NULL },
	{ CAM_LOOKUP_READ, "2", NULL, NULL, "0~", NULL },
	{ CAM_LOOKUP_READ, "2", NULL, NULL, "2+x", "newer than what the repositories hold" },
	{ CAM_LOOKUP_READ, "1:2", "1:1", NULL, "1:1", NULL },
	{ CAM_LOOKUP_READ, "1:2", "1:1", NULL, "1:1~", "its changelog reaches back to 1:1 only" },
	{ CAM_LOOKUP_READ, "1:2", "1:1", NULL, "9", "its changelog reaches back to 1:1 only" },
	/* a package for a stable release may be lower than the entry that it was made from */
	{ CAM_LOOKUP_READ, "2~deb12u1", "2", NULL, "2~deb12u1", NULL },
	{ CAM_LOOKUP_FAILED, "2", NULL, "r", "1", "r" },
	{ CAM_LOOKUP_FAILED, "2", NULL, "r", "2", NULL },
	{ CAM_LOOKUP_FAILED, "2", NULL, "r", "3", "newer than what the repositories hold" },
	{ CAM_LOOKUP_FAILED, NULL, NULL, "r", "2", "r" },
};

static void
test_judge(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const CamLookup lookup = { .outcome = cases[i].outcome,
					   .release = (char *) "bookworm",
					   .candidate = (char *) cases[i].candidate,
					   .oldest = (char *) cases[i].oldest,
					   .reason = (char *) cases[i].reason,
					   .looked_at = 5 };
		g_auto(CamCoverage) coverage = { 0 };

		cam_lookup_judge(&lookup, cases[i].version, &coverage);
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpstr(coverage.reason, ==, cases[i].doubt);
		g_assert_cmpint(coverage.fixes, ==, cases[i].doubt == NULL);
		g_assert_false(coverage.unfixed);
		/* what nobody looked at is looked up by the next scan, not after a day */
		g_assert_cmpint(coverage.looked_at, ==,
				g_strcmp0(cases[i].doubt, "not looked up") == 0 ? 0 : 5);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lookup/judge", test_judge);
	return g_test_run();
}
