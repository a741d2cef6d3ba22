/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a fix did, as table and as JSON. The plan inside is printed by rebuild/plan itself. */
#include "plugin/cli/fix-report.h"

#define SHOWN_UNEXPLAINED 5

static const char *
method_name(CamApplyMethod method)
{
	switch (method) {
	case CAM_APPLY_AUTO:
		return "auto";
	case CAM_APPLY_SANDBOX:
		return "sandbox";
	case CAM_APPLY_GRAFT:
		return "graft";
	}
	g_assert_not_reached();
}

static void
set_optional(JsonObject *object, const char *member, const char *value)
{
	if (value != NULL)
		json_object_set_string_member(object, member, value);
}

static JsonObject *
counts_json(const CamScanResult *scan)
{
	JsonObject *object = json_object_new();
	JsonObject *counts = json_object_new();

	for (guint s = CAM_SEVERITY_UNKNOWN; s <= CAM_SEVERITY_CRITICAL; s++)
		json_object_set_int_member(counts, cam_severity_name(s), scan->counts[s]);
	json_object_set_string_member(object, "risk_level", cam_severity_name(scan->risk));
	json_object_set_int_member(object, "findings", scan->findings->len);
	json_object_set_object_member(object, "counts", counts);
	return object;
}

static JsonArray *
still_open_json(const CamFixResult *result)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; result->still_open != NULL && i < result->still_open->len; i++) {
		const CamFinding *finding = g_ptr_array_index(result->still_open, i);
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "id", finding->id);
		json_object_set_string_member(entry, "package", finding->package);
		json_object_set_string_member(entry, "installed_version",
					      finding->installed_version);
		json_array_add_object_element(array, entry);
	}
	return array;
}

static JsonArray *
unexplained_json(const CamFixResult *result)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < result->unexplained->len; i++) {
		const CamLayerDoubt *doubt = result->unexplained->pdata[i];
		g_autofree char *path = g_utf8_make_valid(doubt->path, -1);
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "path", path);
		json_object_set_string_member(entry, "reason", doubt->reason);
		json_array_add_object_element(array, entry);
	}
	return array;
}

JsonObject *
cam_fix_report_to_json(const CamImage *before, const CamFixResult *result)
{
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "schema", CAM_FIX_SCHEMA);
	json_object_set_string_member(object, "image", before->name);
	json_object_set_string_member(object, "digest", before->manifest->digest);
	json_object_set_boolean_member(object, "unchanged", result->unchanged);
	json_object_set_boolean_member(object, "reused", result->reused);
	json_object_set_string_member(object, "method", method_name(result->method));
	if (result->image != NULL) {
		json_object_set_string_member(object, "fixed_image", result->image->name);
		json_object_set_string_member(object, "fixed_digest",
					      result->image->manifest->digest);
	}
	if (result->layer_diff_id != NULL) {
		JsonObject *layer = json_object_new();

		json_object_set_string_member(layer, "diff_id", result->layer_diff_id);
		set_optional(layer, "digest", result->layer_digest);
		json_object_set_int_member(layer, "size", (gint64) result->layer_size);
		json_object_set_object_member(object, "layer", layer);
	}
	set_optional(object, "written_to", result->written_to);
	if (result->before != NULL)
		json_object_set_object_member(object, "before", counts_json(result->before));
	if (result->after != NULL)
		json_object_set_object_member(object, "after", counts_json(result->after));
	if (result->plan != NULL)
		json_object_set_object_member(object, "plan", cam_fix_plan_to_json(result->plan));
	json_object_set_array_member(object, "still_open", still_open_json(result));
	json_object_set_array_member(object, "unexplained", unexplained_json(result));
	return object;
}

static void
append_comparison(GString *out, const CamFixResult *result, const CamTableStyle *style)
{
	static const char *const headings[] = { "",	  "RISK", "CRITICAL", "HIGH",
						"MEDIUM", "LOW",  "UNKNOWN",  NULL };
	static const CamSeverity shown[] = { CAM_SEVERITY_CRITICAL, CAM_SEVERITY_HIGH,
					     CAM_SEVERITY_MEDIUM, CAM_SEVERITY_LOW,
					     CAM_SEVERITY_UNKNOWN };
	const CamScanResult *scans[] = { result->before, result->after };
	g_autoptr(CamTable) table = cam_table_new(headings);
	g_autofree char *text = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(scans); i++) {
		char *counts[G_N_ELEMENTS(shown)];
		const char *row[G_N_ELEMENTS(shown) + 3] = { i == 0 ? "before" : "after" };

		if (scans[i] == NULL)
			continue;
		row[1] = cam_severity_name(scans[i]->risk);
		for (guint s = 0; s < G_N_ELEMENTS(shown); s++)
			row[s + 2] = counts[s] = g_strdup_printf("%u", scans[i]->counts[shown[s]]);
		cam_table_add_row(table, row);
		for (guint s = 0; s < G_N_ELEMENTS(shown); s++)
			g_free(counts[s]);
	}
	text = cam_table_format(table, style);
	g_string_append(out, text);
}

char *
cam_fix_report_to_table(const CamImage *before, const CamFixResult *result,
			const CamTableStyle *style)
{
	GString *out = g_string_new(NULL);
	g_autofree char *plan = NULL;
	g_autofree char *size = g_format_size(result->layer_size);

	if (result->plan != NULL) {
		plan = cam_fix_plan_to_table(result->plan, style);
		g_string_append(out, plan);
		g_string_append_c(out, '\n');
	}
	if (result->unchanged) {
		g_string_append_printf(out, "%s: there is nothing %sto fix\n", before->name,
				       cam_fix_report_is_incomplete(result) ? "that can be done "
									    : "");
		return g_string_free(out, FALSE);
	}
	g_string_append_printf(out, "%s → %s\n", before->name, result->image->name);
	g_string_append_printf(out, "  manifest  %s\n", result->image->manifest->digest);
	if (result->layer_digest != NULL)
		g_string_append_printf(out, "  new layer %s (%s)\n", result->layer_digest, size);
	if (result->written_to != NULL)
		g_string_append_printf(out, "  written   %s\n", result->written_to);
	g_string_append_c(out, '\n');
	append_comparison(out, result, style);
	return g_string_free(out, FALSE);
}

/* ---- the last lines ---- */

static guint
count_cause(const CamFixPlan *plan, CamOpenCause cause)
{
	guint n = 0;

	for (guint i = 0; i < plan->unfixable->len; i++)
		n += ((const CamUnfixable *) plan->unfixable->pdata[i])->cause == cause;
	return n;
}

/* (nullable): what to do about findings of that cause. */
static const char *
advice(CamOpenCause cause)
{
	switch (cause) {
	case CAM_OPEN_HELD:
		return "release it in the image with 'apt-mark unhold PACKAGE' and fix again";
	case CAM_OPEN_DEPENDENCIES:
		return "'--verbose' names what stands against each; '--all' moves other packages "
		       "too";
	case CAM_OPEN_METHOD:
		return "an image without a package manager needs a newer base image; for others "
		       "run "
		       "'cambium fix' as root, where bubblewrap is installed";
	case CAM_OPEN_NO_FIX:
	case CAM_OPEN_PAID:
	case CAM_OPEN_NOT_OFFERED:
	case CAM_OPEN_OTHER_ORIGIN:
	case CAM_OPEN_END_OF_LIFE:
	case CAM_OPEN_NOT_OURS:
	case CAM_N_OPEN_CAUSES:
		break;
	}
	return NULL;
}

gboolean
cam_fix_report_is_incomplete(const CamFixResult *result)
{
	return result->still_open->len > 0 || result->plan->given_up > 0 ||
	       cam_fix_plan_count_available(result->plan) > 0;
}

static void
append_unexplained(GString *out, const CamFixResult *result)
{
	guint n = result->unexplained->len;

	if (n == 0)
		return;
	g_string_append_printf(out, "%u path%s of the new layer %s explained by no package:\n", n,
			       n == 1 ? "" : "s", n == 1 ? "is" : "are");
	for (guint i = 0; i < MIN(n, SHOWN_UNEXPLAINED); i++) {
		const CamLayerDoubt *doubt = result->unexplained->pdata[i];
		g_autofree char *path = g_strescape(doubt->path, NULL);

		g_string_append_printf(out, "  /%s: %s\n", path, doubt->reason);
	}
	if (n > SHOWN_UNEXPLAINED)
		g_string_append_printf(out, "  and %u more: '--format json' has all\n",
				       n - SHOWN_UNEXPLAINED);
}

char *
cam_fix_report_conclusion(const CamFixResult *result)
{
	const CamFixPlan *plan = result->plan;
	guint available = cam_fix_plan_count_available(plan);
	guint others = plan->unfixable->len - available;
	GString *out = g_string_new(NULL);

	append_unexplained(out, result);
	if (result->before != NULL && result->before->n_unjudged > 0)
		g_string_append_printf(out,
				       "%u of %u packages are not judged: whether they need a fix "
				       "is not known\n",
				       result->before->n_unjudged, result->before->packages->len);
	if (others > 0)
		g_string_append_printf(out, "%u finding%s cannot be fixed from these sources\n",
				       others, others == 1 ? "" : "s");
	if (plan->given_up > 0)
		g_string_append_printf(out, "%u planned package%s %s left as %s\n", plan->given_up,
				       plan->given_up == 1 ? "" : "s",
				       plan->given_up == 1 ? "is" : "are",
				       plan->given_up == 1 ? "it is" : "they are");
	if (available > 0)
		g_string_append_printf(
			out, "%u finding%s stay%s open that these sources have a version for:\n",
			available, available == 1 ? "" : "s", available == 1 ? "s" : "");
	for (guint cause = 0; cause < CAM_N_OPEN_CAUSES; cause++)
		if (advice(cause) != NULL && count_cause(plan, cause) > 0)
			g_string_append_printf(out, "  %u: %s; %s\n", count_cause(plan, cause),
					       cam_open_cause_describe(cause), advice(cause));
	return g_string_free(out, FALSE);
}
