/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores from the specifications and their example documents, and from first.org's calculators. */
#include "scanners/advisory/cvss.h"

#include <string.h>

#include "scanners/advisory/advisory-db.h"

static const struct {
	double score;
	const char *vector;
} vectors[] = {
	/* 2.0 complete guide, section 3.3 */
	{ 7.8, "AV:N/AC:L/Au:N/C:N/I:N/A:C" },
	{ 10.0, "AV:N/AC:L/Au:N/C:C/I:C/A:C" },
	{ 6.2, "AV:L/AC:H/Au:N/C:C/I:C/A:C" },
	{ 10.0, "(AV:N/AC:L/Au:N/C:C/I:C/A:C)" },
	{ 0.0, "AV:N/AC:L/Au:N/C:N/I:N/A:N" },
	{ 7.5, "CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P" },
	{ 4.3, "AV:N/AC:M/Au:N/C:N/I:P/A:N/E:POC/RL:OF/RC:C" },
	/* 3.0 and 3.1 examples */
	{ 6.1, "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N" },
	{ 6.4, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N" },
	{ 3.1, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N" },
	{ 9.9, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H" },
	{ 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" },
	{ 10.0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H" },
	{ 7.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" },
	{ 7.8, "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H" },
	{ 6.8, "CVSS:3.0/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" },
	{ 4.6, "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:U/C:L/I:L/A:N/E:P/RL:O" },
	{ 0.0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N" },
	/* 4.0 */
	{ 9.3, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" },
	{ 10.0, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H" },
	{ 7.3, "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" },
	{ 1.0, "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:L/VA:L/SC:L/SI:L/SA:L" },
	{ 0.0, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N" },
	{ 8.5, "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:H/SI:H/SA:H" },
	{ 4.3, "CVSS:4.0/AV:L/AC:H/AT:N/PR:L/UI:A/VC:N/VI:L/VA:H/SC:N/SI:L/SA:N" },
	{ 6.0, "CVSS:4.0/AV:P/AC:H/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:H/SI:H/SA:L" },
	{ 6.9, "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:L/SC:L/SI:L/SA:L" },
	{ 4.3, "CVSS:4.0/AV:P/AC:L/AT:P/PR:H/UI:P/VC:H/VI:L/VA:N/SC:L/SI:H/SA:L/CR:M/IR:M/MAV:P/"
	       "MAC:L/MAT:P/MPR:H/MUI:P/MVI:N/MSA:L" },
	{ 7.4, "CVSS:4.0/AV:L/AC:L/AT:P/PR:N/UI:N/VC:L/VI:H/VA:N/SC:N/SI:N/SA:L/CR:H/MAV:N/MAC:X/"
	       "MAT:P/MUI:A/MVC:H/MVI:X/MVA:X/MSC:N" },
	{ 1.7, "CVSS:4.0/AV:P/AC:L/AT:P/PR:H/UI:P/VC:L/VI:N/VA:H/SC:L/SI:L/SA:N/AR:L/MAV:A/MAC:X/"
	       "MAT:X/MUI:P/MVI:N" },
	/* supplemental metrics change nothing */
	{ 9.3, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/S:P/AU:Y/U:Amber" },
};

static void
test_scores(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
		double score = cam_cvss_score(vectors[i].vector);

		if (ABS(score - vectors[i].score) > 0.001)
			g_test_message("%s", vectors[i].vector);
		g_assert_cmpfloat_with_epsilon(score, vectors[i].score, 0.001);
	}
}

static void
test_malformed(void)
{
	g_autofree char *endless = g_strnfill(100000, 'A');
	const char *const bad[] = {
		"",
		"/",
		"CVSS:3.1/",
		"CVSS:3.1",
		"CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
		"CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/ZZ:1",
		"CVSS:3.1/AV:NN/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1//AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:S/SI:N/SA:N",
		"AV:N/AC:L/Au:N/C:C/I:C",
		"(AV:N",
		"high",
		endless,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpfloat(cam_cvss_score(bad[i]), ==, -1);
}

/* Every MacroVector that a vector can have is in the table: only one without impact scores zero. */
static void
test_all_base_vectors(void)
{
	static const char *const names[] = { "AV", "AC", "AT", "PR", "UI", "VC",
					     "VI", "VA", "SC", "SI", "SA" };
	static const char *const values[] = { "NALP", "LH",  "NP",  "NLH", "NPA", "HLN",
					      "HLN",  "HLN", "HLN", "HLN", "HLN" };
	const guint n_vectors = 4 * 2 * 2 * 3 * 3 * 3 * 3 * 3 * 3 * 3 * 3;

	/* a step of 7, prime to all the radices, keeps it short and meets every value */
	for (guint number = 0; number < n_vectors; number += 7) {
		g_autoptr(GString) vector = g_string_new(NULL);
		guint rest = number;
		int score;

		for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
			gsize n = strlen(values[i]);

			g_string_append_printf(vector, "%s%s:%c", i > 0 ? "/" : "", names[i],
					       values[i][rest % n]);
			rest /= n;
		}
		score = cam_cvss4_score(vector->str);
		g_assert_cmpint(score, >=, 0);
		g_assert_cmpint(score, <=, 100);
		if (score == 0)
			g_assert_nonnull(strstr(vector->str, "VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"));
	}
}

static void
test_severities(void)
{
	static const struct {
		double score;
		CamSeverity severity;
	} cases[] = {
		{ -1, CAM_SEVERITY_UNKNOWN },	{ 0, CAM_SEVERITY_NONE },
		{ 0.1, CAM_SEVERITY_LOW },	{ 3.9, CAM_SEVERITY_LOW },
		{ 4.0, CAM_SEVERITY_MEDIUM },	{ 6.9, CAM_SEVERITY_MEDIUM },
		{ 7.0, CAM_SEVERITY_HIGH },	{ 8.9, CAM_SEVERITY_HIGH },
		{ 9.0, CAM_SEVERITY_CRITICAL }, { 10.0, CAM_SEVERITY_CRITICAL },
	};
	CamSeverity severity = CAM_SEVERITY_HIGH;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(cam_severity_for_score(cases[i].score), ==, cases[i].severity);
	for (CamSeverity s = CAM_SEVERITY_UNKNOWN; s <= CAM_SEVERITY_CRITICAL; s++) {
		g_assert_true(cam_severity_parse(cam_severity_name(s), &severity));
		g_assert_cmpint(severity, ==, s);
	}
	g_assert_true(cam_severity_parse("MODERATE", &severity));
	g_assert_cmpint(severity, ==, CAM_SEVERITY_MEDIUM);
	g_assert_true(cam_severity_parse("low**", &severity));
	g_assert_cmpint(severity, ==, CAM_SEVERITY_LOW);
	g_assert_true(cam_severity_parse("not yet assigned", &severity));
	g_assert_cmpint(severity, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_false(cam_severity_parse("dreadful", &severity));
	g_assert_false(cam_severity_parse("", &severity));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cvss/scores", test_scores);
	g_test_add_func("/cvss/malformed", test_malformed);
	g_test_add_func("/cvss/all-base-vectors", test_all_base_vectors);
	g_test_add_func("/cvss/severities", test_severities);
	return g_test_run();
}
