/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison of two images as people read it: what moved, what that closed, and what nobody can
 * explain. The same model as JSON makes it.
 */
#include "rebuild/diff/image-diff.h"

static void
append_title(GString *out, const CamTableStyle *style, const char *text)
{
	g_string_append_printf(out, style->colour ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

static void
append_table(GString *out, CamTable *table, const CamTableStyle *style)
{
	g_autofree char *text = cam_table_format(table, style);

	g_string_append_printf(out, "%s\n", text);
}

static void
append_packages(GString *out, const CamImageDiff *self, const CamTableStyle *style)
{
	static const char *const headings[] = {
		"PACKAGE", "ARCH", "BEFORE", "AFTER", "SOURCE", NULL
	};
	g_autoptr(CamTable) table = cam_table_new(headings);
	g_autofree char *title = g_strdup_printf("Packages: %u changed", self->packages->len);

	append_title(out, style, title);
	for (guint i = 0; i < self->packages->len; i++) {
		const CamPackageChange *change = self->packages->pdata[i];
		const char *values[] = { change->name, change->architecture,
					 change->before != NULL ? change->before : "-",
					 change->after != NULL ? change->after : "-",
					 change->source_name };

		cam_table_add_row(table, values);
	}
	if (self->packages->len > 0)
		append_table(out, table, style);
	else
		g_string_append_c(out, '\n');
}

static void
append_findings(GString *out, const char *label, const GPtrArray *findings,
		const CamTableStyle *style)
{
	static const char *const headings[] = { "SEVERITY", "ID",    "PACKAGE",
						"VERSION",  "FIXED", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < findings->len; i++) {
		const CamFinding *finding = findings->pdata[i];
		const char *values[] = { cam_severity_name(finding->severity), finding->id,
					 finding->package, finding->installed_version,
					 finding->fixed_version };

		cam_table_add_row(table, values);
	}
	append_title(out, style, label);
	append_table(out, table, style);
}

static void
append_vulnerabilities(GString *out, const CamImageDiff *self, const CamTableStyle *style)
{
	g_autofree char *title =
		g_strdup_printf("Findings: %u closed, %u remaining, %u introduced",
				self->closed->len, self->remaining->len, self->introduced->len);

	append_title(out, style, title);
	g_string_append_c(out, '\n');
	if (self->introduced->len > 0)
		append_findings(out, "Introduced", self->introduced, style);
	if (self->remaining->len > 0)
		append_findings(out, "Remaining", self->remaining, style);
	if (style->verbose && self->closed->len > 0)
		append_findings(out, "Closed", self->closed, style);
}

static const char *
kind_text(const CamPathChange *change, char **storage)
{
	static const char *const aspects[] = { "type", "content", "mode", "owner", "xattrs" };
	g_autoptr(GString) text = g_string_new("changed");

	switch (change->kind) {
	case CAM_CHANGE_ADDED:
		return "added";
	case CAM_CHANGE_REMOVED:
		return "removed";
	case CAM_CHANGE_MODIFIED:
		break;
	}
	for (guint i = 0; i < G_N_ELEMENTS(aspects); i++)
		if ((change->aspects & (1u << i)) != 0)
			g_string_append_printf(text, " %s", aspects[i]);
	return *storage = g_string_free(g_steal_pointer(&text), FALSE);
}

static void
append_paths(GString *out, const CamImageDiff *self, const CamTableStyle *style, gboolean explained)
{
	static const char *const headings[] = { "PATH", "CHANGE", "WHY", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < self->paths->len; i++) {
		const CamPathChange *change = self->paths->pdata[i];
		g_autofree char *kind = NULL, *path = NULL, *why = NULL;

		if ((change->reason != NULL) != explained)
			continue;
		path = g_strconcat("/", change->path, change->is_directory ? "/" : "", NULL);
		if (change->package != NULL)
			why = g_strdup_printf("%s (%s)", change->reason, change->package);
		else
			why = g_strdup(explained	      ? change->reason
				       : change->note != NULL ? change->note
							      : "nothing explains it");
		cam_table_add_row(table, (const char *[]){ path, kind_text(change, &kind), why });
	}
	append_table(out, table, style);
}

/* How many paths each reason explains: what people look at before they look at paths. */
static void
append_reasons(GString *out, const CamImageDiff *self, const CamTableStyle *style)
{
	static const char *const headings[] = { "PATHS", "EXPLAINED AS", NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GList) reasons = NULL;

	for (guint i = 0; i < self->paths->len; i++) {
		char *reason = ((CamPathChange *) self->paths->pdata[i])->reason;

		if (reason != NULL)
			g_hash_table_insert(
				counts, reason,
				GUINT_TO_POINTER(
					GPOINTER_TO_UINT(g_hash_table_lookup(counts, reason)) + 1));
	}
	reasons = g_list_sort(g_hash_table_get_keys(counts), (GCompareFunc) g_strcmp0);
	for (GList *l = reasons; l != NULL; l = l->next) {
		g_autofree char *count = g_strdup_printf(
			"%u", GPOINTER_TO_UINT(g_hash_table_lookup(counts, l->data)));

		cam_table_add_row(table, (const char *[]){ count, l->data });
	}
	cam_table_align_right(table, 0);
	if (reasons != NULL)
		append_table(out, table, style);
}

char *
cam_image_diff_to_table(const CamImageDiff *self, const CamTableStyle *style)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *names = g_strdup_printf("%s → %s", self->before, self->after);
	g_autofree char *escaped = cam_text_escape(names), *paths = NULL;

	append_title(out, style, escaped);
	g_string_append_c(out, '\n');
	append_packages(out, self, style);
	append_vulnerabilities(out, self, style);
	paths = g_strdup_printf(
		"Paths: %u changed, %u unexplained (%" G_GUINT64_FORMAT
		" directories compared, %" G_GUINT64_FORMAT " equal ones skipped with all below)",
		self->paths->len, self->unexplained, self->trees_compared, self->trees_skipped);
	append_title(out, style, paths);
	append_reasons(out, self, style);
	if (self->unexplained > 0) {
		append_title(out, style, "Unexplained");
		append_paths(out, self, style, FALSE);
	}
	if (style->verbose)
		append_paths(out, self, style, TRUE);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
