/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium rm`: takes names away. */
#include "plugin/cli/commands.h"

static const CamArgument arguments[] = {
	{ "IMAGE", CAM_ARGUMENT_MANY, CAM_COMPLETE_IMAGE, NULL, "names in the store" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium rm shop:1.0", "Removes the name; 'cambium gc' then frees the space." },
	{ "cambium rm $(cambium images -q)", "Removes every image." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	CamStore *store = cam_cli_get_store(cli, FALSE, error);

	if (store == NULL)
		return FALSE;
	/* Removing nothing is better than removing a part: look first. */
	for (guint i = 0; words[i] != NULL; i++) {
		g_autoptr(CamImage) image = cam_store_get_image(store, words[i], error);

		if (image == NULL)
			return FALSE;
	}
	for (guint i = 0; words[i] != NULL; i++) {
		g_autoptr(CamImage) image = cam_store_get_image(store, words[i], error);

		if (image == NULL || !cam_store_remove_image(store, image->name, error))
			return FALSE;
		cam_cli_note(cli, "removed %s", image->name);
	}
	return TRUE;
}

const CamCommand cam_command_rm = {
	.name = "rm",
	.summary = "remove images from the store",
	.description =
		"Removes the names of images. Their content stays until 'cambium gc' finds that "
		"no other image needs it. If one of the images does not exist, none is removed.",
	.arguments = arguments,
	.examples = examples,
	.run = run,
};
