/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands `db …` share: reaching the database, and showing its sources. */
#include "plugin/cli/db-show.h"

#include "plugin/cli/show.h"

CamAdvisoryDb *
cam_cli_get_advisories(CamCli *cli, gboolean create, GError **error)
{
	CamScanEngine *engine;

	if (cam_cli_get_store(cli, create, error) == NULL)
		return NULL;
	engine = cam_cli_get_engine(cli, error);
	return engine != NULL ? cam_scan_engine_get_advisories(engine) : NULL;
}

char *
cam_cli_git_dir(CamCli *cli)
{
	CamStore *store = cam_cli_get_store(cli, FALSE, NULL);

	return g_build_filename(cam_store_get_path(store), "cache", "git", NULL);
}

const char *
cam_shrink_hint(const GError *problem)
{
	return g_error_matches(problem, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION)
		       ? "; --accept-shrink accepts it"
		       : "";
}

static gboolean
has_source(const GPtrArray *sources, const char *name)
{
	for (guint i = 0; i < sources->len; i++) {
		const CamAdvisorySource *source = g_ptr_array_index(sources, i);

		if (g_str_equal(source->name, name))
			return TRUE;
	}
	return FALSE;
}

gboolean
cam_check_source_names(CamAdvisoryDb *db, const char *const *names, const char *also,
		       GError **error)
{
	g_autoptr(GPtrArray) sources = cam_advisory_db_list_sources(db, error);

	if (sources == NULL)
		return FALSE;
	for (; *names != NULL; names++)
		if (!has_source(sources, *names) &&
		    (also == NULL || !g_str_has_prefix(*names, also)))
			return cam_set_error(error, CAM_ERROR_NOT_FOUND,
					     "there is no source '%s'; see 'cambium db status'",
					     *names);
	return TRUE;
}

static JsonObject *
source_json(const CamAdvisorySource *source)
{
	JsonObject *object = json_object_new();
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(source->date);
	g_autoptr(GDateTime) updated = g_date_time_new_from_unix_utc(source->updated);
	g_autofree char *date_text = date != NULL ? g_date_time_format_iso8601(date) : NULL;
	g_autofree char *updated_text =
		updated != NULL ? g_date_time_format_iso8601(updated) : NULL;

	json_object_set_string_member(object, "name", source->name);
	json_object_set_string_member(object, "kind", source->kind);
	if (source->url != NULL)
		json_object_set_string_member(object, "url", source->url);
	if (source->version != NULL)
		json_object_set_string_member(object, "version", source->version);
	if (source->date > 0 && date_text != NULL)
		json_object_set_string_member(object, "date", date_text);
	if (updated_text != NULL)
		json_object_set_string_member(object, "updated", updated_text);
	json_object_set_int_member(object, "records", (gint64) source->records);
	json_object_set_boolean_member(object, "completeness_unknown",
				       source->completeness_unknown);
	if (source->note != NULL)
		json_object_set_string_member(object, "note", source->note);
	return object;
}

static void
print_json(CamCli *cli, const GPtrArray *sources)
{
	g_autoptr(JsonObject) object = json_object_new();
	JsonArray *array = json_array_new();

	for (guint i = 0; i < sources->len; i++)
		json_array_add_object_element(array, source_json(g_ptr_array_index(sources, i)));
	json_object_set_string_member(object, "schema", CAM_DB_SCHEMA);
	json_object_set_array_member(object, "databases", array);
	cam_cli_print_json(cli, object);
}

static void
print_table(CamCli *cli, const GPtrArray *sources)
{
	static const char *const headings[] = {
		"SOURCE", "KIND", "RECORDS", "DATE", "UPDATED", NULL
	};
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < sources->len; i++) {
		const CamAdvisorySource *source = g_ptr_array_index(sources, i);
		g_autofree char *records = g_strdup_printf("%" G_GUINT64_FORMAT, source->records);
		g_autofree char *date = cam_show_time(source->date);
		g_autofree char *updated = cam_show_time(source->updated);
		const char *row[] = { source->name, source->kind, records, date, updated, NULL };

		cam_table_add_row(table, row);
	}
	cam_show_table(cli, table);
	for (guint i = 0; i < sources->len; i++) {
		const CamAdvisorySource *source = g_ptr_array_index(sources, i);

		if (source->note != NULL)
			cam_cli_note(cli, "%s: %s", source->name, source->note);
	}
}

gboolean
cam_show_advisory_sources(CamCli *cli, CamAdvisoryDb *db, GError **error)
{
	g_autoptr(GPtrArray) sources = cam_advisory_db_list_sources(db, error);

	if (sources == NULL)
		return FALSE;
	if (cam_cli_get_format(cli) == CAM_FORMAT_JSON)
		print_json(cli, sources);
	else if (sources->len > 0)
		print_table(cli, sources);
	else
		cam_cli_note(cli,
			     "the advisory database is empty; 'cambium db update' fills it for the "
			     "images of the store, 'cambium db import' from a feed");
	return TRUE;
}

void
cam_note_feed(CamCli *cli, const char *name, const CamFeedResult *result)
{
	cam_cli_note(cli,
		     "%s: %" G_GUINT64_FORMAT " records added, %" G_GUINT64_FORMAT
		     " changed, %" G_GUINT64_FORMAT " removed, %" G_GUINT64_FORMAT " as before",
		     name, result->added, result->changed, result->removed, result->unchanged);
	if (result->malformed > 0)
		cam_cli_warn(cli,
			     "%s: %" G_GUINT64_FORMAT " records are malformed and were left out",
			     name, result->malformed);
}
