/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium diff`: what differs between two images, and why. */
#include "plugin/cli/commands.h"

typedef struct {
	CamSourceOptions source;
} DiffOptions;

static const CamOption options[] = {
	CAM_SOURCE_OPTIONS(DiffOptions, source),
	{ NULL },
};

static const CamArgument arguments[] = {
	{ "BEFORE", CAM_ARGUMENT_ONE, CAM_COMPLETE_IMAGE, NULL,
	  "a name in the store, or a location, which is imported first" },
	{ "AFTER", CAM_ARGUMENT_ONE, CAM_COMPLETE_IMAGE, NULL, "the image to compare with it" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium diff shop:1.0 shop:1.0_fix", "What did the fix change?" },
	{ "cambium diff --format json shop:1.0 shop:1.0_fix | jq .unexplained",
	  "How many paths does no package upgrade explain?" },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const DiffOptions *self = data;
	g_autoptr(CamImage) before = cam_cli_get_image(cli, words[0], &self->source, error);
	g_autoptr(CamImage) after = NULL;
	g_autoptr(CamImageDiff) diff = NULL;
	CamScanEngine *engine;

	if (before == NULL)
		return FALSE;
	after = cam_cli_get_image(cli, words[1], &self->source, error);
	engine = after != NULL ? cam_cli_get_engine(cli, error) : NULL;
	if (engine == NULL)
		return FALSE;
	diff = cam_image_diff_new(cam_cli_get_store(cli, FALSE, NULL), engine, before, after,
				  cam_cli_get_progress(cli), cam_cli_get_cancellable(cli), error);
	if (diff == NULL)
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object = cam_image_diff_to_json(diff);

		cam_cli_print_json(cli, object);
	} else {
		CamTableStyle style = cam_cli_get_style(cli);
		g_autofree char *table = cam_image_diff_to_table(diff, &style);

		cam_cli_print(cli, table);
	}
	return TRUE;
}

const CamCommand cam_command_diff = {
	.name = "diff",
	.summary = "compare two images: packages, vulnerabilities, paths",
	.description =
		"Compares two images: which packages changed, which vulnerabilities that closed, "
		"left "
		"or brought, and every path that was added, removed or modified. Each path is "
		"attributed to the package upgrade that explains it, checked against that "
		"package's "
		"own checksums, or called unexplained. Equal parts are skipped by identity.",
	.arguments = arguments,
	.options = options,
	.options_size = sizeof(DiffOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
