/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/scan-engine.h"

#include "scanners/scanners.h"
#include "tests/unit/scanners/engine/image-fixture.h"

/* Scans of images in a real store. */

#define OS_RELEASE(version)   \
	"usr/lib/os-release", \
		"ID=debian\nVERSION_ID=" version "\nPRETTY_NAME=\"Debian " version "\"\n"
#define STANZA(name, version) \
	"Package: " name "\nStatus: install ok installed\nVersion: " version "\n\n"
#define STATUS "var/lib/dpkg/status"

static const char *const base[] = { OS_RELEASE("12"), STATUS, STANZA("a", "1") STANZA("b", "1"),
				    NULL };
static const char *const upgrade[] = { STATUS, STANZA("a", "1") STANZA("b", "2"), NULL };
static const char *const app[] = { "srv/app", "one", NULL };
static const char *const other_app[] = { "srv/app", "two", NULL };

static void
import(ImageFixture *f, const char *records)
{
	g_autofree char *path = g_build_filename(f->path, "advisories.db", NULL);
	g_autofree char *feed = g_build_filename(f->path, "feed.jsonl", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamAdvisoryDb) db = cam_advisory_db_open(path, &error);
	g_autoptr(GString) text = g_string_new(records);
	CamFeedResult result;

	g_assert_no_error(error);
	g_string_append(text, "{\"id\":\"CVE-2020-1\",\"modified\":\"2024-01-01T00:00:00Z\","
			      "\"affected\":[");
	/* A feed of a few packages would judge no others. */
	for (guint i = 0; i < 100; i++)
		g_string_append_printf(text,
				       "%s{\"package\":{\"ecosystem\":\"Debian:12\",\"name\":"
				       "\"package-%u\"},\"versions\":[\"1\"]}",
				       i > 0 ? "," : "", i);
	g_string_append(text, "]}\n");
	g_assert_true(g_file_set_contents(feed, text->str, -1, NULL));
	cam_feed_import_osv(db, feed, "feed", f->path, CAM_FEED_ACCEPT_SHRINK, NULL, &result, NULL,
			    &error);
	g_assert_no_error(error);
	g_assert_cmpuint(result.malformed, ==, 0);
}

/* A record of "Debian:12" for @package with a CVSS vector of that kind (NULL: none). */
#define RECORD(id, package, vector, fixed)                                                 \
	"{\"id\":\"" id "\",\"modified\":\"2024-01-01T00:00:00Z\",\"severity\":[" vector   \
	"],\"affected\":[{\"package\":{\"ecosystem\":\"Debian:12\",\"name\":\"" package    \
	"\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}" fixed \
	"]}]}]}\n"
#define FIXED(version) ",{\"fixed\":\"" version "\"}"
#define CRITICAL_VECTOR \
	"{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}"
#define LOW_VECTOR \
	"{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N\"}"

static CamScanEngine *
open_engine(ImageFixture *f)
{
	g_autoptr(GError) error = NULL;
	CamScanEngine *engine = cam_scan_engine_new(f->store, &error);

	g_assert_no_error(error);
	return engine;
}

/* With an engine of its own, as another process would. */
static CamScanResult *
scan(ImageFixture *f, const CamImage *image, const CamScanOptions *options)
{
	static const CamScanOptions defaults = { .today = "2025-01-01" };
	g_autoptr(CamScanEngine) engine = open_engine(f);
	g_autoptr(GError) error = NULL;
	CamScanResult *result = cam_scan_engine_scan(
		engine, image, options != NULL ? options : &defaults, NULL, NULL, &error);

	g_assert_no_error(error);
	return result;
}

static gboolean
has_warning(const CamScanResult *result, const char *text)
{
	for (guint i = 0; i < result->warnings->len; i++)
		if (strstr(result->warnings->pdata[i], text) != NULL)
			return TRUE;
	return FALSE;
}

static void
test_layers(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, app, upgrade, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	g_autoptr(CamScanResult) result = scan(f, image, NULL);

	g_assert_cmpuint(result->packages->len, ==, 2);
	g_assert_cmpint(((CamPackage *) result->packages->pdata[0])->layer, ==, 0);
	g_assert_cmpint(((CamPackage *) result->packages->pdata[1])->layer, ==, 2);
	g_assert_cmpstr(((CamPackage *) result->packages->pdata[1])->version, ==, "2");
	g_assert_cmpstr(result->reference, ==, "shop:1");
	g_assert_cmpstr(result->platform, ==, "linux/amd64");
	g_assert_cmpuint(result->layers->len, ==, 3);
	g_assert_cmpstr(((CamLayerLabel *) result->layers->pdata[2])->created_by, ==, "step 2");
	g_assert_cmpstr(result->os->ecosystem, ==, "Debian:12");
}

static void
test_remembers(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, app, NULL };
	const char *const *const sibling_layers[] = { base, other_app, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	g_autoptr(CamImage) sibling = image_fixture_image(f, "shop:2", sibling_layers);
	g_autoptr(CamScanResult) cold = scan(f, image, NULL);
	g_autoptr(CamScanResult) warm = scan(f, image, NULL);
	g_autoptr(CamScanResult) beside = scan(f, sibling, NULL);

	g_assert_cmpuint(cold->trees_visited, >, 0);
	g_assert_cmpuint(warm->trees_visited, ==, 0);
	g_assert_cmpuint(warm->packages->len, ==, 2);
	/* The two roots that are new: of the merged tree and of the layer with the application. */
	g_assert_cmpuint(beside->trees_visited, ==, 2);
	g_assert_cmpuint(beside->packages->len, ==, 2);
	g_assert_cmpint(((CamPackage *) beside->packages->pdata[0])->layer, ==, 0);
}

static void
test_risk(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	g_autoptr(CamScanResult) unknown = scan(f, image, NULL);
	g_autoptr(CamScanResult) medium = NULL, high = NULL, critical = NULL, none = NULL;
	const CamScanOptions strict = { .unknown_counts_as = CAM_SEVERITY_HIGH,
					.today = "2025-01-01" };

	g_assert_cmpint(unknown->risk, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_true(has_warning(unknown, "knows nothing of Debian:12"));
	g_assert_cmpuint(unknown->n_unjudged, ==, 2);
	g_assert_false(unknown->tally.fixes_judged);

	import(f, RECORD("CVE-2024-1", "elsewhere", "", ""));
	none = scan(f, image, NULL);
	g_assert_cmpint(none->risk, ==, CAM_SEVERITY_NONE);
	g_assert_cmpuint(none->n_unjudged, ==, 0);
	g_assert_true(none->tally.fixes_judged);
	g_assert_true(none->tally.unfixed_judged);
	g_assert_cmpuint(none->warnings->len, ==, 0);

	import(f, RECORD("CVE-2024-1", "a", "", "") RECORD("CVE-2024-2", "b", LOW_VECTOR, ""));
	medium = scan(f, image, NULL);
	g_assert_cmpint(medium->risk, ==, CAM_SEVERITY_MEDIUM);
	g_assert_cmpuint(medium->counts[CAM_SEVERITY_UNKNOWN], ==, 1);
	g_assert_cmpuint(medium->counts[CAM_SEVERITY_LOW], ==, 1);
	g_assert_cmpstr(((CamFinding *) medium->findings->pdata[0])->id, ==, "CVE-2024-1");
	high = scan(f, image, &strict);
	g_assert_cmpint(high->risk, ==, CAM_SEVERITY_HIGH);

	import(f, RECORD("CVE-2024-3", "b", CRITICAL_VECTOR, FIXED("2")));
	critical = scan(f, image, NULL);
	g_assert_cmpint(critical->risk, ==, CAM_SEVERITY_CRITICAL);
	g_assert_cmpstr(((CamFinding *) critical->findings->pdata[0])->fixed_version, ==, "2");
	g_assert_cmpuint(critical->databases->len, ==, 1);
}

static void
test_filters(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	const CamScanOptions severe = { .min_severity = CAM_SEVERITY_MEDIUM,
					.today = "2025-01-01" };
	const CamScanOptions fixed = { .ignore_unfixed = TRUE, .today = "2025-01-01" };
	g_autoptr(CamScanResult) by_severity = NULL, by_state = NULL;

	import(f,
	       RECORD("CVE-2024-1", "a", "", FIXED("9")) RECORD("CVE-2024-2", "b", LOW_VECTOR, "")
		       RECORD("CVE-2024-3", "b", CRITICAL_VECTOR, ""));
	by_severity = scan(f, image, &severe);
	g_assert_cmpuint(by_severity->findings->len, ==, 2);
	g_assert_cmpuint(by_severity->left_out, ==, 1);
	g_assert_cmpuint(by_severity->counts[CAM_SEVERITY_LOW], ==, 0);
	by_state = scan(f, image, &fixed);
	g_assert_cmpuint(by_state->findings->len, ==, 1);
	g_assert_cmpstr(((CamFinding *) by_state->findings->pdata[0])->id, ==, "CVE-2024-1");
	/* Hiding does not make an image better. */
	g_assert_cmpint(by_state->risk, ==, CAM_SEVERITY_CRITICAL);
	g_assert_cmpuint(cam_tally_count_pending(&by_state->tally), ==, 1);
	g_assert_cmpuint(cam_tally_count_unfixed(&by_state->tally), ==, 2);
	g_assert_cmpmem(&by_state->tally, sizeof(CamTally), &by_severity->tally, sizeof(CamTally));
}

static void
test_end_of_life(ImageFixture *f, gconstpointer data)
{
	static const char *const old[] = { OS_RELEASE("10"), STATUS, STANZA("a", "1"), NULL };
	const char *const *const layers[] = { old, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "old:1", layers);
	const CamScanOptions hide = { .min_severity = CAM_SEVERITY_CRITICAL,
				      .ignore_unfixed = TRUE,
				      .today = "2024-07-01" };
	const CamScanOptions lts = { .today = "2024-06-30" };
	g_autoptr(CamScanResult) ended = scan(f, image, &hide), supported = scan(f, image, &lts);
	const CamFinding *finding = ended->findings->pdata[0];

	g_assert_cmpuint(ended->findings->len, ==, 1);
	g_assert_cmpint(finding->kind, ==, CAM_FINDING_END_OF_LIFE);
	g_assert_cmpstr(finding->id, ==, "EOL-debian-10");
	g_assert_cmpint(ended->risk, ==, CAM_SEVERITY_HIGH);
	g_assert_cmpint(ended->support, ==, CAM_SUPPORT_END_OF_LIFE);
	g_assert_true(has_warning(ended, "past its end of life"));
	g_assert_cmpuint(supported->findings->len, ==, 0);
	g_assert_cmpint(supported->support, ==, CAM_SUPPORT_LTS);
	g_assert_true(has_warning(supported, "goes on until 2024-06-30"));
}

/* A policy may take packages as they are that no source judges, for some time. */
static void
test_accepted(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	char *names[] = { (char *) "b", NULL }, *all[] = { (char *) "?", NULL };
	CamAcceptance acceptance = { .name = (char *) "third party",
				     .packages = names,
				     .until = (char *) "2025-01-01",
				     .reason = (char *) "theirs" };
	g_autoptr(GPtrArray) acceptances = g_ptr_array_new();
	CamScanOptions options = { .acceptances = acceptances, .today = "2025-01-01" };
	g_autoptr(CamScanResult) one = NULL, ended = NULL, both = NULL;
	const CamUnjudged *unjudged;

	g_ptr_array_add(acceptances, &acceptance);
	one = scan(f, image, &options);
	g_assert_cmpuint(one->n_unjudged, ==, 1);
	g_assert_cmpuint(one->n_accepted, ==, 1);
	g_assert_cmpint(one->risk, ==, CAM_SEVERITY_UNKNOWN);
	unjudged = one->unjudged->pdata[0];
	g_assert_null(unjudged->accepted_by);
	unjudged = one->unjudged->pdata[1];
	g_assert_cmpstr(unjudged->accepted_by, ==, "third party");
	g_assert_cmpstr(unjudged->accepted_because, ==, "theirs");

	options.today = "2025-01-02";
	ended = scan(f, image, &options);
	g_assert_cmpuint(ended->n_unjudged, ==, 2);
	acceptance.packages = all;
	acceptance.until = NULL;
	both = scan(f, image, &options);
	g_assert_cmpuint(both->n_unjudged, ==, 0);
	g_assert_cmpint(both->risk, ==, CAM_SEVERITY_NONE);
}

static void
test_nothing_to_judge(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { app, NULL }, *const *const none[] = { NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "app:1", layers);
	g_autoptr(CamImage) empty = image_fixture_image(f, "empty:1", none);
	g_autoptr(CamScanResult) result = NULL, of_empty = NULL;

	import(f, RECORD("CVE-2024-1", "a", "", ""));
	result = scan(f, image, NULL);
	g_assert_cmpint(result->risk, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_cmpstr(result->os->id, ==, "linux");
	g_assert_true(has_warning(result, "No package database"));
	g_assert_false(result->tally.fixes_judged);
	of_empty = scan(f, empty, NULL);
	g_assert_cmpint(of_empty->risk, ==, CAM_SEVERITY_UNKNOWN);
}

/* Of a release that is not known no package is judged. */
static void
test_unknown_release(ImageFixture *f, gconstpointer data)
{
	static const char *const odd[] = { OS_RELEASE("99"), STATUS, STANZA("a", "1"), NULL };
	const char *const *const layers[] = { odd, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "odd:1", layers);
	g_autoptr(CamScanResult) result = NULL;

	import(f, RECORD("CVE-2024-1", "elsewhere", "", ""));
	result = scan(f, image, NULL);
	g_assert_cmpint(result->risk, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_cmpuint(result->n_unjudged, ==, 1);
	g_assert_cmpstr(((CamUnjudged *) result->unjudged->pdata[0])->reason, ==,
			"the release of the image is not known");
	g_assert_true(has_warning(result, "(Debian 99) is not known"));
}

static void
test_damaged_memo(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	g_autofree char *memo = g_build_filename(f->path, "memo.db", NULL);
	g_autoptr(CamScanResult) before = scan(f, image, NULL), after = NULL, again = NULL;

	g_assert_true(g_file_set_contents(memo, "rubbish that is long enough to be read as a page",
					  -1, NULL));
	after = scan(f, image, NULL);
	g_assert_cmpuint(after->packages->len, ==, 2);
	g_assert_cmpuint(after->trees_visited, ==, before->trees_visited);
	again = scan(f, image, NULL);
	g_assert_cmpuint(again->trees_visited, ==, 0);
}

static void
test_malformed_database(ImageFixture *f, gconstpointer data)
{
	static const char *const bad[] = { OS_RELEASE("12"), STATUS,
					   STANZA("a", "1") "Package: b\n\n" STANZA("c", "1"),
					   NULL };
	const char *const *const layers[] = { bad, NULL };
	const char *const *const hidden[] = { bad, base, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "bad:1", layers);
	g_autoptr(CamImage) repaired = image_fixture_image(f, "repaired:1", hidden);
	g_autoptr(CamScanResult) clean = NULL, again = NULL, found = NULL, sound = NULL;

	/* Without a finding nothing is known of the package that could not be read. */
	import(f, RECORD("CVE-2024-1", "elsewhere", "", ""));
	clean = scan(f, image, NULL);
	again = scan(f, image, NULL);
	g_assert_cmpuint(clean->packages->len, ==, 2);
	g_assert_cmpint(clean->risk, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_true(has_warning(clean, STATUS ":5: "));
	g_assert_cmpint(again->risk, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_true(has_warning(again, STATUS ":5: "));
	/* Of a layer whose database a later one replaces it does not matter. */
	sound = scan(f, repaired, NULL);
	g_assert_cmpint(sound->risk, ==, CAM_SEVERITY_NONE);

	import(f, RECORD("CVE-2024-1", "c", CRITICAL_VECTOR, ""));
	found = scan(f, image, NULL);
	g_assert_cmpuint(found->findings->len, ==, 1);
	g_assert_cmpint(found->risk, ==, CAM_SEVERITY_CRITICAL);
}

static void
test_limits(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	const CamScanLimits few = { .packages = 1 }, findings = { .findings = 1 };
	g_autoptr(CamScanEngine) engine = open_engine(f), other = open_engine(f);
	g_autoptr(CamScanResult) none = NULL, some = NULL, all = NULL;

	import(f, RECORD("CVE-2024-1", "a", LOW_VECTOR, "") RECORD("CVE-2024-2", "b", "", ""));
	cam_scan_engine_set_limits(engine, &few);
	none = cam_scan_engine_scan(engine, image, NULL, NULL, NULL, NULL);
	g_assert_cmpuint(none->packages->len, ==, 0);
	g_assert_cmpint(none->risk, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_true(has_warning(none, "more than 1 packages"));
	g_assert_false(has_warning(none, "No package database"));

	cam_scan_engine_set_limits(other, &findings);
	some = cam_scan_engine_scan(other, image, NULL, NULL, NULL, NULL);
	g_assert_cmpuint(some->packages->len, ==, 2);
	g_assert_false(some->tally.fixes_judged);
	g_assert_true(has_warning(some, "stopped behind 1 findings"));

	all = scan(f, image, NULL);
	g_assert_cmpuint(all->findings->len, ==, 2);
}

static gpointer
scan_in_thread(gpointer data)
{
	gpointer *arguments = data;
	g_autoptr(CamScanResult) result = scan(arguments[0], arguments[1], NULL);

	return GUINT_TO_POINTER(result->packages->len);
}

static void
test_at_once(ImageFixture *f, gconstpointer data)
{
	const char *const *const layers[] = { base, app, upgrade, NULL };
	g_autoptr(CamImage) image = image_fixture_image(f, "shop:1", layers);
	gpointer arguments[] = { f, image };
	GThread *threads[6];

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("scan", scan_in_thread, arguments);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_assert_cmpuint(GPOINTER_TO_UINT(g_thread_join(threads[i])), ==, 2);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, func)                                                                  \
	g_test_add("/scan-engine/" name, ImageFixture, NULL, image_fixture_set_up, func, \
		   image_fixture_tear_down)
	ADD("layers", test_layers);
	ADD("remembers", test_remembers);
	ADD("risk", test_risk);
	ADD("filters", test_filters);
	ADD("end-of-life", test_end_of_life);
	ADD("accepted", test_accepted);
	ADD("nothing-to-judge", test_nothing_to_judge);
	ADD("unknown-release", test_unknown_release);
	ADD("damaged-memo", test_damaged_memo);
	ADD("malformed-database", test_malformed_database);
	ADD("limits", test_limits);
	ADD("at-once", test_at_once);
	return g_test_run();
}
