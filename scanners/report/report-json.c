/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports as JSON: the published, versioned forms that README.md of this folder documents member by
 * member. A change that takes away or redefines a member raises the version in the schema's name.
 */
#include "scanners/report/report.h"

#include "scanners/report/conclusion.h"
#include "scanners/report/json-text.h"

static void
set_time(JsonObject *object, const char *member, gint64 seconds)
{
	g_autoptr(GDateTime) time = seconds > 0 ? g_date_time_new_from_unix_utc(seconds) : NULL;
	g_autofree char *text = time != NULL ? g_date_time_format(time, "%FT%TZ") : NULL;

	cam_json_set_text(object, member, text);
}

static JsonObject *
layer_to_json(const CamLayerLabel *layer)
{
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "diff_id", layer->diff_id);
	cam_json_set_text(object, "created_by", layer->created_by);
	return object;
}

static void
set_layer(JsonObject *object, const GPtrArray *layers, int layer)
{
	if (layers != NULL && layer >= 0 && (guint) layer < layers->len)
		json_object_set_object_member(object, "layer", layer_to_json(layers->pdata[layer]));
	else
		json_object_set_null_member(object, "layer");
}

static JsonObject *
image_to_json(const CamScanResult *result)
{
	JsonObject *object = json_object_new();
	JsonArray *layers = json_array_new();

	cam_json_set_text(object, "reference", result->reference);
	cam_json_set_text(object, "digest", result->digest);
	cam_json_set_text(object, "platform", result->platform);
	for (guint i = 0; i < result->layers->len; i++)
		json_array_add_object_element(layers, layer_to_json(result->layers->pdata[i]));
	json_object_set_array_member(object, "layers", layers);
	return object;
}

static JsonObject *
os_to_json(const CamScanResult *result)
{
	static const char *const supports[] = {
		[CAM_SUPPORT_UNKNOWN] = "unknown",
		[CAM_SUPPORT_FULL] = "full",
		[CAM_SUPPORT_LTS] = "long-term",
		[CAM_SUPPORT_END_OF_LIFE] = "end-of-life",
	};
	const CamOsRelease *os = result->os;
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "id", os->id);
	cam_json_set_text(object, "version_id", os->version_id);
	cam_json_set_text(object, "codename", os->codename);
	cam_json_set_text(object, "pretty_name", os->pretty_name);
	cam_json_set_text(object, "ecosystem", os->ecosystem);
	cam_json_set_text(object, "based_on", os->based_on);
	cam_json_set_text(object, "support", supports[result->support]);
	cam_json_set_text(object, "end_of_life", os->end_of_life);
	cam_json_set_text(object, "end_of_lts", os->end_of_lts);
	return object;
}

static JsonObject *
counts_to_json(const CamScanResult *result)
{
	JsonObject *object = json_object_new();

	for (int severity = CAM_SEVERITY_CRITICAL; severity >= CAM_SEVERITY_UNKNOWN; severity--)
		json_object_set_int_member(object, cam_severity_name(severity),
					   result->counts[severity]);
	return object;
}

static JsonArray *
databases_to_json(const CamScanResult *result)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < result->databases->len; i++) {
		const CamAdvisorySource *source = result->databases->pdata[i];
		JsonObject *object = json_object_new();

		cam_json_set_text(object, "name", source->name);
		cam_json_set_text(object, "kind", source->kind);
		cam_json_set_text(object, "version", source->version);
		set_time(object, "date", source->date);
		set_time(object, "updated", source->updated);
		json_object_set_int_member(object, "records", source->records);
		json_object_set_boolean_member(object, "completeness_unknown",
					       source->completeness_unknown);
		cam_json_set_text(object, "note", source->note);
		json_array_add_object_element(array, object);
	}
	return array;
}

JsonObject *
cam_report_finding_to_json(const CamFinding *finding, const GPtrArray *layers)
{
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "kind", cam_finding_kind_name(finding->kind));
	cam_json_set_text(object, "id", finding->id);
	cam_json_set_texts(object, "aliases", finding->aliases);
	cam_json_set_text(object, "title", finding->title);
	cam_json_set_text(object, "severity", cam_severity_name(finding->severity));
	if (finding->score >= 0)
		json_object_set_double_member(object, "score", finding->score);
	else
		json_object_set_null_member(object, "score");
	cam_json_set_text(object, "package", finding->package);
	cam_json_set_text(object, "source_package", finding->source_package);
	cam_json_set_text(object, "architecture", finding->architecture);
	cam_json_set_text(object, "installed_version", finding->installed_version);
	cam_json_set_text(object, "fixed_version", finding->fixed_version);
	cam_json_set_text(object, "state", cam_finding_state_name(finding->state));
	set_layer(object, layers, finding->layer);
	cam_json_set_texts(object, "references", finding->references);
	cam_json_set_text(object, "source", finding->source);
	cam_json_set_text(object, "suggestion", finding->suggestion);
	return object;
}

static JsonObject *
package_to_json(const CamPackage *package, const CamScanResult *result)
{
	g_autofree char *purl =
		cam_package_get_purl(package, result->os->id, result->os->version_id);
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "name", package->name);
	cam_json_set_text(object, "version", package->version);
	cam_json_set_text(object, "architecture", package->architecture);
	cam_json_set_text(object, "source_package", package->source_name);
	cam_json_set_text(object, "source_version", package->source_version);
	json_object_set_boolean_member(object, "held", package->held);
	json_object_set_boolean_member(object, "essential", package->essential);
	cam_json_set_text(object, "multi_arch", package->multi_arch);
	cam_json_set_text(object, "origin", package->origin);
	cam_json_set_text(object, "purl", purl);
	cam_json_set_text(object, "path", package->path);
	set_layer(object, result->layers, package->layer);
	return object;
}

static void
set_warnings(JsonObject *object, const CamScanResult *result)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < result->warnings->len; i++) {
		g_autofree char *valid = g_utf8_make_valid(result->warnings->pdata[i], -1);

		json_array_add_string_element(array, valid);
	}
	json_object_set_array_member(object, "warnings", array);
}

/* ---- the two axes, and what they speak of ---- */

static JsonObject *
acceptance_to_json(const CamUnjudged *unjudged)
{
	JsonObject *object = json_object_new();

	cam_json_set_text(object, "name", unjudged->accepted_by);
	cam_json_set_text(object, "reason", unjudged->accepted_because);
	cam_json_set_text(object, "until", unjudged->accepted_until);
	return object;
}

static JsonObject *
unjudged_to_json(const CamUnjudged *unjudged)
{
	JsonObject *object = json_object_new();
	JsonArray *packages = json_array_new();

	cam_json_set_text(object, "source_package", unjudged->source_package);
	cam_json_set_text(object, "source_version", unjudged->source_version);
	for (guint i = 0; i < unjudged->packages->len; i++)
		json_array_add_string_element(packages, unjudged->packages->pdata[i]);
	json_object_set_array_member(object, "packages", packages);
	cam_json_set_text(object, "origin", unjudged->origin);
	cam_json_set_text(object, "reason", unjudged->reason);
	set_time(object, "looked_at", unjudged->looked_at);
	if (unjudged->accepted_by != NULL)
		json_object_set_object_member(object, "accepted_by", acceptance_to_json(unjudged));
	else
		json_object_set_null_member(object, "accepted_by");
	return object;
}

static JsonObject *
coverage_to_json(const CamScanResult *result)
{
	guint open = result->n_unjudged + result->n_accepted;
	JsonObject *object = json_object_new();
	JsonArray *unjudged = json_array_new();

	json_object_set_int_member(object, "packages", result->packages->len);
	json_object_set_int_member(object, "judged", result->packages->len - open);
	json_object_set_int_member(object, "not_judged", result->n_unjudged);
	json_object_set_int_member(object, "accepted", result->n_accepted);
	for (guint i = 0; i < result->unjudged->len; i++)
		json_array_add_object_element(unjudged,
					      unjudged_to_json(result->unjudged->pdata[i]));
	json_object_set_array_member(object, "unjudged", unjudged);
	return object;
}

static void
set_axes(JsonObject *object, const CamScanResult *result)
{
	JsonObject *fixes = json_object_new(), *unfixed = json_object_new();
	g_autofree char *conclusion = cam_conclusion_text(result);

	json_object_set_boolean_member(fixes, "judged", result->tally.fixes_judged);
	json_object_set_int_member(fixes, "pending", cam_tally_count_pending(&result->tally));
	json_object_set_object_member(object, "fixes", fixes);
	json_object_set_boolean_member(unfixed, "judged", result->tally.unfixed_judged);
	json_object_set_int_member(unfixed, "count", cam_tally_count_unfixed(&result->tally));
	json_object_set_object_member(object, "unfixed", unfixed);
	json_object_set_boolean_member(object, "no_risks", cam_conclusion_is_no_risks(result));
	cam_json_set_text(object, "conclusion", conclusion);
	json_object_set_object_member(object, "coverage", coverage_to_json(result));
}

JsonObject *
cam_report_to_json(const CamScanResult *result)
{
	JsonObject *object = json_object_new();
	JsonArray *findings = json_array_new();

	cam_json_set_text(object, "schema", CAM_REPORT_SCHEMA);
	json_object_set_object_member(object, "image", image_to_json(result));
	json_object_set_object_member(object, "os", os_to_json(result));
	cam_json_set_text(object, "risk_level", cam_severity_name(result->risk));
	set_axes(object, result);
	json_object_set_object_member(object, "counts", counts_to_json(result));
	json_object_set_int_member(object, "left_out", result->left_out);
	json_object_set_array_member(object, "databases", databases_to_json(result));
	set_warnings(object, result);
	for (guint i = 0; i < result->findings->len; i++)
		json_array_add_object_element(
			findings,
			cam_report_finding_to_json(result->findings->pdata[i], result->layers));
	json_object_set_array_member(object, "findings", findings);
	return object;
}

JsonObject *
cam_report_packages_to_json(const CamScanResult *result)
{
	JsonObject *object = json_object_new();
	JsonArray *packages = json_array_new();

	cam_json_set_text(object, "schema", CAM_PACKAGES_SCHEMA);
	json_object_set_object_member(object, "image", image_to_json(result));
	json_object_set_object_member(object, "os", os_to_json(result));
	set_warnings(object, result);
	for (guint i = 0; i < result->packages->len; i++)
		json_array_add_object_element(packages,
					      package_to_json(result->packages->pdata[i], result));
	json_object_set_array_member(object, "packages", packages);
	return object;
}
