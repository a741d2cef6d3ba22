/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium verify`: proves that the store is whole. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

#define VERIFY_SCHEMA "cambium.verify/v1"

static const CamExample examples[] = {
	{ "cambium verify", "Re-creates every layer and compares it with its diffID." },
	{ NULL },
};

static void
print_json(CamCli *cli, guint n_checked, const GPtrArray *problems)
{
	g_autoptr(JsonObject) object = json_object_new();
	JsonArray *array = json_array_new();

	for (guint i = 0; i < problems->len; i++) {
		const CamVerifyProblem *problem = g_ptr_array_index(problems, i);
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "subject", problem->subject);
		json_object_set_string_member(entry, "problem", problem->problem);
		json_object_set_string_member(entry, "repair", problem->repair);
		json_array_add_object_element(array, entry);
	}
	json_object_set_string_member(object, "schema", VERIFY_SCHEMA);
	json_object_set_int_member(object, "checked", n_checked);
	json_object_set_array_member(object, "problems", array);
	cam_cli_print_json(cli, object);
}

static void
print_table(CamCli *cli, guint n_checked, const GPtrArray *problems)
{
	static const char *const headings[] = { "SUBJECT", "PROBLEM", "REPAIR", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);
	g_autofree char *summary =
		g_strdup_printf("%u checked, %u problems\n", n_checked, problems->len);

	for (guint i = 0; i < problems->len; i++) {
		const CamVerifyProblem *problem = g_ptr_array_index(problems, i);
		const char *row[] = { problem->subject, problem->problem, problem->repair, NULL };

		cam_table_add_row(table, row);
	}
	if (problems->len > 0)
		cam_show_table(cli, table);
	cam_cli_print(cli, summary);
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	CamStore *store = cam_cli_get_store(cli, FALSE, error);
	g_autoptr(GPtrArray) problems = NULL;
	guint n_checked = 0;

	if (store == NULL || !cam_store_verify(store, cam_cli_get_progress(cli), &n_checked,
					       &problems, cam_cli_get_cancellable(cli), error))
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON)
		print_json(cli, n_checked, problems);
	else
		print_table(cli, n_checked, problems);
	if (problems->len > 0)
		cam_cli_set_exit(cli, CAM_EXIT_FAILED);
	return TRUE;
}

const CamCommand cam_command_verify = {
	.name = "verify",
	.summary = "prove that the store is whole",
	.description =
		"Makes every layer anew and compares it with its diffID, hashes every object and "
		"document, and checks that each image has all it needs. Every problem is shown "
		"with what to do about it; if there is one, the exit status is 1.",
	.examples = examples,
	.run = run,
};
