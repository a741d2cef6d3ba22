/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The images of a host as table and as JSON. What they are is found out by cmd-host.c. */
#include "plugin/cli/host-view.h"

#include <string.h>

#include "plugin/cli/show.h"

/* How many repairs of repairs are looked for. */
#define MAX_FIXES 9

/* Containers that the table names; more are counted, unless --verbose. */
#define SHOWN_CONTAINERS 3

void
cam_host_row_free(CamHostRow *self)
{
	if (self == NULL)
		return;
	g_free(self->stored);
	g_free(self->fix);
	g_free(self->problem);
	g_free(self);
}

char *
cam_host_location(const CamHostImage *image)
{
	return g_strdup_printf("containerd://%s/%s", image->name_space, image->name);
}

char *
cam_host_find_fix(const char *name, const char *suffix, GHashTable *names)
{
	g_autoptr(CamReference) reference = cam_reference_parse(name, NULL);
	g_autofree char *found = NULL;

	for (guint attempt = 0; reference != NULL && attempt < MAX_FIXES; attempt++) {
		g_autoptr(CamReference) fix = cam_fix_name(reference, suffix, attempt, NULL);
		g_autofree char *text = fix != NULL ? cam_reference_to_string(fix) : NULL;

		if (text == NULL || !g_hash_table_contains(names, text))
			continue;
		g_free(found);
		found = g_steal_pointer(&text);
	}
	return g_steal_pointer(&found);
}

/* ---- JSON ---- */

static void
set_text(JsonObject *object, const char *member, const char *text)
{
	if (text != NULL)
		json_object_set_string_member(object, member, text);
	else
		json_object_set_null_member(object, member);
}

static JsonArray *
containers_to_json(const GPtrArray *containers)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < containers->len; i++) {
		const CamHostContainer *container = g_ptr_array_index(containers, i);
		JsonObject *object = json_object_new();

		json_object_set_string_member(object, "id", container->id);
		json_object_set_string_member(object, "status", container->status);
		json_object_set_string_member(object, "snapshotter", container->snapshotter);
		json_object_set_boolean_member(object, "snapshotter_is_cambium", container->ours);
		json_object_set_boolean_member(object, "outdated", container->outdated);
		json_array_add_object_element(array, object);
	}
	return array;
}

static JsonObject *
counts_to_json(const CamHostRow *row)
{
	JsonObject *object = json_object_new();

	for (int severity = CAM_SEVERITY_CRITICAL; severity >= CAM_SEVERITY_UNKNOWN; severity--) {
		if (severity != CAM_SEVERITY_NONE)
			json_object_set_int_member(object,
						   cam_severity_name((CamSeverity) severity),
						   row->counts[severity]);
	}
	return object;
}

static JsonObject *
row_to_json(const CamHostRow *row)
{
	g_autofree char *location = cam_host_location(row->image);
	JsonObject *object = json_object_new();
	JsonArray *unpacked = json_array_new();

	for (guint i = 0; row->image->unpacked[i] != NULL; i++)
		json_array_add_string_element(unpacked, row->image->unpacked[i]);
	json_object_set_string_member(object, "namespace", row->image->name_space);
	json_object_set_string_member(object, "name", row->image->name);
	json_object_set_string_member(object, "location", location);
	json_object_set_string_member(object, "digest", row->image->digest);
	set_text(object, "chain_id", row->image->chain_id);
	set_text(object, "stored_as", row->stored);
	json_object_set_boolean_member(object, "scanned", row->scanned);
	set_text(object, "risk_level", row->scanned ? cam_severity_name(row->risk) : NULL);
	if (row->scanned) {
		json_object_set_object_member(object, "counts", counts_to_json(row));
		json_object_set_int_member(object, "not_judged", row->n_unjudged);
	}
	set_text(object, "problem", row->problem);
	json_object_set_array_member(object, "containers",
				     containers_to_json(row->image->containers));
	json_object_set_array_member(object, "unpacked", unpacked);
	set_text(object, "fix", row->fix);
	return object;
}

JsonObject *
cam_host_to_json(const GPtrArray *rows, const char *address)
{
	JsonObject *object = json_object_new();
	JsonArray *images = json_array_new();

	for (guint i = 0; i < rows->len; i++)
		json_array_add_object_element(images, row_to_json(g_ptr_array_index(rows, i)));
	json_object_set_string_member(object, "schema", CAM_HOST_SCHEMA);
	json_object_set_string_member(object, "containerd", address);
	json_object_set_array_member(object, "images", images);
	return object;
}

/* ---- table ---- */

static const char *
risk_text(const CamHostRow *row)
{
	if (row->problem != NULL)
		return "cannot be scanned";
	return row->scanned ? cam_severity_name(row->risk) : "not scanned";
}

static char *
containers_text(const GPtrArray *containers, gboolean verbose)
{
	GString *text = g_string_new(NULL);
	guint shown = verbose ? containers->len : MIN(containers->len, SHOWN_CONTAINERS);

	for (guint i = 0; i < shown; i++) {
		const CamHostContainer *container = g_ptr_array_index(containers, i);

		g_string_append_printf(text, "%s%s (%s%s)", i > 0 ? ", " : "", container->id,
				       container->status,
				       container->outdated ? ", older image" : "");
	}
	if (shown < containers->len)
		g_string_append_printf(text, " and %u more", containers->len - shown);
	return g_string_free(text, FALSE);
}

/* Those of its containers, else those that have it unpacked. */
static char *
snapshotters_text(const CamHostImage *image)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < image->containers->len; i++) {
		const CamHostContainer *container = g_ptr_array_index(image->containers, i);

		if (!g_ptr_array_find_with_equal_func(names, container->snapshotter, g_str_equal,
						      NULL))
			g_ptr_array_add(names, container->snapshotter);
	}
	if (names->len == 0)
		return g_strjoinv(", ", image->unpacked);
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **) names->pdata);
}

/* In the table the repair's tag says it all. */
static const char *
fix_text(const CamHostRow *row)
{
	const char *colon = row->fix != NULL ? strrchr(row->fix, ':') : NULL;

	return colon != NULL ? colon + 1 : row->fix;
}

char *
cam_host_to_table(const GPtrArray *rows, const CamTableStyle *style)
{
	static const char *const headings[] = { "NAMESPACE",  "NAME",	     "DIGEST", "RISK",
						"CONTAINERS", "SNAPSHOTTER", "FIX",    NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < rows->len; i++) {
		const CamHostRow *row = g_ptr_array_index(rows, i);
		g_autofree char *digest = cam_show_short_digest(row->image->digest);
		g_autofree char *containers =
			containers_text(row->image->containers, style->verbose);
		g_autofree char *snapshotters = snapshotters_text(row->image);
		const char *cells[] = { row->image->name_space,
					row->image->name,
					digest,
					risk_text(row),
					*containers != '\0' ? containers : "-",
					*snapshotters != '\0' ? snapshotters : "-",
					row->fix != NULL ? fix_text(row) : "-",
					NULL };

		cam_table_add_row(table, cells);
	}
	return cam_table_format(table, style);
}
