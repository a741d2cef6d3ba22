/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cambium verify`: proves that the store is whole. */
#include "plugin/cli/commands.h"

#include "plugin/cli/show.h"

#define VERIFY_SCHEMA "cambium.verify/v1"

typedef struct {
	CamSourceOptions source;
	gboolean repair;
} VerifyOptions;

static const CamOption options[] = {
	{ "repair", 0, CAM_OPTION_FLAG, G_STRUCT_OFFSET(VerifyOptions, repair), NULL, NULL,
	  CAM_COMPLETE_NOTHING,
	  "forget what is damaged, and fetch it again from where the images came from" },
	CAM_TRANSPORT_OPTIONS(VerifyOptions, source),
	{ NULL },
};

static const CamExample examples[] = {
	{ "cambium verify", "Re-creates every layer and compares it with its diffID." },
	{ "cambium verify --repair", "The same, and brings back what turned out to be damaged." },
	{ NULL },
};

static JsonArray *
texts(const GPtrArray *strings)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < strings->len; i++)
		json_array_add_string_element(array, strings->pdata[i]);
	return array;
}

static void
set_text(JsonObject *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_string_member(object, name, text);
	else
		json_object_set_null_member(object, name);
}

static JsonArray *
restored_array(const GPtrArray *restored)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; restored != NULL && i < restored->len; i++) {
		const CamRestored *outcome = g_ptr_array_index(restored, i);
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "subject", outcome->subject);
		set_text(entry, "source", outcome->source);
		set_text(entry, "problem", outcome->problem);
		json_array_add_object_element(array, entry);
	}
	return array;
}

static void
print_json(CamCli *cli, const CamVerifyResult *result, const GPtrArray *restored)
{
	g_autoptr(JsonObject) object = json_object_new();
	JsonArray *problems = json_array_new();

	for (guint i = 0; i < result->problems->len; i++) {
		const CamVerifyProblem *problem = g_ptr_array_index(result->problems, i);
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "subject", problem->subject);
		json_object_set_string_member(entry, "problem", problem->problem);
		json_object_set_array_member(entry, "paths", texts(problem->paths));
		json_object_set_array_member(entry, "images", texts(problem->images));
		json_array_add_object_element(problems, entry);
	}
	json_object_set_string_member(object, "schema", VERIFY_SCHEMA);
	json_object_set_int_member(object, "layers", result->layers);
	json_object_set_int_member(object, "objects", result->objects);
	json_object_set_int_member(object, "blobs", result->blobs);
	json_object_set_int_member(object, "images", result->images);
	json_object_set_int_member(object, "files", result->files);
	json_object_set_array_member(object, "problems", problems);
	json_object_set_array_member(object, "affected", texts(result->affected));
	json_object_set_boolean_member(object, "forgotten", result->forgotten);
	json_object_set_array_member(object, "restored", restored_array(restored));
	cam_cli_print_json(cli, object);
}

/* The problem, with the files that it is about: "etc/motd, usr/bin/x of shop:1". */
static char *
problem_text(const CamVerifyProblem *problem)
{
	GString *text = g_string_new(problem->problem);

	for (guint i = 0; i < problem->paths->len; i++)
		g_string_append_printf(text, "%s%s", i == 0 ? ": " : ", ",
				       (const char *) problem->paths->pdata[i]);
	for (guint i = 0; i < problem->images->len; i++)
		g_string_append_printf(text, "%s%s", i == 0 ? " of " : ", ",
				       (const char *) problem->images->pdata[i]);
	return g_string_free(text, FALSE);
}

static void
print_table(CamCli *cli, const CamVerifyResult *result)
{
	static const char *const headings[] = { "SUBJECT", "PROBLEM", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);
	g_autofree char *summary = g_strdup_printf(
		"%u layers, %u objects, %u documents, %u images and %u other files checked; "
		"%u problems\n",
		result->layers, result->objects, result->blobs, result->images, result->files,
		result->problems->len);

	for (guint i = 0; i < result->problems->len; i++) {
		const CamVerifyProblem *problem = g_ptr_array_index(result->problems, i);
		g_autofree char *text = problem_text(problem);
		const char *row[] = { problem->subject, text, NULL };

		cam_table_add_row(table, row);
	}
	if (result->problems->len > 0)
		cam_show_table(cli, table);
	cam_cli_print(cli, summary);
}

static void
tell_restored(CamCli *cli, const GPtrArray *restored)
{
	for (guint i = 0; i < restored->len; i++) {
		const CamRestored *outcome = g_ptr_array_index(restored, i);

		if (outcome->problem != NULL)
			cam_cli_warn(cli, "%s could not be repaired: %s", outcome->subject,
				     outcome->problem);
		else if (outcome->source != NULL)
			cam_cli_note(cli, "%s was repaired from %s", outcome->subject,
				     outcome->source);
		else
			cam_cli_note(cli, "%s was repaired with what the store has",
				     outcome->subject);
	}
}

/* What to do now, on standard error. */
static void
advise(CamCli *cli, const CamVerifyResult *result)
{
	if (result->problems->len == result->unmended || result->forgotten)
		return;
	cam_cli_warn(cli, "run 'cambium verify --repair'");
	for (guint i = 0; i < result->affected->len; i++)
		cam_cli_warn(cli, "affected: %s", (char *) result->affected->pdata[i]);
}

typedef struct {
	CamCli *cli;
	const CamSourceOptions *source;
} Filling;

static void
fill_transport(const CamLocation *source, CamTransportOptions *out, gpointer user_data)
{
	const Filling *filling = user_data;

	/* What cannot be reached is told when it is opened. */
	cam_cli_fill_transport(filling->cli, filling->source, source, out, NULL);
}

static gboolean
is_healed(const CamVerifyResult *result, const GPtrArray *restored)
{
	if ((result->problems->len > 0 && !result->forgotten) || result->unmended > 0)
		return FALSE;
	for (guint i = 0; restored != NULL && i < restored->len; i++)
		if (((const CamRestored *) g_ptr_array_index(restored, i))->problem != NULL)
			return FALSE;
	return TRUE;
}

/* Before anything is done: repairing an image of containerd's takes the full program. Without it
 * the others can still be repaired. */
static void
reach_sources(CamCli *cli)
{
	g_autoptr(GPtrArray) images = cam_cli_list_images(cli, NULL);

	for (guint i = 0; images != NULL && i < images->len; i++)
		cam_cli_reach_sources(cli, g_ptr_array_index(images, i), NULL);
}

static gboolean
run(CamCli *cli, gconstpointer data, const char *const *words, GError **error)
{
	const VerifyOptions *self = data;
	CamStore *store = cam_cli_get_store(cli, FALSE, error);
	g_auto(CamVerifyResult) result = { 0 };
	g_autoptr(GPtrArray) restored = NULL;
	Filling filling = { cli, &self->source };

	if (store != NULL && self->repair)
		reach_sources(cli);
	if (store == NULL || !cam_store_verify(store, self->repair, cam_cli_get_progress(cli),
					       &result, cam_cli_get_cancellable(cli), error))
		return FALSE;
	if (result.forgotten) {
		restored = cam_store_restore(store, &result, fill_transport, &filling,
					     cam_cli_get_progress(cli),
					     cam_cli_get_cancellable(cli), error);
		if (restored == NULL)
			return FALSE;
	}
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON)
		print_json(cli, &result, restored);
	else
		print_table(cli, &result);
	if (restored != NULL)
		tell_restored(cli, restored);
	advise(cli, &result);
	if (!is_healed(&result, restored))
		cam_cli_set_exit(cli, CAM_EXIT_FAILED);
	return TRUE;
}

const CamCommand cam_command_verify = {
	.name = "verify",
	.summary = "prove that the store is whole",
	.description =
		"Makes every layer anew and compares it with its diffID, hashes every object and "
		"document, reads every database of the store and what mounts keep there, and "
		"checks that each image has all it needs. Every problem is shown "
		"with the files and images that it affects; if there is one, the exit status is "
		"1.\n\n"
		"With --repair what is damaged is forgotten and fetched again: layers out of "
		"blobs that the store has itself, else from where the image was imported from. "
		"Only what is missing is fetched, and only if the source still holds that very "
		"image. A damaged database is not repaired: the problem says what to do. What "
		"could not "
		"be repaired is told with the reason; the exit status is 0 "
		"if all is whole again.",
	.options = options,
	.options_size = sizeof(VerifyOptions),
	.examples = examples,
	.run = run,
};
