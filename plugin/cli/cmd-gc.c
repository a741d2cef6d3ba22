/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium gc`: frees what no image needs any more. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

#define GC_SCHEMA "cambium.gc/v1"

typedef struct {
	gboolean dry_run;
} GcOptions;

static const CamOption options[] = {
	{ "dry-run", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(GcOptions, dry_run), NULL, NULL,
	  CAM_COMPLETE_NOTHING, "only say what would be freed" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium gc --dry-run", "What would be freed?" },
	{ "cambium gc", "Frees it." },
	{ NULL },
};

static void
print_json(CamCli *cli, const CamGcResult *result, gboolean dry_run)
{
	g_autoptr(JsonObject) object = json_object_new();

	json_object_set_string_member(object, "schema", GC_SCHEMA);
	json_object_set_boolean_member(object, "dry_run", dry_run);
	json_object_set_int_member(object, "layers", result->layers);
	json_object_set_int_member(object, "rootfs", result->rootfs);
	json_object_set_int_member(object, "blobs", result->blobs);
	json_object_set_int_member(object, "objects", (gint64) result->objects);
	json_object_set_int_member(object, "bytes", (gint64) result->bytes);
	cam_cli_print_json(cli, object);
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const GcOptions *self = data;
	CamStore *store = cam_cli_get_store(cli, FALSE, error);
	CamGcResult result = { 0 };
	g_autofree char *size = NULL, *text = NULL;

	if (store == NULL || !cam_store_gc(store, self->dry_run, cam_cli_get_progress(cli), &result,
					   cam_cli_get_cancellable(cli), error))
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON) {
		print_json(cli, &result, self->dry_run);
		return TRUE;
	}
	size = g_format_size(result.bytes);
	text = g_strdup_printf("%s %s: %u layers, %u merged trees, %u documents, %" G_GUINT64_FORMAT
			       " objects\n",
			       self->dry_run ? "would free" : "freed", size, result.layers,
			       result.rootfs, result.blobs, result.objects);
	cam_cli_print(cli, text);
	return TRUE;
}

const CamCommand cam_command_gc = {
	.name = "gc",
	.summary = "free what no image needs",
	.description =
		"Removes layers, merged trees, documents and files that no image, no lease and "
		"no running operation needs. Operations that are running are waited for.",
	.options = options,
	.options_size = sizeof(GcOptions),
	.examples = examples,
	.run = run,
};
