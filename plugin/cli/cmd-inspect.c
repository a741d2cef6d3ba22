/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium inspect`: everything the store knows about one image. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

static const CamArgument arguments[] = {
	{ "IMAGE", CAM_ARGUMENT_ONE, CAM_COMPLETE_IMAGE, NULL,
	  "a name in the store, a digest or an unambiguous beginning of one" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium inspect shop:1.0", "Digests, platform, source, and each layer." },
	{ "cambium inspect --format json shop:1.0",
	  "The same for programs, with the manifest and the config as they are." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	CamStore *store = cam_cli_get_store(cli, FALSE, error);
	g_autoptr(CamImage) image = NULL;

	if (store == NULL)
		return FALSE;
	image = cam_store_get_image(store, words[0], error);
	if (image == NULL)
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object = cam_show_image_json(image);

		json_object_set_object_member(object, "manifest",
					      json_object_ref(image->manifest->json));
		json_object_set_object_member(object, "config",
					      json_object_ref(image->config->json));
		cam_cli_print_json(cli, object);
		return TRUE;
	}
	return cam_show_image(cli, image, error);
}

const CamCommand cam_command_inspect = {
	.name = "inspect",
	.summary = "show one image and its layers",
	.description =
		"Shows what the store knows about an image: its digests, platform and source, "
		"and each layer with the command that made it.",
	.arguments = arguments,
	.examples = examples,
	.run = run,
};
