/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was not judged, for people: one paragraph a cause. */
#include "scanners/report/unjudged-table.h"

#include "scanners/report/text.h"

#define SHOWN_NAMES 12 /* without --verbose */

static void
append_paragraph(GString *out, const char *head, const GPtrArray *names, const CamTableStyle *style)
{
	g_autoptr(GString) text = g_string_new(head);
	guint shown = style->verbose ? names->len : MIN(names->len, SHOWN_NAMES);
	g_autofree char *escaped = NULL;

	for (guint i = 0; i < shown; i++)
		g_string_append_printf(text, "%s%s", i == 0 ? ": " : ", ",
				       (const char *) names->pdata[i]);
	if (shown < names->len)
		g_string_append_printf(text, " and %u more", names->len - shown);
	escaped = cam_text_escape(text->str);
	g_string_append(out, "    ");
	cam_text_append_wrapped(out, escaped, 4, 6, style->width);
	g_string_append_c(out, '\n');
}

static void
append_open(GString *out, const CamScanResult *result, const CamTableStyle *style)
{
	g_autoptr(GPtrArray) groups = cam_unjudged_group(result->unjudged);

	if (result->n_unjudged == 0)
		return;
	g_string_append_printf(out, "%s! %s%u of %u packages were not judged:\n",
			       style->colour ? "\033[33m" : "", style->colour ? "\033[0m" : "",
			       result->n_unjudged, result->packages->len);
	for (guint i = 0; i < groups->len; i++) {
		const CamUnjudgedGroup *group = groups->pdata[i];
		g_autofree char *head =
			g_strdup_printf("%s (%u)", group->reason, group->packages->len);

		append_paragraph(out, head, group->packages, style);
	}
	g_string_append_c(out, '\n');
}

static char *
acceptance_text(const CamUnjudged *first)
{
	g_autofree char *until = first->accepted_until != NULL
					 ? g_strdup_printf(" until %s", first->accepted_until)
					 : g_strdup("");
	g_autofree char *reason = first->accepted_because != NULL
					  ? g_strdup_printf(" (%s)", first->accepted_because)
					  : g_strdup("");

	return g_strdup_printf("'%s'%s%s", first->accepted_by, until, reason);
}

/* The packages that the acceptance of @first lets pass; those before were shown already. */
static GPtrArray *
accepted_like(const CamScanResult *result, guint first)
{
	const CamUnjudged *model = result->unjudged->pdata[first];
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < result->unjudged->len; i++) {
		const CamUnjudged *other = result->unjudged->pdata[i];

		if (g_strcmp0(other->accepted_by, model->accepted_by) != 0)
			continue;
		if (i < first) {
			g_ptr_array_unref(names);
			return NULL;
		}
		for (guint p = 0; p < other->packages->len; p++)
			g_ptr_array_add(names, other->packages->pdata[p]);
	}
	return names;
}

static void
append_accepted(GString *out, const CamScanResult *result, const CamTableStyle *style)
{
	if (result->n_accepted == 0)
		return;
	g_string_append_printf(out, "  %u of %u packages are accepted without judgement:\n",
			       result->n_accepted, result->packages->len);
	for (guint i = 0; i < result->unjudged->len; i++) {
		const CamUnjudged *first = result->unjudged->pdata[i];
		g_autoptr(GPtrArray) names =
			first->accepted_by != NULL ? accepted_like(result, i) : NULL;
		g_autofree char *head = NULL;

		if (names == NULL)
			continue;
		head = acceptance_text(first);
		append_paragraph(out, head, names, style);
	}
	g_string_append_c(out, '\n');
}

void
cam_unjudged_append_table(GString *out, const CamScanResult *result, const CamTableStyle *style)
{
	append_open(out, result, style);
	append_accepted(out, result, style);
}
