/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is chosen to move, why it is said to move, and why what stays open stays open.
 */
#include "rebuild/plan/plan-selection.h"

#include <string.h>

#define OK   "Status: install ok installed\nArchitecture: amd64\n"
#define SHA  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE "Architecture: amd64\nFilename: pool/x.deb\nSize: 10\nSHA256: " SHA "\n"

typedef struct {
	CamSolver *solver;
	GArray *repositories;
	GPtrArray *findings;
	CamFixPlan *plan;
} Fixture;

static void
add_repository(Fixture *f, const char *packages, gboolean security)
{
	g_autoptr(GBytes) bytes = g_bytes_new(packages, strlen(packages));
	g_autoptr(GError) error = NULL;
	CamPlanRepository entry = { NULL, security };
	int number;

	cam_solver_add_repository(f->solver, bytes, "Packages", CAM_SOLVER_PIN_NORMAL, NULL,
				  &number, &error);
	g_assert_no_error(error);
	g_array_append_val(f->repositories, entry);
}

static Fixture *
fixture_new(const char *installed, const char *updates, const char *security)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autoptr(GBytes) status = g_bytes_new(installed, strlen(installed));
	g_autoptr(GError) error = NULL;

	f->solver = cam_solver_new("amd64", NULL, &error);
	g_assert_no_error(error);
	f->repositories = g_array_new(FALSE, FALSE, sizeof(CamPlanRepository));
	f->findings = g_ptr_array_new_with_free_func((GDestroyNotify) cam_finding_free);
	f->plan = cam_fix_plan_new_empty();
	cam_solver_add_installed(f->solver, status, "status", &error);
	g_assert_no_error(error);
	add_repository(f, updates, FALSE);
	add_repository(f, security, TRUE);
	return f;
}

static void
fixture_free(Fixture *f)
{
	cam_solver_free(f->solver);
	g_array_unref(f->repositories);
	g_ptr_array_unref(f->findings);
	cam_fix_plan_free(f->plan);
	g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static void
add_finding(Fixture *f, const char *id, const char *package, const char *fixed)
{
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->kind = CAM_FINDING_VULNERABILITY;
	finding->id = g_strdup(id);
	finding->package = g_strdup(package);
	finding->fixed_version = g_strdup(fixed);
	finding->state = fixed ? CAM_STATE_FIXED : CAM_STATE_NOT_FIXED;
	g_ptr_array_add(f->findings, finding);
}

static gboolean
plan(Fixture *f, const CamPlanOptions *options, GError **error)
{
	g_autoptr(CamPlanSelection) selection =
		cam_plan_selection_new(f->solver, f->repositories, f->findings, options, error);

	return selection && cam_plan_selection_run(selection, f->plan, error);
}

static gint
compare_lines(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(char *const *) a, *(char *const *) b);
}

/* "name from to: reason" a line, by name. */
static void
assert_packages(Fixture *f, const char *expected)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *joined = NULL;

	for (guint i = 0; i < f->plan->packages->len; i++) {
		const CamPlannedPackage *p = g_ptr_array_index(f->plan->packages, i);

		g_ptr_array_add(lines, g_strdup_printf("%s %s %s: %s\n", p->name,
						       p->from ? p->from : "-", p->to, p->reason));
	}
	g_ptr_array_sort(lines, compare_lines);
	g_ptr_array_add(lines, NULL);
	joined = g_strjoinv("", (char **) lines->pdata);
	g_assert_cmpstr(joined, ==, expected);
}

static void
assert_unfixable(Fixture *f, const char *id, const char *reason)
{
	for (guint i = 0; i < f->plan->unfixable->len; i++) {
		const CamUnfixable *unfixable = g_ptr_array_index(f->plan->unfixable, i);

		if (g_str_equal(unfixable->finding->id, id)) {
			g_assert_cmpstr(unfixable->reason, ==, reason);
			return;
		}
	}
	g_assert_not_reached();
}

static void
run(Fixture *f, gboolean all, const char *const *only)
{
	CamPlanOptions options = { .all = all, .only = only };
	g_autoptr(GError) error = NULL;

	plan(f, &options, &error);
	g_assert_no_error(error);
}

static const char openssl_installed[] =
	"Package: openssl\n" OK "Version: 1\nDepends: libssl (>= 1)\n\n"
	"Package: libssl\nSource: openssl\n" OK "Version: 1\n\n"
	"Package: zlib\n" OK "Version: 1\n\n"
	"Package: nginx\n" OK "Version: 1\n\n";
static const char openssl_updates[] = "Package: zlib\nVersion: 2\n" FILE "\n"
				      "Package: openssl\nVersion: 1.5\n" FILE "\n";
static const char openssl_security[] =
	"Package: openssl\nVersion: 2\nDepends: libssl (>= 1)\n" FILE "\n"
	"Package: libssl\nSource: openssl\nVersion: 2\n" FILE "\n"
	"Package: nginx\nVersion: 2\n" FILE "\n";

static void
test_default(void)
{
	g_autoptr(Fixture) f = fixture_new(openssl_installed, openssl_updates, openssl_security);

	add_finding(f, "CVE-1", "openssl", "1.2");
	add_finding(f, "CVE-2", "openssl", "2");
	run(f, FALSE, NULL);
	assert_packages(f, "libssl 1 2: security update\n"
			   "nginx 1 2: security update\n"
			   "openssl 1 2: fixes CVE-1, CVE-2\n");
	g_assert_cmpuint(f->plan->unfixable->len, ==, 0);
	g_assert_cmpuint(f->plan->fixes->len, ==, 2);
	g_assert_cmpuint(f->plan->download_size, ==, 30);
}

/* An update that names no CVE is a finding like others, wherever the fixed version is. */
static void
test_security_update(void)
{
	g_autoptr(Fixture) f = fixture_new(openssl_installed, openssl_updates, "");
	CamFinding *finding;

	add_finding(f, "SECURITY-UPDATE/zlib/2", "zlib", "2");
	finding = g_ptr_array_index(f->findings, 0);
	finding->kind = CAM_FINDING_SECURITY_UPDATE;
	run(f, FALSE, NULL);
	assert_packages(f, "zlib 1 2: fixes SECURITY-UPDATE/zlib/2\n");
	g_assert_cmpuint(f->plan->fixes->len, ==, 1);
}

static void
test_all(void)
{
	g_autoptr(Fixture) f = fixture_new(openssl_installed, openssl_updates, openssl_security);

	run(f, TRUE, NULL);
	assert_packages(f, "libssl 1 2: security update\n"
			   "nginx 1 2: security update\n"
			   "openssl 1 2: security update\n"
			   "zlib 1 2: update\n");
}

static void
test_only(void)
{
	static const char *const cve[] = { "CVE-1", NULL };
	static const char *const package[] = { "zlib", NULL };
	static const char *const unknown[] = { "CVE-3", NULL };
	g_autoptr(Fixture) one = fixture_new(openssl_installed, openssl_updates, openssl_security);
	g_autoptr(Fixture) two = fixture_new(openssl_installed, openssl_updates, openssl_security);
	g_autoptr(Fixture) three =
		fixture_new(openssl_installed, openssl_updates, openssl_security);
	CamPlanOptions options = { .only = unknown };
	g_autoptr(GError) error = NULL;

	add_finding(one, "CVE-1", "openssl", "1.2");
	add_finding(one, "CVE-9", "nginx", "2");
	run(one, FALSE, cve);
	assert_packages(one, "libssl 1 2: same source as openssl\n"
			     "openssl 1 2: fixes CVE-1\n");
	g_assert_cmpuint(one->plan->unfixable->len, ==, 0);

	run(two, FALSE, package);
	assert_packages(two, "zlib 1 2: update\n");

	g_assert_false(plan(three, &options, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_unfixable(void)
{
	g_autoptr(Fixture) f = fixture_new(
		"Package: held\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1\n\n"
		"Package: late\n" OK "Version: 1\n\n"
		"Package: alien\n" OK "Version: 1\n\n"
		"Package: stuck\n" OK "Version: 1\n\n"
		"Package: fine\n" OK "Version: 1\n\n",
		"",
		"Package: held\nVersion: 2\n" FILE "\n"
		"Package: late\nVersion: 1.5\n" FILE "\n"
		"Package: stuck\nVersion: 2\nDepends: nothing\n" FILE "\n"
		"Package: fine\nVersion: 2\n" FILE "\n");

	add_finding(f, "CVE-held", "held", "2");
	add_finding(f, "CVE-late", "late", "2");
	add_finding(f, "CVE-alien", "alien", "2");
	add_finding(f, "CVE-stuck", "stuck", "2");
	add_finding(f, "CVE-open", "fine", NULL);
	add_finding(f, "CVE-fine", "fine", "2");
	run(f, FALSE, NULL);
	assert_packages(f, "fine 1 2: fixes CVE-fine\n"
			   "late 1 1.5: security update\n");
	g_assert_cmpuint(f->plan->unfixable->len, ==, 5);
	assert_unfixable(f, "CVE-held", "held: the image marks the package as not to be changed");
	assert_unfixable(f, "CVE-late", "no fixed version in the repositories");
	assert_unfixable(f, "CVE-alien",
			 "no repository offers the package: it is of a third party or of another "
			 "release");
	assert_unfixable(f, "CVE-stuck", "stuck 2 needs nothing, which no repository offers");
	assert_unfixable(f, "CVE-open", "no fixed version exists yet");
	/* the held one and the stuck one: the sources have what would fix them */
	g_assert_cmpuint(cam_fix_plan_count_available(f->plan), ==, 2);
}

/* A hundred findings of one cause are one line. */
static void
test_causes_are_grouped(void)
{
	g_autoptr(Fixture) f = fixture_new("Package: a\n" OK "Version: 1\n\n"
					   "Package: b\n" OK "Version: 1\n\n",
					   "", "Package: a\nVersion: 1\n" FILE "\n");
	CamTableStyle style = { .width = 120 };
	g_autofree char *table = NULL, *each = NULL;

	for (guint i = 0; i < 100; i++) {
		g_autofree char *id = g_strdup_printf("CVE-2026-%u", i);

		add_finding(f, id, i % 2 ? "a" : "b", i % 3 ? NULL : "2");
	}
	run(f, FALSE, NULL);
	table = cam_fix_plan_to_table(f->plan, &style);
	g_assert_null(strstr(table, "CVE-"));
	g_assert_nonnull(strstr(table, "no fixed version exists yet"));
	g_assert_nonnull(strstr(table, "no fixed version in the repositories"));
	style.verbose = TRUE;
	each = cam_fix_plan_to_table(f->plan, &style);
	g_assert_nonnull(strstr(each, "CVE-2026-99"));
}

/* What is out of reach does not keep the reachable from being done. */
static void
test_one_of_two_findings(void)
{
	g_autoptr(Fixture) f = fixture_new("Package: a\n" OK "Version: 1\n\n",
					   "Package: a\nVersion: 2\n" FILE "\n", "");

	add_finding(f, "CVE-near", "a", "2");
	add_finding(f, "CVE-far", "a", "3");
	run(f, FALSE, NULL);
	assert_packages(f, "a 1 2: fixes CVE-near\n");
	assert_unfixable(f, "CVE-far", "no fixed version in the repositories");
}

/* Advisories speak of source versions; a rebuild has its own. */
static void
test_source_version(void)
{
	g_autoptr(Fixture) f =
		fixture_new("Package: base\nSource: gcc (12-1)\n" OK "Version: 12-1+b1\n\n", "",
			    "Package: base\nSource: gcc (12-2)\nVersion: 12-2+b3\n" FILE "\n");

	add_finding(f, "CVE-1", "base", "12-2");
	run(f, FALSE, NULL);
	assert_packages(f, "base 12-1+b1 12-2+b3: fixes CVE-1\n");
}

static void
test_give_up(void)
{
	g_autoptr(Fixture) f = fixture_new(openssl_installed, openssl_updates, openssl_security);

	add_finding(f, "CVE-1", "openssl", "2");
	add_finding(f, "CVE-2", "nginx", "2");
	run(f, FALSE, NULL);
	for (guint i = 0; i < f->plan->packages->len; i++) {
		const CamPlannedPackage *p = g_ptr_array_index(f->plan->packages, i);

		if (g_str_equal(p->name, "nginx")) {
			cam_fix_plan_give_up(f->plan, i, CAM_OPEN_METHOD, "it has scripts");
			break;
		}
	}
	g_assert_cmpuint(f->plan->packages->len, ==, 2);
	g_assert_cmpuint(f->plan->fixes->len, ==, 1);
	g_assert_cmpuint(f->plan->download_size, ==, 20);
	assert_unfixable(f, "CVE-2", "it has scripts");
	g_assert_cmpuint(f->plan->given_up, ==, 1);
	g_assert_cmpuint(cam_fix_plan_count_available(f->plan), ==, 1);
}

static void
test_report(void)
{
	g_autoptr(Fixture) f = fixture_new(openssl_installed, openssl_updates, openssl_security);
	g_autoptr(JsonObject) json = NULL;
	JsonObject *first;

	add_finding(f, "CVE-1", "openssl", "2");
	add_finding(f, "CVE-2", "zlib", NULL);
	run(f, FALSE, NULL);
	json = cam_fix_plan_to_json(f->plan);
	g_assert_cmpstr(cam_json_get_string(json, "schema"), ==, "cambium.plan/v1");
	g_assert_cmpuint(json_array_get_length(cam_json_get_array(json, "packages")), ==, 3);
	g_assert_cmpuint(json_array_get_length(cam_json_get_array(json, "unfixable")), ==, 1);
	first = json_array_get_object_element(cam_json_get_array(json, "unfixable"), 0);
	g_assert_cmpstr(cam_json_get_string(first, "id"), ==, "CVE-2");
	g_assert_cmpstr(cam_json_get_string(first, "reason"), ==, "no fixed version exists yet");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/selection/default", test_default);
	g_test_add_func("/plan/selection/security-update", test_security_update);
	g_test_add_func("/plan/selection/all", test_all);
	g_test_add_func("/plan/selection/only", test_only);
	g_test_add_func("/plan/selection/unfixable", test_unfixable);
	g_test_add_func("/plan/selection/causes-are-grouped", test_causes_are_grouped);
	g_test_add_func("/plan/selection/one-of-two-findings", test_one_of_two_findings);
	g_test_add_func("/plan/selection/source-version", test_source_version);
	g_test_add_func("/plan/selection/give-up", test_give_up);
	g_test_add_func("/plan/selection/report", test_report);
	return g_test_run();
}
