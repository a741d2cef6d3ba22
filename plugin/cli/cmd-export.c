/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium export`: an image to a location, or one layer's tar to standard output. */
#include "plugin/cli/commands.h"

#include <unistd.h>

#include "plugin/cli/show.h"

#define EXPORT_SCHEMA "cambium.export/v1"

static const char *const compressions[] = { "keep", "gzip", "zstd", "none", NULL };

typedef struct {
	CamSourceOptions transport;
	const char *layer, *tag;
	int compression; /* 0 or 1 + index, which is CamExportCompression */
	gboolean replace;
} ExportOptions;

static const CamOption options[] = {
	{ "layer", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(ExportOptions, layer), "DIFFID", NULL,
	  CAM_COMPLETE_NOTHING, "write this layer's uncompressed tar to standard output" },
	{ "tag", 0, CAM_OPTION_TEXT, G_STRUCT_OFFSET(ExportOptions, tag), "TAG", NULL,
	  CAM_COMPLETE_NOTHING, "name it so at the destination" },
	{ "replace", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(ExportOptions, replace), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "replace a tag that stands for another image there" },
	{ "compression", 0, CAM_OPTION_CHOICE, G_STRUCT_OFFSET(ExportOptions, compression), "HOW",
	  compressions, CAM_COMPLETE_CHOICES, "of layers that must be made anew" },
	CAM_TRANSPORT_OPTIONS(ExportOptions, transport),
	{ NULL },
};

static const CamArgument arguments[] = {
	{ "IMAGE", CAM_ARGUMENT_OPTIONAL, CAM_COMPLETE_IMAGE, NULL, "a name in the store" },
	{ "DESTINATION", CAM_ARGUMENT_OPTIONAL, CAM_COMPLETE_FILE, NULL,
	  "oci:DIRECTORY:TAG, oci-archive:FILE, docker-archive:FILE, docker://HOST/NAME:TAG or "
	  "containerd://NAMESPACE/NAME:TAG" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium export shop:1.0_fix oci:./layout:1.0_fix", "To an OCI layout." },
	{ "cambium export shop:1.0_fix docker://registry.example.org/shop:1.0_fix",
	  "To a registry; layers that are there are not sent." },
	{ "cambium export shop:1.0 docker-archive:shop.tar", "To a file for 'docker load'." },
	{ "cambium export shop:1.0_fix containerd://k8s.io/registry.example.org/shop:1.0_fix",
	  "To this machine's containerd, where the kubelet finds it." },
	{ "cambium export --layer sha256:2f0e… | sha256sum",
	  "One layer, bit for bit: the sum is its diffID." },
	{ NULL },
};

static gboolean
export_layer(CamCli *cli, CamStore *store, const char *diff_id, GError **error)
{
	g_autoptr(GInputStream) stream = NULL;

	if (isatty(STDOUT_FILENO))
		return cam_cli_usage_error(
			cli, error, "a layer is not for a terminal; send it to a file or a pipe");
	stream = cam_store_open_layer(store, diff_id, error);
	return stream != NULL && cam_cli_copy_to_stdout(cli, stream, error);
}

static void
print_result(CamCli *cli, const CamImage *image, const char *where, const CamExportResult *result)
{
	g_autofree char *size = g_format_size(result->bytes_sent);
	g_autofree char *text = NULL;

	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		g_autoptr(JsonObject) object = json_object_new();

		json_object_set_string_member(object, "schema", EXPORT_SCHEMA);
		json_object_set_string_member(object, "name", image->name);
		json_object_set_string_member(object, "destination", where);
		json_object_set_string_member(object, "digest", result->manifest_digest);
		json_object_set_boolean_member(object, "rewritten", result->rewritten);
		json_object_set_int_member(object, "layers_sent", result->layers_sent);
		json_object_set_int_member(object, "layers_present", result->layers_present);
		json_object_set_int_member(object, "layers_copied", result->layers_copied);
		json_object_set_int_member(object, "bytes_sent", (gint64) result->bytes_sent);
		cam_cli_print_json(cli, object);
		return;
	}
	text = g_strdup_printf("%s\n%s\n", where, result->manifest_digest);
	cam_cli_print(cli, text);
	cam_cli_note(cli, "%u layers sent (%s), %u copied, %u were there", result->layers_sent,
		     size, result->layers_copied, result->layers_present);
	if (result->rewritten)
		cam_cli_note(cli, "layers were compressed anew, so the manifest is not %s",
			     image->manifest->digest);
}

static gboolean
export_image(CamCli *cli, CamStore *store, const ExportOptions *self, const char *const *words,
	     GError **error)
{
	g_autoptr(CamImage) image = cam_store_get_image(store, words[0], error);
	g_autoptr(CamLocation) location = NULL;
	g_autofree char *where = NULL;
	g_auto(CamExportResult) result = { 0 };
	CamExportOptions export = {
		.tag = self->tag,
		.replace = self->replace,
		.compression = self->compression == 0
				       ? CAM_EXPORT_KEEP
				       : (CamExportCompression) (self->compression - 1),
	};

	if (image == NULL)
		return FALSE;
	location = cam_location_parse(words[1], error);
	if (location == NULL)
		return FALSE;
	if (location->transport == CAM_TRANSPORT_STORE)
		return cam_cli_usage_error(cli, error,
					   "%s does not say what to write: begin it with oci:, "
					   "oci-archive:, docker-archive:, docker:// or "
					   "containerd://",
					   words[1]);
	if (!cam_cli_fill_transport(cli, &self->transport, location, &export.transport, error) ||
	    !cam_cli_reach_sources(cli, image, error))
		return FALSE;
	if (!cam_image_export(store, image, location, &export, cam_cli_get_progress(cli), &result,
			      cam_cli_get_cancellable(cli), error))
		return FALSE;
	where = cam_location_to_string(location);
	print_result(cli, image, where, &result);
	return TRUE;
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const ExportOptions *self = data;
	CamStore *store;

	if (self->layer != NULL ? words[0] != NULL : words[0] == NULL || words[1] == NULL)
		return cam_cli_usage_error(
			cli, error, "say an image and a destination, or --layer DIFFID alone");
	store = cam_cli_get_store(cli, FALSE, error);
	if (store == NULL)
		return FALSE;
	return self->layer != NULL ? export_layer(cli, store, self->layer, error)
				   : export_image(cli, store, self, words, error);
}

const CamCommand cam_command_export = {
	.name = "export",
	.summary = "write an image to a location, or one layer to a pipe",
	.description =
		"Writes an image to a registry, an OCI layout or an archive. A layer that the "
		"destination has is not sent. Where the compressed form of a layer is no longer at "
		"hand it is made anew, which changes the manifest's digest but neither the config "
		"nor "
		"the diffIDs; this is said.\n\n"
		"With --layer, the uncompressed tar of one layer goes to standard output, exactly "
		"as "
		"it came into the store.",
	.arguments = arguments,
	.options = options,
	.options_size = sizeof(ExportOptions),
	.examples = examples,
	.holds_store = TRUE,
	.run = run,
};
