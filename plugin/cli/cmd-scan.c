/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium scan`: what is wrong with an image. */
#include "plugin/cli/commands.h"

static const char *const severities[] = { "critical", "high", "medium", "low", NULL };

typedef struct {
	CamSourceOptions source;
	int severity, fail_on; /* 0 or 1 + index in severities */
	gboolean ignore_unfixed;
} ScanOptions;

static const CamOption options[] = {
	{ "severity", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(ScanOptions, severity), "SEVERITY",
	  severities, CAM_COMPLETE_CHOICES, "leave out findings below" },
	{ "ignore-unfixed", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(ScanOptions, ignore_unfixed), NULL,
	  NULL, CAM_COMPLETE_NOTHING, "leave out findings that no version fixes" },
	{ "fail-on", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(ScanOptions, fail_on), "SEVERITY",
	  severities, CAM_COMPLETE_CHOICES,
	  "exit with status 3 if a finding of this severity or above is shown" },
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
	{ "cambium scan --format json shop:1.0 | jq .risk_level", "For programs." },
	{ NULL },
};

static CamSeverity
chosen_severity(int choice)
{
	CamSeverity severity = CAM_SEVERITY_UNKNOWN;

	if (choice > 0)
		cam_severity_parse(severities[choice - 1], &severity);
	return severity;
}

static CamSeverity
effective(CamSeverity severity, CamSeverity unknown_counts_as)
{
	return severity == CAM_SEVERITY_UNKNOWN ? unknown_counts_as : severity;
}

/* Closes the gate where it must; what could not be judged does not pass. */
static void
apply_gate(CamCli *cli, const CamScanResult *result, CamSeverity gate, CamSeverity unknown)
{
	guint bad = 0;

	for (guint i = 0; i < result->findings->len; i++) {
		const CamFinding *finding = g_ptr_array_index(result->findings, i);

		bad += effective(finding->severity, unknown) >= gate;
	}
	if (bad > 0)
		cam_cli_warn(cli, "%u findings are %s or worse: --fail-on %s", bad,
			     cam_severity_name(gate), cam_severity_name(gate));
	else if (result->risk == CAM_SEVERITY_UNKNOWN)
		cam_cli_warn(cli,
			     "the image could not be judged, so --fail-on does not let it pass");
	else
		return;
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
		cam_cli_warn(
			cli,
			"THE ADVISORY DATABASE IS EMPTY: nothing could be found; run 'cambium db "
			"update', then scan again");
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const ScanOptions *self = data;
	g_autoptr(CamImage) image = cam_cli_get_image(cli, words[0], &self->source, error);
	g_autoptr(CamScanResult) result = NULL;
	CamSeverity unknown = cam_cli_unknown_counts_as(cli);
	CamScanOptions scan = {
		.unknown_counts_as = unknown,
		.min_severity = chosen_severity(self->severity),
		.ignore_unfixed = self->ignore_unfixed,
	};
	CamScanEngine *engine;

	if (image == NULL)
		return FALSE;
	engine = cam_cli_get_engine(cli, error);
	if (engine == NULL)
		return FALSE;
	result = cam_scan_engine_scan(engine, image, &scan, cam_cli_get_progress(cli),
				      cam_cli_get_cancellable(cli), error);
	if (result == NULL)
		return FALSE;
	print_result(cli, result);
	if (self->fail_on != 0)
		apply_gate(cli, result, chosen_severity(self->fail_on), unknown);
	return TRUE;
}

const CamCommand cam_command_scan = {
	.name = "scan",
	.summary = "show what is wrong with an image",
	.description =
		"Lists the known vulnerabilities of an image's packages: which package, which "
		"version fixes it, and which layer brought it. The risk level is that of the worst "
		"finding; a severity that nobody has said counts as medium there (see "
		"cambium.conf(5)) and is shown as unknown.\n\n"
		"What was seen is remembered by content: scanning an image again, or one that "
		"shares "
		"layers with it, looks only at what is new. The advisories come from 'cambium db'; "
		"the report names them and their dates.",
	.arguments = cam_image_arguments,
	.options = options,
	.options_size = sizeof(ScanOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
