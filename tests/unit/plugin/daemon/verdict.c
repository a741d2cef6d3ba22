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
	verdict->tally.pending[CAM_SEVERITY_HIGH] = 1;
	verdict->tally.unfixed[CAM_SEVERITY_HIGH] = 1;
	verdict->tally.end_of_life = TRUE;
	verdict->tally.unfixed[CAM_SEVERITY_UNKNOWN] = 20;
	text = cam_verdict_counts_text(verdict);
	g_assert_cmpstr(text, ==, "3 high, 20 of unknown severity");
}

static void
test_json(void)
{
	g_autoptr(CamVerdict) verdict = sample_verdict("shop", 1), again = cam_verdict_new();
	g_autoptr(CamScanResult) result = sample_result();
	g_autofree char *json = NULL, *json_again = NULL;
	const CamVerdictFinding *finding;
	const CamUnjudged *unjudged;

	sample_count(result, sample_finding("CVE-2026-1", "ssl", "1.0-2", CAM_SEVERITY_HIGH));
	sample_count(result, sample_finding("CVE-2026-3", "xml", NULL, CAM_SEVERITY_LOW));
	g_ptr_array_add(result->unjudged, sample_unjudged("docker", "Docker", "not looked up"));
	((CamUnjudged *) result->unjudged->pdata[0])->looked_at = 1764547200;
	result->tally.fixes_judged = FALSE;
	cam_verdict_set_result(verdict, result, "db-1");
	json = cam_verdict_to_json(verdict);
	g_assert_true(cam_verdict_from_json(again, json));
	json_again = cam_verdict_to_json(again);
	g_assert_cmpstr(json, ==, json_again);
	g_assert_cmpmem(&again->tally, sizeof(CamTally), &verdict->tally, sizeof(CamTally));
	g_assert_true(again->whole);
	g_assert_cmpuint(again->n_packages, ==, 3);
	g_assert_cmpuint(cam_verdict_count_unjudged(again), ==, 1);
	unjudged = again->unjudged->pdata[0];
	g_assert_cmpstr(unjudged->origin, ==, "Docker");
	g_assert_cmpstr(unjudged->reason, ==, "not looked up");
	g_assert_cmpint(unjudged->looked_at, ==, 1764547200);
	finding = g_ptr_array_index(again->top, 1);
	g_assert_null(finding->fixed);
	g_assert_cmpint(finding->severity, ==, CAM_SEVERITY_LOW);
}

/* What is damaged, cut or of another time is no verdict. */
static void
test_damaged_json(void)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"1",
		"[1, {}]",
		"{\"pending\":[0,0,0,0,0,0]}",
		"{\"pending\":[0],\"unfixed\":[0,0,0,0,0,0],\"unjudged\":[],\"top\":[]}",
		"{\"pending\":[0,0,0,0,0,0],\"unfixed\":[0,0,0,0,0,0],\"unjudged\":[1],"
		"\"top\":[]}",
		"{\"pending\":[0,0,0,0,0,0],\"unfixed\":[0,0,0,0,0,0],\"unjudged\":[],"
		"\"top\":[{\"id\":\"CVE-1\"}]}",
	};
	g_autoptr(CamVerdict) verdict = sample_verdict("shop", 1), again = cam_verdict_new();
	g_autofree char *json = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_assert_false(cam_verdict_from_json(again, texts[i]));
	sample_scan(verdict, CAM_SEVERITY_UNKNOWN);
	json = cam_verdict_to_json(verdict);
	for (gsize size = 0; size + 1 < strlen(json); size++) {
		g_autofree char *cut = g_strndup(json, size);

		g_assert_false(cam_verdict_from_json(again, cut));
	}
	/* What is missing counts as the worse of both. */
	g_assert_true(cam_verdict_from_json(again, "{\"pending\":[0,0,0,0,0,0],\"unfixed\":"
						   "[0,0,0,0,0,0],\"unjudged\":[],\"top\":[]}"));
	g_assert_true(again->tally.end_of_life);
	g_assert_false(again->tally.fixes_judged);
	g_assert_false(again->whole);
}

static void
test_look_up(void)
{
	g_autoptr(CamVerdict) verdict = sample_verdict("shop", 1);
	CamUnjudged *unjudged;

	g_assert_false(cam_verdict_wants_look_up(verdict));
	sample_scan(verdict, CAM_SEVERITY_NONE);
	g_assert_false(cam_verdict_wants_look_up(verdict));
	sample_scan(verdict, CAM_SEVERITY_UNKNOWN);
	g_assert_true(cam_verdict_wants_look_up(verdict));
	unjudged = verdict->unjudged->pdata[0];
	unjudged->looked_at = g_get_real_time() / G_USEC_PER_SEC - 60;
	g_assert_false(cam_verdict_wants_look_up(verdict));
	unjudged->looked_at -= 25 * 60 * 60;
	g_assert_true(cam_verdict_wants_look_up(verdict));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verdict/result", test_result);
	g_test_add_func("/verdict/counts", test_counts);
	g_test_add_func("/verdict/json", test_json);
	g_test_add_func("/verdict/damaged-json", test_damaged_json);
	g_test_add_func("/verdict/look-up", test_look_up);
	return g_test_run();
}
