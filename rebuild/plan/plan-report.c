/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns how a plan is shown: the published JSON and the tables, from the one model.
 */
#include "rebuild/plan/fix-plan.h"

#define SHOWN_PACKAGES 3 /* of one cause */

/* ---- JSON ---- */

static void
add_string(JsonObject *object, const char *member, const char *value)
{
	if (value)
		json_object_set_string_member(object, member, value);
	else
		json_object_set_null_member(object, member);
}

static char *
format_date(gint64 seconds)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);

	return seconds > 0 && date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

static JsonArray *
strings_to_json(char **strings)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; strings && strings[i]; i++)
		json_array_add_string_element(array, strings[i]);
	return array;
}

static JsonObject *
package_to_json(const CamPlannedPackage *package)
{
	JsonObject *object = json_object_new();

	add_string(object, "name", package->name);
	add_string(object, "architecture", package->architecture);
	add_string(object, "source_package", package->source_name);
	add_string(object, "from", package->from);
	add_string(object, "to", package->to);
	add_string(object, "reason", package->reason);
	json_object_set_boolean_member(object, "security", package->security);
	json_object_set_array_member(object, "closes", strings_to_json(package->closes));
	add_string(object, "suite", package->origin ? package->origin->suite : NULL);
	add_string(object, "filename", package->filename);
	add_string(object, "sha256", package->sha256);
	json_object_set_int_member(object, "size", package->size);
	return object;
}

static JsonObject *
unfixable_to_json(const CamUnfixable *unfixable)
{
	const CamFinding *finding = unfixable->finding;
	JsonObject *object = json_object_new();

	add_string(object, "id", finding->id);
	add_string(object, "severity", cam_severity_name(finding->severity));
	add_string(object, "package", finding->package);
	add_string(object, "source_package", finding->source_package);
	add_string(object, "installed_version", finding->installed_version);
	add_string(object, "fixed_version", finding->fixed_version);
	add_string(object, "reason", unfixable->reason);
	add_string(object, "cause", cam_open_cause_name(unfixable->cause));
	json_object_set_boolean_member(object, "available",
				       cam_open_cause_is_available(unfixable->cause));
	return object;
}

static JsonObject *
release_to_json(const CamAptRelease *release)
{
	JsonObject *object = json_object_new();
	g_autofree char *uri = cam_plan_public_uri(release->source);
	g_autofree char *date = format_date(release->date);
	g_autofree char *valid_until = format_date(release->valid_until);
	g_auto(GStrv) keys = g_strsplit(release->signers ? release->signers : "", " ", -1);

	add_string(object, "uri", uri);
	add_string(object, "suite", release->source->suite);
	add_string(object, "codename", release->codename);
	json_object_set_boolean_member(object, "security",
				       cam_apt_source_is_security(release->source));
	add_string(object, "date", date);
	add_string(object, "valid_until", valid_until);
	add_string(object, "provenance", cam_apt_provenance_name(release->source->provenance));
	add_string(object, "named_by", release->source->origin);
	json_object_set_array_member(object, "keys", strings_to_json(keys));
	return object;
}

JsonObject *
cam_fix_plan_to_json(const CamFixPlan *self)
{
	JsonObject *object = json_object_new();
	JsonArray *packages = json_array_new(), *unfixable = json_array_new();
	JsonArray *releases = json_array_new(), *warnings = json_array_new();
	g_autofree char *epoch = format_date(self->epoch);

	for (guint i = 0; i < self->packages->len; i++)
		json_array_add_object_element(packages, package_to_json(self->packages->pdata[i]));
	for (guint i = 0; i < self->unfixable->len; i++)
		json_array_add_object_element(unfixable,
					      unfixable_to_json(self->unfixable->pdata[i]));
	for (guint i = 0; i < self->releases->len; i++)
		json_array_add_object_element(releases, release_to_json(self->releases->pdata[i]));
	for (guint i = 0; i < self->warnings->len; i++)
		json_array_add_string_element(warnings, self->warnings->pdata[i]);
	add_string(object, "schema", CAM_PLAN_SCHEMA);
	add_string(object, "ecosystem", self->ecosystem);
	add_string(object, "epoch", epoch);
	json_object_set_int_member(object, "download_size", (gint64) self->download_size);
	json_object_set_array_member(object, "packages", packages);
	json_object_set_array_member(object, "unfixable", unfixable);
	json_object_set_array_member(object, "repositories", releases);
	json_object_set_array_member(object, "warnings", warnings);
	return object;
}

/* ---- tables ---- */

static void
append_packages(const CamFixPlan *self, const CamTableStyle *style, GString *out)
{
	static const char *const headings[] = { "PACKAGE", "INSTALLED", "PLANNED",
						"FROM",	   "WHY",	NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < self->packages->len; i++) {
		const CamPlannedPackage *package = self->packages->pdata[i];
		const char *const values[] = {
			package->name,	 package->from ? package->from : "(new)",
			package->to,	 package->origin ? package->origin->suite : "",
			package->reason, NULL
		};

		cam_table_add_row(table, values);
	}

	g_autofree char *text = cam_table_format(table, style);
	g_autofree char *size = g_format_size(self->download_size);

	g_string_append(out, text);
	g_string_append_printf(out, "%u package%s to install, %s to download\n",
			       self->packages->len, self->packages->len == 1 ? "" : "s", size);
}

/* Every finding by itself. */
static void
append_each_unfixable(const CamFixPlan *self, const CamTableStyle *style, GString *out)
{
	static const char *const headings[] = { "NOT FIXABLE", "SEVERITY", "PACKAGE",
						"INSTALLED",   "WHY",	   NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < self->unfixable->len; i++) {
		const CamUnfixable *unfixable = self->unfixable->pdata[i];
		const CamFinding *finding = unfixable->finding;
		const char *const values[] = {
			finding->id,
			cam_severity_name(finding->severity),
			finding->package ? finding->package : "",
			finding->installed_version ? finding->installed_version : "",
			unfixable->reason,
			NULL,
		};

		cam_table_add_row(table, values);
	}

	g_autofree char *text = cam_table_format(table, style);

	g_string_append(out, text);
}

/* "openssl, nginx, perl and 4 more" */
static char *
list_packages(const CamFixPlan *self, CamOpenCause cause, guint *findings)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GString *out = g_string_new(NULL);

	*findings = 0;
	for (guint i = 0; i < self->unfixable->len; i++) {
		const CamUnfixable *unfixable = self->unfixable->pdata[i];
		const CamFinding *finding = unfixable->finding;
		const char *name = finding->package ? finding->package : finding->id;

		if (unfixable->cause != cause)
			continue;
		++*findings;
		if (g_hash_table_add(seen, (gpointer) name) &&
		    g_hash_table_size(seen) <= SHOWN_PACKAGES)
			g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
	}
	if (g_hash_table_size(seen) > SHOWN_PACKAGES)
		g_string_append_printf(out, " and %u more",
				       g_hash_table_size(seen) - SHOWN_PACKAGES);
	return g_string_free(out, FALSE);
}

/* One line for each cause. */
static void
append_causes(const CamFixPlan *self, const CamTableStyle *style, GString *out)
{
	static const char *const headings[] = { "NOT FIXED", "PACKAGES", "WHY", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint cause = 0; cause < CAM_N_OPEN_CAUSES; cause++) {
		guint findings;
		g_autofree char *packages = list_packages(self, cause, &findings);
		g_autofree char *count = g_strdup_printf("%u", findings);
		const char *const values[] = { count, packages, cam_open_cause_describe(cause),
					       NULL };

		if (findings > 0)
			cam_table_add_row(table, values);
	}

	g_autofree char *text = cam_table_format(table, style);

	g_string_append(out, text);
}

char *
cam_fix_plan_to_table(const CamFixPlan *self, const CamTableStyle *style)
{
	GString *out = g_string_new(NULL);

	if (self->packages->len)
		append_packages(self, style, out);
	else
		g_string_append(out, "nothing to install\n");
	if (self->unfixable->len) {
		g_string_append_c(out, '\n');
		if (style->verbose)
			append_each_unfixable(self, style, out);
		else
			append_causes(self, style, out);
	}
	for (guint i = 0; i < self->warnings->len; i++) {
		g_autofree char *warning = cam_text_escape(self->warnings->pdata[i]);

		g_string_append_printf(out, "%swarning: %s\n", i ? "" : "\n", warning);
	}
	return g_string_free(out, FALSE);
}
