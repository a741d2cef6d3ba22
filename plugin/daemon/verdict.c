/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is remembered of a scan: as much as a decision and its text need. */
#include "plugin/daemon/verdict.h"

#include "plugin/look-up.h"

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

	self->unjudged = g_ptr_array_new_with_free_func((GDestroyNotify) cam_unjudged_free);
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
	g_ptr_array_unref(self->unjudged);
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

static void
add_unjudged(CamVerdict *self, const CamUnjudged *unjudged)
{
	CamUnjudged *copy = cam_unjudged_new(unjudged->source_package, unjudged->source_version,
					     unjudged->reason);

	copy->looked_at = unjudged->looked_at;
	for (guint i = 0; i < unjudged->packages->len; i++)
		cam_unjudged_add_package(copy, unjudged->packages->pdata[i], unjudged->origin);
	g_ptr_array_add(self->unjudged, copy);
}

static void
set_top(CamVerdict *self, const GPtrArray *findings)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	g_ptr_array_set_size(self->top, 0);
	for (guint i = 0; i < findings->len && self->top->len < CAM_VERDICT_TOP; i++) {
		const CamFinding *f = g_ptr_array_index(findings, i);
		const char *source = f->source_package != NULL ? f->source_package : f->package;

		if (source == NULL || g_hash_table_add(seen, (gpointer) source))
			add_finding(self, f->id, f->package, f->installed_version,
				    f->state == CAM_STATE_FIXED ? f->fixed_version : NULL,
				    f->severity);
	}
}

void
cam_verdict_set_result(CamVerdict *self, const CamScanResult *result, const char *database)
{
	guint n = MIN(result->unjudged->len, CAM_VERDICT_MAX_UNJUDGED);

	self->scanned_at = g_get_real_time();
	g_free(self->database);
	self->database = g_strdup(database);
	self->level = result->risk;
	self->tally = result->tally;
	self->n_packages = result->packages->len;
	self->whole = result->packages->len > 0 && result->problems->len == 0 &&
		      result->os != NULL && result->os->ecosystem != NULL &&
		      n == result->unjudged->len;
	g_ptr_array_set_size(self->unjudged, 0);
	for (guint i = 0; i < n; i++)
		add_unjudged(self, g_ptr_array_index(result->unjudged, i));
	set_top(self, result->findings);
}

gboolean
cam_verdict_wants_look_up(const CamVerdict *self)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	if (self->scanned_at == 0 || !self->whole)
		return FALSE;
	for (guint i = 0; i < self->unjudged->len; i++)
		if (cam_look_up_is_due(g_ptr_array_index(self->unjudged, i), now))
			return TRUE;
	return FALSE;
}

guint
cam_verdict_count_unjudged(const CamVerdict *self)
{
	guint n = 0;

	for (guint i = 0; i < self->unjudged->len; i++)
		n += ((const CamUnjudged *) self->unjudged->pdata[i])->packages->len;
	return n;
}

static guint
count_severity(const CamVerdict *self, CamSeverity severity)
{
	guint end = self->tally.end_of_life && severity == CAM_SEVERITY_OF_END_OF_LIFE ? 1 : 0;

	return self->tally.pending[severity] + self->tally.unfixed[severity] + end;
}

char *
cam_verdict_counts_text(const CamVerdict *self)
{
	static const CamSeverity order[] = { CAM_SEVERITY_CRITICAL, CAM_SEVERITY_HIGH,
					     CAM_SEVERITY_MEDIUM,   CAM_SEVERITY_LOW,
					     CAM_SEVERITY_NONE,	    CAM_SEVERITY_UNKNOWN };
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
		guint n = count_severity(self, order[i]);

		if (n == 0)
			continue;
		g_string_append_printf(text, "%s%u ", text->len > 0 ? ", " : "", n);
		if (order[i] == CAM_SEVERITY_UNKNOWN)
			g_string_append(text, "of unknown severity");
		else if (order[i] == CAM_SEVERITY_NONE)
			g_string_append(text, "harmless");
		else
			g_string_append(text, cam_severity_name(order[i]));
	}
	if (text->len == 0)
		g_string_append(text, "no findings");
	return g_string_free(text, FALSE);
}

/* ---- as JSON ---- */

static JsonArray *
counts_to_json(const guint *counts)
{
	JsonArray *array = json_array_new();

	for (int severity = CAM_SEVERITY_UNKNOWN; severity <= CAM_SEVERITY_CRITICAL; severity++)
		json_array_add_int_element(array, counts[severity]);
	return array;
}

static JsonArray *
top_to_json(const CamVerdict *self)
{
	JsonArray *array = json_array_new();

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
	return array;
}

static JsonArray *
unjudged_to_json(const CamVerdict *self)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < self->unjudged->len; i++) {
		const CamUnjudged *unjudged = g_ptr_array_index(self->unjudged, i);
		JsonObject *object = json_object_new();
		JsonArray *packages = json_array_new();

		cam_json_set_text(object, "source", unjudged->source_package);
		cam_json_set_text(object, "version", unjudged->source_version);
		cam_json_set_text(object, "origin", unjudged->origin);
		cam_json_set_text(object, "reason", unjudged->reason);
		json_object_set_int_member(object, "looked_at", unjudged->looked_at);
		for (guint p = 0; p < unjudged->packages->len; p++)
			json_array_add_string_element(packages, unjudged->packages->pdata[p]);
		json_object_set_array_member(object, "packages", packages);
		json_array_add_object_element(array, object);
	}
	return array;
}

char *
cam_verdict_to_json(const CamVerdict *self)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);

	json_object_set_array_member(object, "pending", counts_to_json(self->tally.pending));
	json_object_set_array_member(object, "unfixed", counts_to_json(self->tally.unfixed));
	json_object_set_boolean_member(object, "end_of_life", self->tally.end_of_life);
	json_object_set_boolean_member(object, "fixes_judged", self->tally.fixes_judged);
	json_object_set_boolean_member(object, "unfixed_judged", self->tally.unfixed_judged);
	json_object_set_boolean_member(object, "whole", self->whole);
	json_object_set_int_member(object, "packages", self->n_packages);
	json_object_set_array_member(object, "unjudged", unjudged_to_json(self));
	json_object_set_array_member(object, "top", top_to_json(self));
	return json_to_string(root, FALSE);
}

/* (nullable) */
static JsonArray *
get_array(JsonObject *object, const char *member)
{
	JsonNode *node = json_object_get_member(object, member);

	return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

/* (nullable) */
static const char *
get_text(JsonObject *object, const char *member)
{
	JsonNode *node = json_object_get_member(object, member);

	return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

/* (nullable) */
static JsonObject *
get_element(JsonArray *array, guint i)
{
	JsonNode *node = json_array_get_element(array, i);

	return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static gboolean
counts_from_json(JsonObject *object, const char *member, guint *counts)
{
	JsonArray *array = get_array(object, member);

	if (array == NULL || json_array_get_length(array) != CAM_SEVERITY_CRITICAL + 1)
		return FALSE;
	for (guint i = 0; i <= CAM_SEVERITY_CRITICAL; i++)
		counts[i] = (guint) json_array_get_int_element(array, i);
	return TRUE;
}

static gboolean
top_from_json(CamVerdict *self, JsonObject *object)
{
	JsonArray *array = get_array(object, "top");

	for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
		JsonObject *one = get_element(array, i);
		CamSeverity severity = CAM_SEVERITY_UNKNOWN;

		if (one == NULL || get_text(one, "severity") == NULL ||
		    !cam_severity_parse(get_text(one, "severity"), &severity))
			return FALSE;
		add_finding(self, get_text(one, "id"), get_text(one, "package"),
			    get_text(one, "installed"), get_text(one, "fixed"), severity);
	}
	return array != NULL;
}

static gboolean
unjudged_from_json(CamVerdict *self, JsonObject *object)
{
	JsonArray *array = get_array(object, "unjudged");

	for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
		JsonObject *one = get_element(array, i);
		JsonArray *packages = one != NULL ? get_array(one, "packages") : NULL;
		CamUnjudged *unjudged;

		if (packages == NULL || get_text(one, "source") == NULL ||
		    get_text(one, "version") == NULL || get_text(one, "reason") == NULL)
			return FALSE;
		unjudged = cam_unjudged_new(get_text(one, "source"), get_text(one, "version"),
					    get_text(one, "reason"));
		g_ptr_array_add(self->unjudged, unjudged);
		unjudged->looked_at = json_object_get_int_member_with_default(one, "looked_at", 0);
		for (guint p = 0; p < json_array_get_length(packages); p++)
			cam_unjudged_add_package(unjudged,
						 json_array_get_string_element(packages, p),
						 get_text(one, "origin"));
	}
	return array != NULL;
}

gboolean
cam_verdict_from_json(CamVerdict *self, const char *json)
{
	g_autoptr(JsonNode) root = json_from_string(json, NULL);
	JsonObject *object =
		root != NULL && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;

	g_ptr_array_set_size(self->unjudged, 0);
	g_ptr_array_set_size(self->top, 0);
	if (object == NULL || !counts_from_json(object, "pending", self->tally.pending) ||
	    !counts_from_json(object, "unfixed", self->tally.unfixed) ||
	    !unjudged_from_json(self, object) || !top_from_json(self, object))
		return FALSE;
	/* What is missing counts as the worse of both. */
	self->tally.end_of_life =
		json_object_get_boolean_member_with_default(object, "end_of_life", TRUE);
	self->tally.fixes_judged =
		json_object_get_boolean_member_with_default(object, "fixes_judged", FALSE);
	self->tally.unfixed_judged =
		json_object_get_boolean_member_with_default(object, "unfixed_judged", FALSE);
	self->whole = json_object_get_boolean_member_with_default(object, "whole", FALSE);
	self->n_packages = (guint) json_object_get_int_member_with_default(object, "packages", 0);
	return TRUE;
}
