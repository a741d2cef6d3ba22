/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/risk.h"

#include <string.h>

/* The formula of the risk level, and that of gates, as tables. */

#define UNKNOWN	 CAM_SEVERITY_UNKNOWN
#define NONE	 CAM_SEVERITY_NONE
#define LOW	 CAM_SEVERITY_LOW
#define MEDIUM	 CAM_SEVERITY_MEDIUM
#define HIGH	 CAM_SEVERITY_HIGH
#define CRITICAL CAM_SEVERITY_CRITICAL

/* One letter a finding: u(nknown), n(one), l(ow), m(edium), h(igh), c(ritical). */
static void
count(guint *counts, const char *letters)
{
	static const char all[] = "unlmhc";

	for (; *letters != '\0'; letters++)
		counts[strchr(all, *letters) - all]++;
}

/* @state: "j": fixes are judged, "J": unfixed ones too, "e": end of life */
static CamTally
make_tally(const char *pending, const char *unfixed, const char *state)
{
	CamTally tally = { 0 };

	count(tally.pending, pending);
	count(tally.unfixed, unfixed);
	tally.fixes_judged = strpbrk(state, "jJ") != NULL;
	tally.unfixed_judged = strchr(state, 'J') != NULL;
	tally.end_of_life = strchr(state, 'e') != NULL;
	return tally;
}

static void
test_levels(void)
{
	static const struct {
		const char *pending, *unfixed, *state;
		CamSeverity unknown_counts_as, wanted;
	} cases[] = {
		/* The worst finding, of either axis. */
		{ "", "", "j", MEDIUM, NONE },
		{ "", "", "J", MEDIUM, NONE },
		{ "n", "", "J", MEDIUM, NONE },
		{ "lh", "m", "J", MEDIUM, HIGH },
		{ "l", "c", "J", MEDIUM, CRITICAL },
		/* Unknown counts as … */
		{ "u", "", "j", MEDIUM, MEDIUM },
		{ "ul", "", "j", MEDIUM, MEDIUM },
		{ "uh", "", "j", MEDIUM, HIGH },
		{ "u", "", "j", CRITICAL, CRITICAL },
		{ "", "u", "J", LOW, LOW },
		{ "u", "", "j", NONE, NONE },
		/* Where something was not judged: at best unknown. */
		{ "", "", "", MEDIUM, UNKNOWN },
		{ "", "n", "", MEDIUM, UNKNOWN },
		{ "l", "", "", MEDIUM, UNKNOWN },
		{ "u", "", "", MEDIUM, MEDIUM },
		{ "m", "", "", MEDIUM, MEDIUM },
		{ "h", "", "", MEDIUM, HIGH },
		{ "h", "", "", CRITICAL, UNKNOWN },
		{ "l", "", "", NONE, LOW },
		{ "l", "", "", LOW, LOW },
		{ "n", "", "", NONE, UNKNOWN },
		{ "", "", "", NONE, UNKNOWN },
		/* A release without support. */
		{ "", "", "ej", MEDIUM, HIGH },
		{ "", "", "e", MEDIUM, HIGH },
		{ "c", "", "e", MEDIUM, CRITICAL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		CamTally tally = make_tally(cases[i].pending, cases[i].unfixed, cases[i].state);

		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpint(cam_risk_level(&tally, cases[i].unknown_counts_as), ==,
				cases[i].wanted);
	}
}

static void
test_order(void)
{
	static const CamSeverity medium[] = { NONE, LOW, UNKNOWN, MEDIUM, HIGH, CRITICAL };
	static const CamSeverity critical[] = { NONE, LOW, MEDIUM, HIGH, UNKNOWN, CRITICAL };
	static const CamSeverity none[] = { NONE, UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL };

	for (gsize i = 1; i < G_N_ELEMENTS(medium); i++) {
		g_assert_cmpint(cam_severity_rank(medium[i - 1], MEDIUM), <,
				cam_severity_rank(medium[i], MEDIUM));
		g_assert_cmpint(cam_severity_rank(critical[i - 1], CRITICAL), <,
				cam_severity_rank(critical[i], CRITICAL));
		g_assert_cmpint(cam_severity_rank(none[i - 1], NONE), <,
				cam_severity_rank(none[i], NONE));
		g_assert_cmpint(cam_severity_rank(none[i - 1], LOW), <,
				cam_severity_rank(none[i], LOW));
	}
}

/* Whatever is found or not judged besides never makes an image better. */
static void
test_monotonous(void)
{
	static const CamSeverity as[] = { NONE, LOW, MEDIUM, HIGH, CRITICAL };

	for (guint bits = 0; bits < 1 << 12; bits++) {
		CamTally less = make_tally("", "", "j"), more;

		for (guint s = 0; s <= CRITICAL; s++) {
			less.pending[s] = bits >> s & 1;
			less.unfixed[s] = bits >> (s + 6) & 1;
		}
		for (guint change = 0; change < 14; change++) {
			more = less;
			if (change < 12)
				(change < 6 ? more.pending : more.unfixed)[change % 6]++;
			else if (change == 12)
				more.fixes_judged = FALSE;
			else
				more.end_of_life = TRUE;
			for (gsize i = 0; i < G_N_ELEMENTS(as); i++)
				g_assert_cmpint(
					cam_severity_rank(cam_risk_level(&more, as[i]), as[i]), >=,
					cam_severity_rank(cam_risk_level(&less, as[i]), as[i]));
		}
	}
}

static void
test_gates(void)
{
	/* @rule: "i": ignore unfixed, "r": require that they are judged */
	static const struct {
		const char *pending, *unfixed, *state;
		CamSeverity level;
		const char *rule, *wanted; /* wanted: NULL: passes */
	} cases[] = {
		{ "", "", "j", LOW, "", NULL },
		{ "lm", "lm", "J", HIGH, "", NULL },
		{ "lmh", "lmc", "J", HIGH, "",
		  "1 finding that a published version fixes, 1 finding without a published fix" },
		{ "lmh", "lmc", "J", HIGH, "i", "1 finding that a published version fixes" },
		{ "", "ccc", "J", HIGH, "i", NULL },
		/* Of unknown severity with a fix: any gate. */
		{ "uuu", "", "j", CRITICAL, "", "3 findings that a published version fixes" },
		/* Without a fix: as scan.unknown_counts_as says, here medium. */
		{ "", "u", "J", HIGH, "", NULL },
		{ "", "u", "J", MEDIUM, "", "1 finding without a published fix" },
		{ "", "u", "J", UNKNOWN, "", "1 finding without a published fix" },
		/* Unknown is a level: it and what is worse. */
		{ "l", "l", "J", UNKNOWN, "", NULL },
		{ "m", "u", "J", UNKNOWN, "i", "1 finding that a published version fixes" },
		{ "u", "h", "J", UNKNOWN, "",
		  "1 finding that a published version fixes, 1 finding without a published fix" },
		/* Not judged does not pass. */
		{ "", "", "", CRITICAL, "", "packages that were not judged" },
		{ "", "", "", CRITICAL, "i", "packages that were not judged" },
		{ "", "", "j", CRITICAL, "r",
		  "no source that tells of vulnerabilities without a fix" },
		{ "", "", "J", CRITICAL, "r", NULL },
		{ "", "", "ej", HIGH, "i", "a release without security support" },
		{ "", "", "ej", CRITICAL, "", NULL },
		{ "", "", "ej", UNKNOWN, "", "a release without security support" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		CamTally tally = make_tally(cases[i].pending, cases[i].unfixed, cases[i].state);
		const CamGateRule rule = {
			.level = cases[i].level,
			.unknown_counts_as = MEDIUM,
			.unknown_pending_counts_as = CRITICAL,
			.ignore_unfixed = strchr(cases[i].rule, 'i') != NULL,
			.require_unfixed_judged = strchr(cases[i].rule, 'r') != NULL,
		};
		CamGateOutcome outcome;
		g_autofree char *text = NULL;

		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpint(cam_gate_passes(&tally, &rule, &outcome), ==,
				cases[i].wanted == NULL);
		text = cam_gate_outcome_text(&outcome);
		g_assert_cmpstr(text, ==, cases[i].wanted != NULL ? cases[i].wanted : "");
	}
}

/* Told otherwise, unknown severities with a fix count as less. */
static void
test_told_otherwise(void)
{
	CamTally tally = make_tally("u", "", "j");
	CamGateRule rule = { .level = HIGH,
			     .unknown_counts_as = MEDIUM,
			     .unknown_pending_counts_as = MEDIUM };
	CamGateOutcome outcome;

	g_assert_true(cam_gate_passes(&tally, &rule, &outcome));
	rule.level = MEDIUM;
	g_assert_false(cam_gate_passes(&tally, &rule, &outcome));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/risk/levels", test_levels);
	g_test_add_func("/risk/order", test_order);
	g_test_add_func("/risk/monotonous", test_monotonous);
	g_test_add_func("/risk/gates", test_gates);
	g_test_add_func("/risk/told-otherwise", test_told_otherwise);
	return g_test_run();
}
