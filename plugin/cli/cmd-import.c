/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium import`: a location's image into the store. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

typedef struct {
	CamSourceOptions source;
	const char *name;
	gboolean keep, allow_ambiguous;
} ImportOptions;

static const CamOption options[] = {
	{ "name", 'n', CAM_OPTION_TEXT, G_STRUCT_OFFSET(ImportOptions, name), "NAME", NULL,
	  CAM_COMPLETE_NOTHING, "what the image is called in the store (default: its own name)" },
	{ "keep", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(ImportOptions, keep), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "fail if the name stands for another image already" },
	{ "allow-ambiguous", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(ImportOptions, allow_ambiguous),
	  NULL, NULL, CAM_COMPLETE_NOTHING,
	  "take also layers that are refused as ambiguous, as containerd reads them (see "
	  "allow_ambiguous in cambium.conf(5))" },
	CAM_SOURCE_OPTIONS(ImportOptions, source),
	{ NULL },
};

static const CamArgument arguments[] = {
	{ "LOCATION", CAM_ARGUMENT_ONE, CAM_COMPLETE_FILE, NULL,
	  "where the image is: docker://HOST/REPOSITORY:TAG, containerd://NAMESPACE/NAME:TAG, "
	  "oci:DIRECTORY:TAG, oci-archive:FILE, docker-archive:FILE, or the path of such a "
	  "directory or file" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium import docker://registry.example.org/shop:1.0",
	  "From a registry. Layers that the store has are not fetched again." },
	{ "cambium import containerd://default/registry.example.org/shop:1.0",
	  "From containerd on this machine, without asking the registry." },
	{ "cambium import --name shop:1.0 ./layout:1.0",
	  "One image of an OCI layout, under a name." },
	{ "cambium import --platform linux/arm64 docker://registry.example.org/shop:1.0",
	  "Another architecture than the host's." },
	{ NULL },
};

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const ImportOptions *self = data;
	g_autoptr(CamLocation) location = cam_location_parse(words[0], error);
	g_autoptr(CamImage) image = NULL;

	if (location == NULL)
		return FALSE;
	if (location->transport == CAM_TRANSPORT_STORE)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "there is no file or directory %s; write docker://%s if it is "
				     "in a registry",
				     words[0], words[0]);
	image = cam_cli_import(cli, location, self->name, !self->keep, self->allow_ambiguous,
			       &self->source, error);
	if (image == NULL)
		return FALSE;
	return cam_show_image(cli, image, error);
}

const CamCommand cam_command_import = {
	.name = "import",
	.summary = "bring an image into the store",
	.description =
		"Reads an image from a registry, containerd, an OCI layout or an archive, "
		"verifies every digest, "
		"and streams its layers into the store. Files that the store has already are not "
		"written again, and layers that it has are not fetched again.\n\n"
		"The store keeps everything of a layer: 'cambium export --layer' gives the tar "
		"back "
		"bit for bit. An import that was interrupted can be run again and goes on with the "
		"layers that are missing.",
	.arguments = arguments,
	.options = options,
	.options_size = sizeof(ImportOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
