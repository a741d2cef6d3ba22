/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

#include <string.h>

/*
 * Reports against golden files. To make those anew after a change that is meant:
 * run this test with CAM_UPDATE_GOLDEN=1 and read what changed.
 */

#define OPENSSL "3.0.11-1~deb12u1"

static void
add_layer(CamScanResult *result, const char *diff_id, const char *created_by)
{
	CamLayerLabel *label = g_new0(CamLayerLabel, 1);

	label->diff_id = g_strdup(diff_id);
	label->created_by = g_strdup(created_by);
	g_ptr_array_add(result->layers, label);
}

static CamPackage *
add_package(CamScanResult *result, const char *name, const char *version, const char *source,
	    int layer)
{
	CamPackage *package = cam_package_new(CAM_PACKAGE_DEB, name, version);

	g_free(package->source_name);
	package->source_name = g_strdup(source);
	package->architecture = g_strdup("amd64");
	package->path = g_strdup("var/lib/dpkg/status");
	package->layer = layer;
	g_ptr_array_add(result->packages, package);
	return package;
}

static CamFinding *
add_finding(CamScanResult *result, const CamPackage *package, const char *id, CamSeverity severity,
	    const char *fixed_version)
{
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->kind = CAM_FINDING_VULNERABILITY;
	finding->id = g_strdup(id);
	finding->aliases = g_new0(char *, 1);
	finding->references = g_new0(char *, 1);
	finding->severity = severity;
	finding->score = -1;
	finding->package = g_strdup(package->name);
	finding->source_package = g_strdup(package->source_name);
	finding->installed_version = g_strdup(package->version);
	finding->architecture = g_strdup(package->architecture);
	finding->fixed_version = g_strdup(fixed_version);
	finding->state = fixed_version != NULL ? CAM_STATE_FIXED : CAM_STATE_NOT_FIXED;
	finding->layer = package->layer;
	finding->source = g_strdup("osv:feeds");
	finding->suggestion = g_strdup("upgrade it");
	result->counts[severity]++;
	(fixed_version != NULL ? result->tally.pending : result->tally.unfixed)[severity]++;
	g_ptr_array_add(result->findings, finding);
	return finding;
}

static void
add_database(CamScanResult *result, const char *name, const char *note)
{
	CamAdvisorySource *source = g_new0(CamAdvisorySource, 1);

	source->name = g_strdup(name);
	source->kind = g_strdup("osv-directory");
	source->url = g_strdup("/srv/feeds");
	source->version = g_strdup("0123456789abcdef0123456789abcdef");
	source->date = 1764547200;
	source->updated = 1764550800;
	source->records = 4701;
	source->note = g_strdup(note);
	g_ptr_array_add(result->databases, source);
}

static CamScanResult *
make_image(const char *os_release)
{
	CamScanResult *result = cam_scan_result_new();

	result->reference = g_strdup("registry.example.org/shop:1.0");
	result->digest =
		g_strdup("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	result->platform = g_strdup("linux/amd64");
	result->os = cam_os_release_parse(os_release, strlen(os_release));
	result->support = cam_os_release_get_support(result->os, "2025-12-01");
	add_layer(result, "sha256:1111111111111111111111111111111111111111111111111111111111111111",
		  "mmdebstrap --variant=minbase bookworm");
	add_layer(result, "sha256:2222222222222222222222222222222222222222222222222222222222222222",
		  "RUN apt-get install -y a-service with-quite-a-long-command-line && rm -rf "
		  "/var/lib/apt/lists/* \033[31m");
	return result;
}

/* Several packages of a source, several severities, with and without fixes. */
static CamScanResult *
make_result(void)
{
	CamScanResult *result = make_image("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
					   "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n");
	CamPackage *curl = add_package(result, "curl", "7.88.1-10", "curl", 1);
	CamPackage *ssl = add_package(result, "libssl3", OPENSSL, "openssl", 0);
	CamPackage *openssl = add_package(result, "openssl", OPENSSL, "openssl", 0);
	CamPackage *zlib = add_package(result, "zlib1g", "1:1.2.13.dfsg-1", "zlib", 0);
	CamFinding *finding;

	zlib->held = TRUE;
	g_free(ssl->source_version);
	ssl->source_version = g_strdup("3.0.11-1");
	finding = add_finding(result, curl, "CVE-2024-0001", CAM_SEVERITY_CRITICAL,
			      "7.88.1-10+deb12u5");
	finding->score = 9.8;
	finding->title =
		g_strdup("a heap overflow in the SOCKS5 handshake that needs a title that is "
			 "much longer than any terminal is wide, so that it must be cut");
	g_strfreev(finding->aliases);
	finding->aliases = g_strsplit("DSA-5600-1,DLA-1", ",", -1);
	g_strfreev(finding->references);
	finding->references = g_strsplit("https://example.org/CVE-2024-0001", ",", -1);
	finding = add_finding(result, curl, "CVE-2024-0002", CAM_SEVERITY_MEDIUM, NULL);
	finding->score = 5.0;
	finding->title = g_strdup("cookies \033[2J with an escape sequence");
	finding = add_finding(result, curl, "CVE-2024-0003", CAM_SEVERITY_MEDIUM,
			      "7.88.1-10+deb12u1");
	finding->title = g_strdup("fixed earlier");
	for (guint i = 10; i < 22; i++) {
		g_autofree char *id = g_strdup_printf("CVE-2023-%04u", i);

		add_finding(result, ssl, id, CAM_SEVERITY_UNKNOWN, "3.0.17-1~deb12u3");
		add_finding(result, openssl, id, CAM_SEVERITY_UNKNOWN, "3.0.17-1~deb12u3");
	}
	add_finding(result, zlib, "CVE-2023-45853", CAM_SEVERITY_LOW, NULL);
	add_database(result, "osv:feeds", NULL);
	add_database(result, "debian-changelog:bookworm",
		     "Derived from changelogs: severity is unknown, and what has no fix yet is not "
		     "known.");
	result->risk = CAM_SEVERITY_CRITICAL;
	result->tally.fixes_judged = result->tally.unfixed_judged = TRUE;
	result->left_out = 3;
	return result;
}

static void
assert_golden(const char *name, const char *text)
{
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "scanners", "report", "golden", name, NULL);
	g_autofree char *expected = NULL;
	g_autoptr(GError) error = NULL;

	if (g_getenv("CAM_UPDATE_GOLDEN") != NULL)
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_file_get_contents(path, &expected, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, expected);
	for (const char *c = text; *c != '\0'; c++)
		g_assert_true(*c != '\033' || strstr(name, "colour") != NULL);
}

static void
assert_golden_table(const char *name, const CamScanResult *result, const CamTableStyle *style)
{
	g_autofree char *text = cam_report_to_table(result, style);

	assert_golden(name, text);
}

static void
assert_golden_json(const char *name, JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL, *with_newline = NULL;

	json_node_take_object(node, object);
	text = json_to_string(node, TRUE);
	with_newline = g_strconcat(text, "\n", NULL);
	assert_golden(name, with_newline);
}

static void
test_table(void)
{
	const CamTableStyle narrow = { .width = 80 }, wide = { .width = 120, .colour = TRUE };
	const CamTableStyle verbose = { .width = 100, .verbose = TRUE }, pipe = { 0 };
	g_autoptr(CamScanResult) result = make_result();

	assert_golden_table("scan-80.txt", result, &narrow);
	assert_golden_table("scan-120-colour.txt", result, &wide);
	assert_golden_table("scan-100-verbose.txt", result, &verbose);
	assert_golden_table("scan-pipe.txt", result, &pipe);
}

static void
test_fits_its_width(void)
{
	g_autoptr(CamScanResult) result = make_result();

	for (guint width = 64; width <= 140; width++) {
		const CamTableStyle style = { .width = width };
		g_autofree char *text = cam_report_to_table(result, &style);
		g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

		for (char **line = lines; *line != NULL; line++)
			g_assert_cmpuint(cam_text_width(*line), <=, width);
	}
}

static void
test_end_of_life(void)
{
	const CamTableStyle style = { .width = 80 };
	g_autoptr(CamScanResult) result = make_image(
		"PRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"\nID=debian\nVERSION_ID=10\n");
	CamPackage *package = add_package(result, "zlib1g", "1", "zlib", 0);
	CamFinding *end = add_finding(result, package, "EOL-debian-10", CAM_SEVERITY_HIGH, NULL);

	result->tally = (CamTally){ .end_of_life = TRUE, .fixes_judged = TRUE };
	end->kind = CAM_FINDING_END_OF_LIFE;
	end->state = CAM_STATE_END_OF_LIFE;
	end->title = g_strdup("Debian GNU/Linux 10 (buster) has had no security support since "
			      "2024-06-30");
	end->layer = -1;
	g_free(end->source_package);
	end->source_package = g_strdup("debian");
	g_free(end->installed_version);
	end->installed_version = g_strdup("10");
	add_finding(result, package, "CVE-2020-1", CAM_SEVERITY_HIGH, NULL)->state =
		CAM_STATE_END_OF_LIFE;
	g_ptr_array_add(result->warnings,
			g_strdup("Debian GNU/Linux 10 (buster) is past its end of life."));
	result->risk = CAM_SEVERITY_HIGH;
	assert_golden_table("scan-end-of-life.txt", result, &style);
}

static CamUnjudged *
add_unjudged(CamScanResult *result, const char *name, const char *reason)
{
	CamPackage *package = add_package(result, name, "1", name, 0);
	CamUnjudged *unjudged = cam_unjudged_new(name, "1", reason);

	cam_unjudged_add_package(unjudged, package->name, "Example Corp");
	g_ptr_array_add(result->unjudged, unjudged);
	result->n_unjudged++;
	return unjudged;
}

/* Causes are grouped, accepted packages named with what accepts them. */
static void
test_unjudged(void)
{
	const CamTableStyle style = { .width = 80 };
	g_autoptr(CamScanResult) result = make_image("ID=debian\nVERSION_ID=13\n");
	CamAdvisorySource *changelogs, *other;
	CamUnjudged *accepted;

	add_package(result, "base-files", "13", "base-files", 0);
	for (guint i = 0; i < 15; i++) {
		g_autofree char *name = g_strdup_printf("package-%u", i);

		add_unjudged(result, name, "not looked up");
	}
	add_unjudged(result, "vendor\033[2J", "not in the repositories of trixie")->looked_at =
		1764547200;
	for (guint i = 0; i < 2; i++) {
		accepted = add_unjudged(result, i == 0 ? "docker-ce" : "docker-cli",
					"not in the repositories of trixie");
		accepted->accepted_by = g_strdup("docker");
		accepted->accepted_because = g_strdup("their own repository");
		accepted->accepted_until = g_strdup("2030-12-31");
		result->n_unjudged--;
		result->n_accepted++;
	}
	add_database(result, "debian-changelog:trixie", NULL);
	changelogs = result->databases->pdata[result->databases->len - 1];
	g_free(changelogs->version);
	/* Those of another release are in the JSON alone. */
	add_database(result, "debian-changelog:bookworm", "Of another release.");
	other = result->databases->pdata[result->databases->len - 1];
	g_free(other->kind);
	other->kind = g_strdup("debian-changelog");
	changelogs->version = g_strdup("trixie@20251201T000000Z trixie-security@20251130T000000Z");
	result->risk = CAM_SEVERITY_UNKNOWN;
	assert_golden_table("scan-unjudged.txt", result, &style);
	assert_golden_json("scan-unjudged.json", cam_report_to_json(result));
}

static void
assert_conclusion(const CamTally *tally, guint n_unjudged, const char *expected, gboolean no_risks)
{
	g_autoptr(CamScanResult) result = make_image("ID=debian\nVERSION_ID=13\n");
	g_autofree char *text = NULL;

	for (guint i = 0; i < 3; i++)
		add_package(result, "p", "1", "p", 0);
	result->tally = *tally;
	result->n_unjudged = n_unjudged;
	text = cam_conclusion_text(result);
	g_assert_cmpstr(text, ==, expected);
	g_assert_cmpint(cam_conclusion_is_no_risks(result), ==, no_risks);
}

/* Never more than the sources say. */
static void
test_conclusions(void)
{
	const CamTally all = { .fixes_judged = TRUE, .unfixed_judged = TRUE };
	const CamTally changelogs = { .fixes_judged = TRUE };
	const CamTally unfixed = { .unfixed = { [CAM_SEVERITY_HIGH] = 2 },
				   .fixes_judged = TRUE,
				   .unfixed_judged = TRUE };
	const CamTally pending = { .pending = { [CAM_SEVERITY_LOW] = 1 }, .fixes_judged = TRUE };
	const CamTally ended = { .end_of_life = TRUE, .fixes_judged = TRUE };
	const CamTally nothing = { 0 }, ended_unjudged = { .end_of_life = TRUE };

	assert_conclusion(&all, 0,
			  "No risks: no fix is pending; no vulnerability without a fix is known.",
			  TRUE);
	assert_conclusion(&changelogs, 0,
			  "No risks: no fix is pending; vulnerabilities without a fix are not "
			  "judged by these sources.",
			  TRUE);
	assert_conclusion(&unfixed, 0,
			  "No risks: no fix is pending; 2 vulnerabilities have no published fix.",
			  TRUE);
	assert_conclusion(&pending, 0,
			  "1 finding has a published fix; vulnerabilities without a fix are not "
			  "judged by these sources.",
			  FALSE);
	assert_conclusion(&ended, 0,
			  "No fix is pending, and none will come: the release has no security "
			  "support; vulnerabilities without a fix are not judged by these sources.",
			  FALSE);
	assert_conclusion(&nothing, 1,
			  "No fix is pending for what was judged; vulnerabilities without a fix "
			  "are not judged by these sources. 1 of 3 packages were not judged.",
			  FALSE);
	assert_conclusion(&nothing, 3, "The image could not be judged.", FALSE);
	assert_conclusion(
		&ended_unjudged, 1,
		"No fix is pending for what was judged, and none will come: the release "
		"has no security support; vulnerabilities without a fix are not judged by "
		"these sources. 1 of 3 packages were not judged.",
		FALSE);
	assert_conclusion(&ended_unjudged, 3,
			  "The image could not be judged, and its release has no security support.",
			  FALSE);
}

/* What only Ubuntu Pro fixes is no version to upgrade to. */
static void
test_fixed_in_pro(void)
{
	const CamTableStyle style = { 0 }, verbose = { .verbose = TRUE };
	g_autoptr(CamScanResult) result = make_image("ID=ubuntu\nVERSION_ID=22.04\n");
	CamPackage *zlib = add_package(result, "zlib1g", "1", "zlib", 0);
	g_autofree char *alone = NULL, *beside = NULL, *all = NULL;

	add_finding(result, zlib, "CVE-2026-1", CAM_SEVERITY_HIGH, "1+esm1")->state =
		CAM_STATE_FIXED_IN_PRO;
	alone = cam_report_to_table(result, &style);
	g_assert_nonnull(strstr(alone, "zlib 1 (fixed in Ubuntu Pro only)\n"));
	add_finding(result, zlib, "CVE-2026-2", CAM_SEVERITY_HIGH, "1+2");
	beside = cam_report_to_table(result, &style);
	g_assert_nonnull(strstr(beside, "zlib 1 → 1+2\n"));
	g_assert_nonnull(strstr(beside, "CVE-2026-1        (fixed in Ubuntu Pro only)"));
	all = cam_report_to_table(result, &verbose);
	g_assert_nonnull(strstr(all, "CVE-2026-1        (fixed in Ubuntu Pro only)"));
}

static void
test_nothing_found(void)
{
	const CamTableStyle style = { .width = 80 };
	g_autoptr(CamScanResult) clean = make_image("ID=debian\nVERSION_ID=13\n");
	g_autoptr(CamScanResult) unknown = make_image("ID=plan9\n");

	add_database(clean, "osv:feeds", NULL);
	add_package(clean, "base-files", "13", "base-files", 0);
	clean->tally = (CamTally){ .fixes_judged = TRUE, .unfixed_judged = TRUE };
	clean->risk = CAM_SEVERITY_NONE;
	assert_golden_table("scan-clean.txt", clean, &style);
	unknown->risk = CAM_SEVERITY_UNKNOWN;
	g_ptr_array_add(unknown->warnings, g_strdup("The release (plan9) is not known."));
	assert_golden_table("scan-unknown.txt", unknown, &style);
}

static void
test_json(void)
{
	g_autoptr(CamScanResult) result = make_result();

	/* Enough of them stand in the table. */
	g_ptr_array_remove_range(result->findings, 4, result->findings->len - 5);
	g_free(((CamFinding *) result->findings->pdata[3])->title);
	((CamFinding *) result->findings->pdata[3])->title = g_strdup("not \xff UTF-8");
	assert_golden_json("scan.json", cam_report_to_json(result));
	assert_golden_json("packages.json", cam_report_packages_to_json(result));
}

static void
test_packages(void)
{
	const CamTableStyle style = { .width = 80 }, verbose = { .verbose = TRUE };
	g_autoptr(CamScanResult) result = make_result();
	g_autofree char *text = cam_report_packages_to_table(result, &style);
	g_autofree char *all = cam_report_packages_to_table(result, &verbose);

	assert_golden("packages-80.txt", text);
	assert_golden("packages-verbose.txt", all);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/table", test_table);
	g_test_add_func("/report/fits-its-width", test_fits_its_width);
	g_test_add_func("/report/end-of-life", test_end_of_life);
	g_test_add_func("/report/nothing-found", test_nothing_found);
	g_test_add_func("/report/fixed-in-pro", test_fixed_in_pro);
	g_test_add_func("/report/unjudged", test_unjudged);
	g_test_add_func("/report/conclusions", test_conclusions);
	g_test_add_func("/report/json", test_json);
	g_test_add_func("/report/packages", test_packages);
	return g_test_run();
}
