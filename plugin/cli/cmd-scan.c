/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium scan`: what is wrong with an image. */
#include "plugin/cli/commands.h"

#include "plugin/settings.h"

static const char *const severities[] = { "critical", "high", "medium", "low", NULL };

typedef struct {
	CamSourceOptions source;
	GPtrArray *repo;
	int severity; /* 0 or 1 + index in severities */
	int fail_on;  /* 0 or 1 + index in cam_level_names */
	gboolean ignore_unfixed, offline;
} ScanOptions;

static const CamOption options[] = {
	{ "severity", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(ScanOptions, severity), "SEVERITY",
	  severities, CAM_COMPLETE_CHOICES, "leave out findings below; gates count them" },
	{ "ignore-unfixed", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(ScanOptions, ignore_unfixed), NULL,
	  NULL, CAM_COMPLETE_NOTHING,
	  "leave out findings that no published version fixes, also from --fail-on" },
	{ "fail-on", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(ScanOptions, fail_on), "LEVEL",
	  cam_level_names, CAM_COMPLETE_CHOICES,
	  "exit with status 3 if there is a finding of this level or worse, or one of unknown "
	  "severity that a published version fixes, or something was not judged" },
	{ "offline", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(ScanOptions, offline), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "do not look up packages that no source has looked at yet" },
	CAM_REPO_OPTION(ScanOptions, repo),
	CAM_SOURCE_OPTIONS(ScanOptions, source),
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium scan shop:1.0", "An image of the store." },
	{ "cambium scan docker://registry.example.org/shop:1.0", "Imports it first." },
	{ "cambium scan containerd://k8s.io/registry.example.org/shop:1.0",
	  "An image that the kubelet has pulled." },
	{ "cambium scan --severity high --ignore-unfixed shop:1.0",
	  "Only what is bad and can be fixed." },
	{ "cambium scan --fail-on high shop:1.0", "As a gate in a pipeline: exit status 3." },
	{ "cambium scan --offline shop:1.0", "By what the advisories know already." },
	{ "cambium scan --format json shop:1.0 | jq .risk_level", "For programs." },
	{ NULL },
};

/* Closes the gate where it must. It counts all findings, whatever --severity hides. */
static void
apply_gate(CamCli *cli, const CamScanResult *result, const ScanOptions *self)
{
	CamGateRule rule = cam_settings_gate_rule(
		cam_cli_get_config(cli), cam_settings_level(self->fail_on, CAM_SEVERITY_HIGH));
	CamGateOutcome outcome;
	g_autofree char *text = NULL;

	rule.ignore_unfixed = self->ignore_unfixed;
	if (cam_gate_passes(&result->tally, &rule, &outcome))
		return;
	text = cam_gate_outcome_text(&outcome);
	cam_cli_warn(cli, "--fail-on %s: %s", cam_level_names[self->fail_on - 1], text);
	cam_cli_set_exit(cli, CAM_EXIT_POLICY);
}

static void
print_result(CamCli *cli, const CamScanResult *result)
{
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object = cam_report_to_json(result);

		cam_cli_print_json(cli, object);
	} else {
		CamTableStyle style = cam_cli_get_style(cli);
		g_autofree char *table = cam_report_to_table(result, &style);

		cam_cli_print(cli, table);
	}
	if (result->databases->len == 0)
		cam_cli_warn(cli, "the advisory database is empty, so nothing could be found: run "
				  "'cambium db update', or scan without --offline");
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const ScanOptions *self = data;
	g_autoptr(CamImage) image = NULL;
	g_autoptr(CamScanResult) result = NULL;
	CamScanOptions scan = { .ignore_unfixed = self->ignore_unfixed };

	if (!cam_cli_check_repo(cli, self->repo, error))
		return FALSE;
	image = cam_cli_get_image(cli, words[0], &self->source, error);
	if (self->severity > 0)
		cam_severity_parse(severities[self->severity - 1], &scan.min_severity);
	if (image != NULL)
		result = cam_cli_scan(cli, image, &scan, self->repo, self->offline, error);
	if (result == NULL)
		return FALSE;
	print_result(cli, result);
	if (self->fail_on != 0)
		apply_gate(cli, result, self);
	return TRUE;
}

const CamCommand cam_command_scan = {
	.name = "scan",
	.summary = "show what is wrong with an image",
	.description =
		"Lists what is known to be wrong with an image's packages: which package, which "
		"version fixes it, and which layer brought it; on two axes: what a published "
		"version fixes, and what none fixes yet. Advisories from changelogs know the first "
		"axis alone; the report says so.\n\n"
		"Packages that no source has looked at yet are looked up in the repositories of "
		"the image's release, unless --offline is given. What no source judges is listed "
		"with the reason, and is never clean: 'No risks' means that no fix is pending and "
		"that every package was judged, or is accepted by a group [accept NAME] of "
		"cambium.conf(5).\n\n"
		"The risk level is that of the worst finding, unknown severities counted as medium "
		"(scan.unknown_counts_as), and at best unknown where something was not judged. "
		"Severities are ordered none, low, unknown, medium, high, critical: unknown stands "
		"just below what it counts as.\n\n"
		"--fail-on counts all findings of its level and worse, also those that --severity "
		"leaves out. A finding of unknown severity that a published version fixes does not "
		"pass at any level, unless scan.unknown_with_fix_counts_as says otherwise; nor "
		"does an image of which something was not judged.\n\n"
		"What was seen is remembered by content: scanning an image again, or one that "
		"shares layers with it, looks only at what is new. The advisories come from "
		"'cambium db'; the report names them and their dates.",
	.arguments = cam_image_arguments,
	.options = options,
	.options_size = sizeof(ScanOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
