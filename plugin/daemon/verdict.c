/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is remembered of a scan: as much as a decision and its text need. */
#include "plugin/daemon/verdict.h"

#include <string.h>

static void
finding_free(CamVerdictFinding *self)
{
	g_free(self->id);
	g_free(self->package);
	g_free(self->installed);
	g_free(self->fixed);
	g_free(self);
}

CamVerdict *
cam_verdict_new(void)
{
	CamVerdict *self = g_new0(CamVerdict, 1);

	self->top = g_ptr_array_new_with_free_func((GDestroyNotify) finding_free);
	return self;
}

void
cam_verdict_free(CamVerdict *self)
{
	if (self == NULL)
		return;
	g_free(self->name_space);
	g_free(self->name);
	g_free(self->target);
	g_free(self->manifest_digest);
	g_free(self->config_digest);
	g_free(self->chain_id);
	g_free(self->store_name);
	g_free(self->database);
	g_ptr_array_unref(self->top);
	g_free(self);
}

static void
add_finding(CamVerdict *self, const char *id, const char *package, const char *installed,
	    const char *fixed, CamSeverity severity)
{
	CamVerdictFinding *finding = g_new(CamVerdictFinding, 1);

	*finding = (CamVerdictFinding){ g_strdup(id), g_strdup(package), g_strdup(installed),
					g_strdup(fixed), severity };
	g_ptr_array_add(self->top, finding);
}

void
cam_verdict_set_result(CamVerdict *self, const CamScanResult *result, const char *database)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	self->scanned_at = g_get_real_time();
	g_free(self->database);
	self->database = g_strdup(database);
	self->level = result->risk;
	memcpy(self->counts, result->counts, sizeof(self->counts));
	g_ptr_array_set_size(self->top, 0);
	for (guint i = 0; i < result->findings->len && self->top->len < CAM_VERDICT_TOP; i++) {
		const CamFinding *f = g_ptr_array_index(result->findings, i);
		const char *source = f->source_package != NULL ? f->source_package : f->package;

		if (source == NULL || g_hash_table_add(seen, (gpointer) source))
			add_finding(self, f->id, f->package, f->installed_version, f->fixed_version,
				    f->severity);
	}
}

char *
cam_verdict_counts_text(const CamVerdict *self)
{
	static const CamSeverity order[] = { CAM_SEVERITY_CRITICAL, CAM_SEVERITY_HIGH,
					     CAM_SEVERITY_MEDIUM,   CAM_SEVERITY_LOW,
					     CAM_SEVERITY_NONE,	    CAM_SEVERITY_UNKNOWN };
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
		if (self->counts[order[i]] > 0)
			g_string_append_printf(text, "%s%u %s%s", text->len > 0 ? ", " : "",
					       self->counts[order[i]],
					       order[i] == CAM_SEVERITY_UNKNOWN ? "of " : "",
					       order[i] == CAM_SEVERITY_NONE
						       ? "harmless"
						       : cam_severity_name(order[i]));
		if (self->counts[order[i]] > 0 && order[i] == CAM_SEVERITY_UNKNOWN)
			g_string_append(text, " severity");
	}
	if (text->len == 0)
		g_string_append(text, "no findings");
	return g_string_free(text, FALSE);
}

char *
cam_verdict_top_to_json(const CamVerdict *self)
{
	g_autoptr(JsonArray) array = json_array_new();
	g_autoptr(JsonNode) root = json_node_init_array(json_node_alloc(), array);

	for (guint i = 0; i < self->top->len; i++) {
		const CamVerdictFinding *finding = g_ptr_array_index(self->top, i);
		JsonObject *object = json_object_new();

		cam_json_set_text(object, "id", finding->id);
		cam_json_set_text(object, "package", finding->package);
		cam_json_set_text(object, "installed", finding->installed);
		cam_json_set_text(object, "fixed", finding->fixed);
		cam_json_set_text(object, "severity", cam_severity_name(finding->severity));
		json_array_add_object_element(array, object);
	}
	return json_to_string(root, FALSE);
}

void
cam_verdict_top_from_json(CamVerdict *self, const char *json)
{
	g_autoptr(JsonNode) root = json_from_string(json, NULL);
	JsonArray *array =
		root != NULL && JSON_NODE_HOLDS_ARRAY(root) ? json_node_get_array(root) : NULL;

	g_ptr_array_set_size(self->top, 0);
	for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);
		JsonObject *object =
			JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
		CamSeverity severity = CAM_SEVERITY_UNKNOWN;

		if (object == NULL)
			continue;
		cam_severity_parse(
			json_object_get_string_member_with_default(object, "severity", ""),
			&severity);
		add_finding(self, json_object_get_string_member_with_default(object, "id", NULL),
			    json_object_get_string_member_with_default(object, "package", NULL),
			    json_object_get_string_member_with_default(object, "installed", NULL),
			    json_object_get_string_member_with_default(object, "fixed", NULL),
			    severity);
	}
}
