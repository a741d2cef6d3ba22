/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium verify`: proves that the store is whole. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

#define VERIFY_SCHEMA "cambium.verify/v1"

typedef struct {
	gboolean repair;
} VerifyOptions;

static const CamOption options[] = {
	{ "repair", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(VerifyOptions, repair), NULL, NULL,
	  CAM_COMPLETE_NOTHING,
	  "forget what is damaged, so that importing the affected images again heals it" },
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium verify", "Re-creates every layer and compares it with its diffID." },
	{ "cambium verify --repair", "The same, and forgets what turned out to be damaged." },
	{ NULL },
};

static void
print_json(CamCli *cli, const CamVerifyResult *result)
{
	g_autoptr(JsonObject) object = json_object_new();
	JsonArray *problems = json_array_new();
	JsonArray *affected = json_array_new();

	for (guint i = 0; i < result->problems->len; i++) {
		const CamVerifyProblem *problem = g_ptr_array_index(result->problems, i);
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "subject", problem->subject);
		json_object_set_string_member(entry, "problem", problem->problem);
		json_array_add_object_element(problems, entry);
	}
	for (guint i = 0; i < result->affected->len; i++)
		json_array_add_string_element(affected, result->affected->pdata[i]);
	json_object_set_string_member(object, "schema", VERIFY_SCHEMA);
	json_object_set_int_member(object, "layers", result->layers);
	json_object_set_int_member(object, "objects", result->objects);
	json_object_set_int_member(object, "blobs", result->blobs);
	json_object_set_int_member(object, "images", result->images);
	json_object_set_array_member(object, "problems", problems);
	json_object_set_array_member(object, "affected", affected);
	json_object_set_boolean_member(object, "forgotten", result->forgotten);
	cam_cli_print_json(cli, object);
}

static void
print_table(CamCli *cli, const CamVerifyResult *result)
{
	static const char *const headings[] = { "SUBJECT", "PROBLEM", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);
	g_autofree char *summary = g_strdup_printf(
		"%u layers, %u objects, %u documents and %u images checked; %u problems\n",
		result->layers, result->objects, result->blobs, result->images,
		result->problems->len);

	for (guint i = 0; i < result->problems->len; i++) {
		const CamVerifyProblem *problem = g_ptr_array_index(result->problems, i);
		const char *row[] = { problem->subject, problem->problem, NULL };

		cam_table_add_row(table, row);
	}
	if (result->problems->len > 0)
		cam_show_table(cli, table);
	cam_cli_print(cli, summary);
}

/* What to do now, on standard error. */
static void
advise(CamCli *cli, const CamVerifyResult *result)
{
	if (result->problems->len == 0)
		return;
	if (!result->forgotten)
		cam_cli_warn(cli, "run `cambium verify --repair`, then import the affected images "
				  "again");
	for (guint i = 0; i < result->affected->len; i++)
		cam_cli_warn(cli, "affected: %s", (char *) result->affected->pdata[i]);
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const VerifyOptions *self = data;
	CamStore *store = cam_cli_get_store(cli, FALSE, error);
	g_auto(CamVerifyResult) result = { 0 };

	if (store == NULL || !cam_store_verify(store, self->repair, cam_cli_get_progress(cli),
					       &result, cam_cli_get_cancellable(cli), error))
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON)
		print_json(cli, &result);
	else
		print_table(cli, &result);
	advise(cli, &result);
	if (result.problems->len > 0)
		cam_cli_set_exit(cli, CAM_EXIT_FAILED);
	return TRUE;
}

const CamCommand cam_command_verify = {
	.name = "verify",
	.summary = "prove that the store is whole",
	.description =
		"Makes every layer anew and compares it with its diffID, hashes every object and "
		"document, and checks that each image has all it needs. Every problem is shown "
		"with the images that it affects; if there is one, the exit status is 1. With "
		"--repair what is damaged is forgotten: importing the affected images again "
		"fetches it anew.",
	.options = options,
	.options_size = sizeof(VerifyOptions),
	.examples = examples,
	.run = run,
};
