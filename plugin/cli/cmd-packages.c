/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium packages`: what an image consists of. */
#include "plugin/cli/commands.h"

typedef struct {
	CamSourceOptions source;
} PackagesOptions;

static const CamOption options[] = {
	CAM_SOURCE_OPTIONS(PackagesOptions, source),
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium packages shop:1.0", "Name, version, source package, layer." },
	{ "cambium packages --format json shop:1.0", "The same for programs, with package URLs." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const PackagesOptions *self = data;
	g_autoptr(CamImage) image = cam_cli_get_image(cli, words[0], &self->source, error);
	CamScanEngine *engine = image != NULL ? cam_cli_get_engine(cli, error) : NULL;
	CamScanOptions scan = { .unknown_counts_as = cam_cli_unknown_counts_as(cli) };
	g_autoptr(CamScanResult) result = NULL;

	if (engine == NULL)
		return FALSE;
	result = cam_scan_engine_scan(engine, image, &scan, cam_cli_get_progress(cli),
				      cam_cli_get_cancellable(cli), error);
	if (result == NULL)
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object = cam_report_packages_to_json(result);

		cam_cli_print_json(cli, object);
	} else {
		CamTableStyle style = cam_cli_get_style(cli);
		g_autofree char *table = cam_report_packages_to_table(result, &style);

		cam_cli_print(cli, table);
	}
	return TRUE;
}

const CamCommand cam_command_packages = {
	.name = "packages",
	.summary = "list the packages of an image",
	.description =
		"Lists what is installed in an image, with the source package that each comes "
		"from and the layer that brought it.",
	.arguments = cam_image_arguments,
	.options = options,
	.options_size = sizeof(PackagesOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
