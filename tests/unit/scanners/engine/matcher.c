/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/engine/matcher.h"

#include <string.h>

#include "scanners/advisory/advisory-db-private.h"

/* From packages and advisories to findings. */

typedef struct {
	CamAdvisoryDb *db;
	CamMemo *memo;
	GPtrArray *packages;
	CamMatchOutput out;
} Fixture;

static CamPackage *
add_package(Fixture *f, const char *name, const char *source)
{
	CamPackage *package = cam_package_new(CAM_PACKAGE_DEB, name, "1.0+b1");

	g_free(package->source_name);
	package->source_name = g_strdup(source);
	g_free(package->source_version);
	package->source_version = g_strdup("1.0");
	package->architecture = g_strdup("amd64");
	package->layer = 1;
	g_ptr_array_add(f->packages, package);
	return package;
}

static void
set_up(Fixture *f, gconstpointer data)
{
	f->db = cam_advisory_db_open(":memory:", NULL);
	f->memo = cam_memo_open(":memory:");
	f->packages = g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_free);
	f->out.max_findings = 1000;
	f->out.findings = g_ptr_array_new_with_free_func((GDestroyNotify) cam_finding_free);
	f->out.unjudged = g_ptr_array_new_with_free_func((GDestroyNotify) cam_unjudged_free);
	add_package(f, "libssl3", "openssl");
	add_package(f, "openssl", "openssl");
	add_package(f, "zlib1g", "zlib");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_object_unref(f->db);
	cam_memo_free(f->memo);
	g_ptr_array_unref(f->packages);
	g_ptr_array_unref(f->out.findings);
	g_ptr_array_unref(f->out.unjudged);
}

static void
import(Fixture *f, const char *id, const char *event)
{
	const CamAdvisorySource source = { .name = "s", .kind = "osv-directory", .url = "/s" };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamAdvisoryUpdate) update = cam_advisory_update_begin(f->db, &source, &error);
	g_autofree char *json = g_strdup_printf(
		"{\"id\":\"%s\",\"modified\":\"2024-01-01T00:00:00Z\",\"summary\":\"a title\","
		"\"aliases\":[\"GHSA-1\"],\"references\":[{\"type\":\"WEB\",\"url\":"
		"\"https://example.org/1\"}],\"affected\":[{\"package\":{\"ecosystem\":"
		"\"Debian:12\",\"name\":\"openssl\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
		"\"events\":[{\"introduced\":\"0\"}%s]}]}]}",
		id, event);
	g_autoptr(CamOsvRecord) record = cam_osv_record_parse(json, strlen(json), &error);
	CamSha256 digest = { 0 };
	CamFeedResult result;

	g_assert_no_error(error);
	/* A feed of one package would judge no other. */
	for (guint i = 0; i < 100; i++) {
		g_autofree char *name = g_strdup_printf("package-%u", i);

		g_ptr_array_add(record->affected, cam_osv_affected_new("Debian:12", name, ""));
	}
	memcpy(digest.bytes, id, MIN(strlen(id), sizeof(digest.bytes)));
	g_assert_true(cam_advisory_update_put(update, id, &digest, record, &error));
	g_assert_true(cam_advisory_update_commit(update, id, 0, NULL, &result, &error));
	g_assert_no_error(error);
}

static const GPtrArray *
run(Fixture *f, CamSupport support)
{
	g_autoptr(GError) error = NULL;

	g_ptr_array_set_size(f->out.findings, 0);
	g_ptr_array_set_size(f->out.unjudged, 0);
	cam_match_packages(f->memo, f->db, "Debian:12", support, f->packages, &f->out, NULL,
			   &error);
	g_assert_no_error(error);
	return f->out.findings;
}

static void
test_findings(Fixture *f, gconstpointer data)
{
	const GPtrArray *findings;
	const CamFinding *finding;

	import(f, "CVE-2024-1", ",{\"fixed\":\"1.1\"}");
	findings = run(f, CAM_SUPPORT_FULL);
	g_assert_cmpuint(findings->len, ==, 2);
	finding = findings->pdata[0];
	g_assert_cmpstr(finding->id, ==, "CVE-2024-1");
	g_assert_cmpstr(finding->package, ==, "libssl3");
	g_assert_cmpstr(finding->source_package, ==, "openssl");
	g_assert_cmpstr(finding->installed_version, ==, "1.0+b1");
	g_assert_cmpstr(finding->fixed_version, ==, "1.1");
	g_assert_cmpstr(finding->title, ==, "a title");
	g_assert_cmpstr(finding->references[0], ==, "https://example.org/1");
	g_assert_true(g_strv_contains((const char *const *) finding->aliases, "GHSA-1"));
	g_assert_cmpint(finding->severity, ==, CAM_SEVERITY_UNKNOWN);
	g_assert_cmpint(finding->state, ==, CAM_STATE_FIXED);
	g_assert_cmpint(finding->layer, ==, 1);
	g_assert_cmpstr(finding->suggestion, ==,
			"upgrade libssl3 to a version that is built from openssl 1.1 or later");
	g_assert_cmpstr(((CamFinding *) findings->pdata[1])->package, ==, "openssl");
}

/* What no source judges is named, once a source package; remembered or not. */
static void
test_coverage(Fixture *f, gconstpointer data)
{
	const CamUnjudged *unjudged;

	((CamPackage *) f->packages->pdata[0])->origin = g_strdup("Example Corp");
	((CamPackage *) f->packages->pdata[1])->origin = g_strdup("Example Corp");
	for (guint i = 0; i < 2; i++) {
		run(f, CAM_SUPPORT_FULL);
		cam_memo_flush(f->memo);
		g_assert_cmpuint(f->out.unjudged->len, ==, 2);
		unjudged = f->out.unjudged->pdata[0];
		g_assert_cmpstr(unjudged->source_package, ==, "openssl");
		g_assert_cmpstr(unjudged->source_version, ==, "1.0");
		g_assert_cmpstr(unjudged->origin, ==, "Example Corp");
		g_assert_cmpstr(unjudged->reason, ==, "no source for Debian:12");
		g_assert_cmpint(unjudged->looked_at, ==, 0);
		g_assert_cmpuint(unjudged->packages->len, ==, 2);
		g_assert_false(f->out.unfixed_judged);
	}
	/* A feed of the ecosystem covers all of it; what has no fix only if it tells of such. */
	import(f, "CVE-2024-1", ",{\"fixed\":\"1.1\"}");
	run(f, CAM_SUPPORT_FULL);
	g_assert_cmpuint(f->out.unjudged->len, ==, 0);
	g_assert_false(f->out.unfixed_judged);
	import(f, "CVE-2024-2", "");
	run(f, CAM_SUPPORT_FULL);
	g_assert_true(f->out.unfixed_judged);
}

static void
test_security_update(Fixture *f, gconstpointer data)
{
	const CamFinding *finding;

	import(f, "SECURITY-UPDATE/openssl/1.1", ",{\"fixed\":\"1.1\"}");
	finding = run(f, CAM_SUPPORT_FULL)->pdata[0];
	g_assert_cmpint(finding->kind, ==, CAM_FINDING_SECURITY_UPDATE);
	g_assert_cmpint(finding->state, ==, CAM_STATE_FIXED);
	g_assert_cmpint(finding->severity, ==, CAM_SEVERITY_UNKNOWN);
}

static void
test_states(Fixture *f, gconstpointer data)
{
	import(f, "CVE-2024-1", "");
	g_assert_cmpint(((CamFinding *) run(f, CAM_SUPPORT_FULL)->pdata[0])->state, ==,
			CAM_STATE_NOT_FIXED);
	g_assert_cmpint(((CamFinding *) run(f, CAM_SUPPORT_END_OF_LIFE)->pdata[0])->state, ==,
			CAM_STATE_END_OF_LIFE);
}

static void
test_held(Fixture *f, gconstpointer data)
{
	import(f, "CVE-2024-1", ",{\"fixed\":\"1.1\"}");
	((CamPackage *) f->packages->pdata[0])->held = TRUE;
	g_assert_true(
		g_str_has_prefix(((CamFinding *) run(f, CAM_SUPPORT_FULL)->pdata[0])->suggestion,
				 "take libssl3 off hold and upgrade"));
}

static void
test_follows_the_database(Fixture *f, gconstpointer data)
{
	g_assert_cmpuint(run(f, CAM_SUPPORT_FULL)->len, ==, 0);
	cam_memo_flush(f->memo);
	import(f, "CVE-2024-1", ",{\"fixed\":\"1.1\"}");
	g_assert_cmpuint(run(f, CAM_SUPPORT_FULL)->len, ==, 2);
	cam_memo_flush(f->memo);
	g_assert_cmpuint(run(f, CAM_SUPPORT_FULL)->len, ==, 2);
	import(f, "CVE-2024-2", ",{\"fixed\":\"1.0\"}");
	g_assert_cmpuint(run(f, CAM_SUPPORT_FULL)->len, ==, 2);
	import(f, "CVE-2024-3", ",{\"fixed\":\"1.2\"}");
	g_assert_cmpuint(run(f, CAM_SUPPORT_FULL)->len, ==, 4);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/matcher/" name, Fixture, NULL, set_up, func, tear_down)
	ADD("findings", test_findings);
	ADD("coverage", test_coverage);
	ADD("security-update", test_security_update);
	ADD("states", test_states);
	ADD("held", test_held);
	ADD("follows-the-database", test_follows_the_database);
	return g_test_run();
}
