/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium images`: what the store holds. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

static const CamExample examples[] = {
	{ "cambium images", "All images of the store." },
	{ "cambium images --quiet", "Their names alone, one a line, for scripts." },
	{ "cambium images --format json", "With digests, layers and sources." },
	{ NULL },
};

static JsonObject *
images_json(const GPtrArray *images)
{
	JsonObject *object = json_object_new();
	JsonArray *array = json_array_new();

	for (guint i = 0; i < images->len; i++)
		json_array_add_object_element(array,
					      cam_show_image_json(g_ptr_array_index(images, i)));
	json_object_set_string_member(object, "schema", CAM_IMAGES_SCHEMA);
	json_object_set_array_member(object, "images", array);
	return object;
}

static gboolean
print_names(CamCli *cli, GError **error)
{
	g_autoptr(GPtrArray) names = cam_cli_list_image_names(cli, error);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		cam_cli_print_line(cli, g_ptr_array_index(names, i));
	}
	return names != NULL;
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	gboolean json = cam_cli_get_format(cli) == CAM_FORMAT_JSON;
	g_autoptr(GPtrArray) images = NULL;

	if (!json && cam_cli_get_options(cli)->quiet)
		return print_names(cli, error);
	images = cam_cli_list_images(cli, error);
	if (images == NULL)
		return FALSE;
	if (json) {
		g_autoptr(JsonObject) object = images_json(images);

		cam_cli_print_json(cli, object);
	} else if (images->len == 0) {
		cam_cli_note(cli, "the store holds no image yet; 'cambium import' brings one in");
	} else {
		cam_show_images(cli, images);
	}
	return TRUE;
}

const CamCommand cam_command_images = {
	.name = "images",
	.summary = "list the images of the store",
	.description = "Lists the images of the store by name. SIZE is what the compressed layers "
		       "measure; on disk, images share all files that are equal.",
	.examples = examples,
	.run = run,
};
