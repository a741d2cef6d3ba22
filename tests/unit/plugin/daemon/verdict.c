/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/daemon/verdict.h"

#include <string.h>

#include "tests/unit/plugin/daemon/verdict-sample.h"

static void
test_result(void)
{
	g_autoptr(CamVerdict) verdict = sample_verdict("shop", 1);
	g_autofree char *counts = NULL;
	const CamVerdictFinding *finding;

	sample_scan(verdict, CAM_SEVERITY_CRITICAL);
	g_assert_cmpint(verdict->level, ==, CAM_SEVERITY_CRITICAL);
	g_assert_cmpint(verdict->scanned_at, >, 0);
	g_assert_cmpstr(verdict->database, ==, "db-1");
	counts = cam_verdict_counts_text(verdict);
	g_assert_cmpstr(counts, ==, "2 critical, 1 low");
	/* One a source package. */
	g_assert_cmpuint(verdict->top->len, ==, 2);
	finding = g_ptr_array_index(verdict->top, 0);
	g_assert_cmpstr(finding->id, ==, "CVE-2026-1");
	g_assert_cmpstr(finding->package, ==, "libssl");
	g_assert_cmpstr(finding->fixed, ==, "1.0-2");
}

static void
test_counts(void)
{
	g_autoptr(CamVerdict) verdict = cam_verdict_new();
	g_autofree char *nothing = cam_verdict_counts_text(verdict), *text = NULL;

	g_assert_cmpstr(nothing, ==, "no findings");
	verdict->counts[CAM_SEVERITY_HIGH] = 1;
	verdict->counts[CAM_SEVERITY_UNKNOWN] = 20;
	text = cam_verdict_counts_text(verdict);
	g_assert_cmpstr(text, ==, "1 high, 20 of unknown severity");
}

static void
test_json(void)
{
	g_autoptr(CamVerdict) verdict = sample_verdict("shop", 1), again = cam_verdict_new();
	g_autofree char *json = NULL, *json_again = NULL;
	const CamVerdictFinding *finding;

	sample_scan(verdict, CAM_SEVERITY_HIGH);
	json = cam_verdict_top_to_json(verdict);
	cam_verdict_top_from_json(again, json);
	json_again = cam_verdict_top_to_json(again);
	g_assert_cmpstr(json, ==, json_again);
	finding = g_ptr_array_index(again->top, 1);
	g_assert_null(finding->fixed);
	g_assert_cmpint(finding->severity, ==, CAM_SEVERITY_LOW);

	cam_verdict_top_from_json(again, "[1, {}, {\"id\": null}");
	g_assert_cmpuint(again->top->len, ==, 0);
	cam_verdict_top_from_json(again, "[1, {}]");
	g_assert_cmpuint(again->top->len, ==, 1);
	cam_verdict_top_from_json(again, "{}");
	g_assert_cmpuint(again->top->len, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verdict/result", test_result);
	g_test_add_func("/verdict/counts", test_counts);
	g_test_add_func("/verdict/json", test_json);
	return g_test_run();
}
