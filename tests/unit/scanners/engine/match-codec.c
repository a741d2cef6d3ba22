/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/match-codec.h"

#include "scanners/scanners.h"

/* What advisories said of a version survives storing. */

static CamMatch *
make_match(const char *id, const char *const *aliases, const char *fixed_version)
{
	CamMatch *match = g_new0(CamMatch, 1);

	match->advisory = g_new0(CamAdvisory, 1);
	match->advisory->id = g_strdup(id);
	match->advisory->aliases = g_strdupv((char **) aliases);
	match->advisory->severity = CAM_SEVERITY_HIGH;
	match->advisory->score = 7.5;
	match->advisory->source = g_strdup("osv:x");
	match->advisory->modified = 1700000000;
	match->fixed_version = g_strdup(fixed_version);
	return match;
}

static void
test_round_trip(void)
{
	static const char *const aliases[] = { "CVE-2024-1", "GHSA-\xff", NULL };
	g_autoptr(GPtrArray) matches =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_match_free);
	g_autoptr(GPtrArray) copy = NULL;
	g_autoptr(GBytes) bytes = NULL;
	const CamCoverage coverage = { .unfixed = TRUE,
				       .reason = (char *) "no \xff source",
				       .looked_at = 1700000001 };
	g_auto(CamCoverage) read = { .reason = g_strdup("before") };
	const CamMatch *match;

	g_ptr_array_add(matches, make_match("DSA-1", aliases, "1.2"));
	((CamMatch *) matches->pdata[0])->pro_only = TRUE;
	g_ptr_array_add(matches, make_match("CVE-2", NULL, NULL));
	bytes = cam_matches_to_bytes(matches, &coverage);
	copy = cam_matches_from_bytes(bytes, &read);
	g_assert_false(read.fixes);
	g_assert_true(read.unfixed);
	g_assert_cmpstr(read.reason, ==, "no \xff source");
	g_assert_cmpint(read.looked_at, ==, 1700000001);
	g_assert_cmpuint(copy->len, ==, 2);
	match = copy->pdata[0];
	g_assert_cmpstr(match->advisory->id, ==, "DSA-1");
	g_assert_cmpstr(match->advisory->aliases[1], ==, "GHSA-\xff");
	g_assert_cmpint(match->advisory->severity, ==, CAM_SEVERITY_HIGH);
	g_assert_cmpfloat(match->advisory->score, ==, 7.5);
	g_assert_null(match->advisory->summary);
	g_assert_cmpint(match->advisory->modified, ==, 1700000000);
	g_assert_cmpstr(match->fixed_version, ==, "1.2");
	g_assert_true(match->pro_only);
	match = copy->pdata[1];
	g_assert_null(match->fixed_version);
	g_assert_false(match->pro_only);
	g_assert_cmpuint(g_strv_length(match->advisory->aliases), ==, 0);
}

static void
test_empty_and_damaged(void)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new(), copy = NULL;
	const CamCoverage coverage = { .fixes = TRUE };
	g_auto(CamCoverage) read = { 0 };
	g_autoptr(GBytes) bytes = cam_matches_to_bytes(none, &coverage);
	g_autoptr(GBytes) damaged = g_bytes_new_static("\x01\x02\x03\x04\xff", 5);

	copy = cam_matches_from_bytes(bytes, &read);
	g_assert_cmpuint(copy->len, ==, 0);
	g_assert_true(read.fixes);
	g_assert_null(read.reason);
	g_assert_null(cam_matches_from_bytes(damaged, &read));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/match-codec/round-trip", test_round_trip);
	g_test_add_func("/match-codec/empty-and-damaged", test_empty_and_damaged);
	return g_test_run();
}
