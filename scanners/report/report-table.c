/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports as people read them: what the image is and how bad it is first, then one paragraph a
 * source package, with what to upgrade to. The same model as JSON makes it.
 */
#include "scanners/report/report.h"

#include <string.h>

#include "scanners/advisory/advisory-match.h"
#include "scanners/report/conclusion.h"
#include "scanners/report/finding-group.h"
#include "scanners/report/text.h"
#include "scanners/report/unjudged-table.h"

#define LABEL_WIDTH    14 /* of the header block, its indentation included */
#define SEVERITY_WIDTH 8  /* "critical" */
#define ID_WIDTH       16 /* "CVE-2024-1234567" */
#define SHORT_DIGEST   (strlen("sha256:") + 12)

typedef struct {
	GString *out;
	const CamScanResult *result;
	const CamTableStyle *style;
} Page;

static const char *const severity_sgr[] = {
	[CAM_SEVERITY_UNKNOWN] = "2", [CAM_SEVERITY_NONE] = "32", [CAM_SEVERITY_LOW] = "36",
	[CAM_SEVERITY_MEDIUM] = "33", [CAM_SEVERITY_HIGH] = "31", [CAM_SEVERITY_CRITICAL] = "1;31",
};

static void
append_sgr(Page *page, const char *sgr, const char *text)
{
	if (page->style->colour)
		g_string_append_printf(page->out, "\033[%sm%s\033[0m", sgr, text);
	else
		g_string_append(page->out, text);
}

static void
append_escaped(Page *page, const char *text)
{
	g_autofree char *escaped = cam_text_escape(text);

	g_string_append(page->out, escaped);
}

static const char *
plural(guint n)
{
	return n == 1 ? "" : "s";
}

/* ---- the header ---- */

static void
append_field(Page *page, const char *label, const char *value)
{
	g_autofree char *escaped = cam_text_escape(value);

	g_string_append_printf(page->out, "  %-*s", LABEL_WIDTH - 2, label);
	cam_text_append_wrapped(page->out, escaped, LABEL_WIDTH, LABEL_WIDTH, page->style->width);
	g_string_append_c(page->out, '\n');
}

static const char *
support_text(const CamScanResult *result, char **storage)
{
	const CamOsRelease *os = result->os;

	switch (result->support) {
	case CAM_SUPPORT_UNKNOWN:
		return "support unknown";
	case CAM_SUPPORT_FULL:
		if (os->end_of_life == NULL)
			return "not released yet";
		return *storage = g_strdup_printf("supported until %s", os->end_of_life);
	case CAM_SUPPORT_LTS:
		return *storage = g_strdup_printf("long-term support until %s", os->end_of_lts);
	case CAM_SUPPORT_END_OF_LIFE:
		return *storage = g_strdup_printf("END OF LIFE since %s",
						  os->end_of_lts != NULL ? os->end_of_lts
									 : os->end_of_life);
	}
	return NULL;
}

static void
append_image(Page *page)
{
	const CamScanResult *result = page->result;
	g_autofree char *support = NULL;
	g_autofree char *image = g_strdup_printf(
		"%.*s, %s, %u layer%s, %u package%s", (int) SHORT_DIGEST, result->digest,
		result->platform, result->layers->len, plural(result->layers->len),
		result->packages->len, plural(result->packages->len));
	g_autofree char *system = g_strdup_printf(
		"%s, %s",
		result->os->pretty_name != NULL ? result->os->pretty_name : result->os->id,
		support_text(result, &support));
	g_autofree char *name = cam_text_escape(result->reference);

	append_sgr(page, "1", name);
	g_string_append_c(page->out, '\n');
	append_field(page, "Image", image);
	append_field(page, "System", system);
}

static char *
count_text(const CamScanResult *result)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (int severity = CAM_SEVERITY_CRITICAL; severity >= CAM_SEVERITY_UNKNOWN; severity--)
		if (result->counts[severity] > 0)
			g_string_append_printf(text, "%s%u %s", text->len > 0 ? ", " : "",
					       result->counts[severity],
					       cam_severity_name(severity));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Several binary packages of one source share a vulnerability. */
static guint
count_ids(const GPtrArray *findings)
{
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < findings->len; i++)
		g_hash_table_add(ids, ((const CamFinding *) findings->pdata[i])->id);
	return g_hash_table_size(ids);
}

static void
append_counts(Page *page, const GPtrArray *groups)
{
	const CamScanResult *result = page->result;
	const GPtrArray *findings = result->findings;
	g_autofree char *counts = count_text(result), *sum = NULL, *where = NULL;
	g_autofree char *left_out =
		result->left_out > 0 ? g_strdup_printf("; %u more not shown", result->left_out)
				     : g_strdup("");

	if (findings->len == 0) {
		sum = g_strconcat("none", left_out, NULL);
		append_field(page, "Findings", sum);
		return;
	}
	sum = g_strdup_printf("%u: %s", findings->len, counts);
	where = g_strdup_printf("%u different one%s in %u source package%s%s", count_ids(findings),
				plural(count_ids(findings)), groups->len, plural(groups->len),
				left_out);
	append_field(page, "Findings", sum);
	append_field(page, "", where);
}

/* The two axes, and how much of the image they speak of. */
static void
append_axes(Page *page)
{
	g_autofree char *fixes = cam_conclusion_fixes_text(page->result);
	g_autofree char *unfixed = cam_conclusion_unfixed_text(page->result);
	g_autofree char *coverage = cam_conclusion_coverage_text(page->result);

	append_field(page, "Fixes", fixes);
	append_field(page, "Unfixed", unfixed);
	append_field(page, "Judged", coverage);
}

static void
append_risk(Page *page)
{
	g_autofree char *risk = g_ascii_strup(cam_severity_name(page->result->risk), -1);

	g_string_append_printf(page->out, "  %-*s", LABEL_WIDTH - 2, "Risk");
	append_sgr(page, severity_sgr[page->result->risk], risk);
	g_string_append_c(page->out, '\n');
}

/* Enough of a commit or a digest to tell it from others. Other versions are made of dates, of which
 * the newest is shown anyway; cut short they would tell nothing. */
static char *
version_text(const Page *page, const char *version)
{
	const char *hex =
		g_str_has_prefix(version, "sha256:") ? version + strlen("sha256:") : version;

	if (*hex != '\0' && hex[strspn(hex, "0123456789abcdef")] == '\0')
		return g_strdup_printf(", version %.12s", hex);
	return *version != '\0' && page->style->verbose ? g_strconcat(", version ", version, NULL)
							: g_strdup("");
}

/* Changelogs tell of one release alone; those of others say nothing of this image. */
static gboolean
speaks_of(const CamAdvisorySource *source, const CamOsRelease *os)
{
	const char *release = os->codename != NULL ? os->codename : os->ecosystem;
	const char *colon = strchr(source->name, ':');

	return strcmp(source->kind, CAM_ADVISORY_KIND_CHANGELOG) != 0 || colon == NULL ||
	       g_strcmp0(colon + 1, release) == 0;
}

static void
append_database(Page *page, const char *label, const CamAdvisorySource *source)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(source->date);
	g_autofree char *date = time != NULL && source->date > 0 ? g_date_time_format(time, "%F")
								 : g_strdup("no date");
	g_autofree char *version = version_text(page, source->version);
	g_autofree char *text =
		g_strdup_printf("%s, %s, %" G_GUINT64_FORMAT " record%s%s", source->name, date,
				source->records, source->records == 1 ? "" : "s", version);

	append_field(page, label, text);
	if (source->note != NULL)
		append_field(page, "", source->note);
}

static void
append_databases(Page *page)
{
	const GPtrArray *databases = page->result->databases;
	const char *label = "Advisories";

	for (guint i = 0; i < databases->len; i++) {
		if (!page->style->verbose && !speaks_of(databases->pdata[i], page->result->os))
			continue;
		append_database(page, label, databases->pdata[i]);
		label = "";
	}
	if (*label != '\0')
		append_field(page, label,
			     databases->len == 0 ? "none: the advisory database is empty"
						 : "none of this release");
}

static void
append_warnings(Page *page)
{
	const GPtrArray *warnings = page->result->warnings;

	for (guint i = 0; i < warnings->len; i++) {
		g_autofree char *text = cam_text_escape(warnings->pdata[i]);

		append_sgr(page, page->result->support == CAM_SUPPORT_END_OF_LIFE ? "1;31" : "33",
			   "! ");
		cam_text_append_wrapped(page->out, text, 2, 2, page->style->width);
		g_string_append_c(page->out, '\n');
	}
	if (warnings->len > 0)
		g_string_append_c(page->out, '\n');
}

/* ---- the findings ---- */

static char *
join_names(const GPtrArray *names)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
				       (const char *) names->pdata[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
append_heading(Page *page, const CamFindingGroup *group)
{
	const CamFinding *worst = group->worst;
	g_autofree char *names = join_names(group->packages), *title = NULL, *details = NULL;
	g_autofree char *escaped = NULL;
	const char *none = worst->state == CAM_STATE_END_OF_LIFE    ? " (end of life)"
			   : worst->state == CAM_STATE_FIXED_IN_PRO ? " (fixed in Ubuntu Pro only)"
								    : " (no fix yet)";

	title = g_strdup_printf("%s %s%s%s", worst->source_package, worst->installed_version,
				group->fixed_version != NULL ? " → " : none,
				group->fixed_version != NULL ? group->fixed_version : "");
	escaped = cam_text_escape(title);
	append_sgr(page, "1", escaped);
	g_string_append_c(page->out, '\n');
	if (worst->kind == CAM_FINDING_END_OF_LIFE)
		return;

	details = worst->layer >= 0 ? g_strdup_printf("%s · layer %d", names, worst->layer + 1)
				    : g_strdup(names);
	g_free(escaped);
	escaped = cam_text_escape(details);
	g_string_append(page->out, "  ");
	cam_text_append_wrapped(page->out, escaped, 2, 2, page->style->width);
	g_string_append_c(page->out, '\n');
}

static void
append_severity(Page *page, CamSeverity severity)
{
	g_autofree char *padded =
		g_strdup_printf("%-*s", SEVERITY_WIDTH, cam_severity_name(severity));

	g_string_append(page->out, "    ");
	append_sgr(page, severity_sgr[severity], padded);
	g_string_append(page->out, "  ");
}

/* What a single finding says beyond its id: nothing is said twice. */
static char *
finding_text(const CamFinding *finding, const CamFindingGroup *group, gboolean verbose)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (finding->score >= 0) {
		char score[G_ASCII_DTOSTR_BUF_SIZE];

		g_string_append(text,
				g_ascii_formatd(score, sizeof(score), "%.1f", finding->score));
	}
	if (finding->state == CAM_STATE_FIXED_IN_PRO && group->fixed_version != NULL)
		g_string_append_printf(text, "%s(fixed in Ubuntu Pro only)",
				       text->len > 0 ? "  " : "");
	if (finding->fixed_version == NULL && group->fixed_version != NULL)
		g_string_append_printf(text, "%s(no fix yet)", text->len > 0 ? "  " : "");
	/* An earlier fix is of no interest to those who upgrade to the version in the heading. */
	if (verbose && finding->state == CAM_STATE_FIXED && finding->fixed_version != NULL &&
	    strcmp(finding->fixed_version, group->fixed_version) != 0)
		g_string_append_printf(text, "%s(fixed in %s)", text->len > 0 ? "  " : "",
				       finding->fixed_version);
	if (finding->title != NULL)
		g_string_append_printf(text, "%s%s", text->len > 0 ? "  " : "", finding->title);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
append_details(Page *page, const CamFinding *finding)
{
	const guint indent = 4 + SEVERITY_WIDTH + 2;
	g_autofree char *aliases = g_strjoinv(", ", finding->aliases);
	const char *const lines[][2] = {
		{ "also ", aliases[0] != '\0' ? aliases : NULL },
		{ "said by ", finding->source },
		{ "", finding->suggestion },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *text = NULL;

		if (lines[i][1] == NULL)
			continue;
		text = cam_text_escape(lines[i][1]);
		g_string_append_printf(page->out, "%*s%s", (int) indent, "", lines[i][0]);
		cam_text_append_wrapped(page->out, text, indent + strlen(lines[i][0]), indent,
					page->style->width);
		g_string_append_c(page->out, '\n');
	}
	for (char **reference = finding->references; *reference != NULL; reference++) {
		g_string_append_printf(page->out, "%*s", (int) indent, "");
		append_escaped(page, *reference);
		g_string_append_c(page->out, '\n');
	}
}

static void
append_finding(Page *page, const CamFinding *finding, const char *text)
{
	const guint start = 4 + SEVERITY_WIDTH + 2 + ID_WIDTH + 2;
	g_autofree char *id = cam_text_escape(finding->id);
	g_autofree char *escaped = cam_text_escape(text);
	guint width = page->style->width;

	append_severity(page, finding->severity);
	if (escaped[0] != '\0')
		g_string_append_printf(page->out, "%-*s  ", ID_WIDTH, id);
	else
		g_string_append(page->out, id);
	if (page->style->verbose || width <= start) {
		cam_text_append_wrapped(page->out, escaped, start, start, width);
	} else {
		g_autofree char *cut = cam_text_ellipsize(escaped, width - start);

		g_string_append(page->out, cut);
	}
	g_string_append_c(page->out, '\n');
	if (page->style->verbose)
		append_details(page, finding);
}

/* Ids of one severity of which nothing more is known, in as few lines as they need. */
static void
append_packed(Page *page, const CamFinding *first, const GString *ids)
{
	const guint start = 4 + SEVERITY_WIDTH + 2;
	g_autofree char *escaped = cam_text_escape(ids->str);

	append_severity(page, first->severity);
	cam_text_append_wrapped(page->out, escaped, start, start, page->style->width);
	g_string_append_c(page->out, '\n');
}

static void
append_group(Page *page, const CamFindingGroup *group)
{
	g_autoptr(GString) packed = g_string_new(NULL);
	const CamFinding *first = NULL; /* of those that are packed */

	append_heading(page, group);
	for (guint i = 0; i < group->findings->len; i++) {
		const CamFinding *finding = group->findings->pdata[i];
		g_autofree char *text = finding_text(finding, group, page->style->verbose);
		gboolean plain = text[0] == '\0' && !page->style->verbose;

		if (first != NULL && (!plain || finding->severity != first->severity)) {
			append_packed(page, first, packed);
			g_string_truncate(packed, 0);
			first = NULL;
		}
		if (!plain) {
			append_finding(page, finding, text);
			continue;
		}
		if (first == NULL)
			first = finding;
		g_string_append_printf(packed, "%s%s", packed->len > 0 ? ", " : "", finding->id);
	}
	if (first != NULL)
		append_packed(page, first, packed);
	g_string_append_c(page->out, '\n');
}

static void
append_layers(Page *page, const GPtrArray *groups)
{
	const GPtrArray *layers = page->result->layers;
	g_autofree gboolean *named = g_new0(gboolean, layers->len + 1);

	for (guint i = 0; i < groups->len; i++) {
		int layer = ((const CamFindingGroup *) groups->pdata[i])->worst->layer;

		if (layer >= 0 && (guint) layer < layers->len)
			named[layer] = TRUE;
	}
	for (guint i = 0; i < layers->len; i++) {
		const CamLayerLabel *label = layers->pdata[i];
		g_autofree char *text = NULL, *escaped = NULL, *cut = NULL;

		if (!named[i])
			continue;
		text = g_strdup_printf("layer %u  %.*s  %s", i + 1, (int) SHORT_DIGEST,
				       label->diff_id,
				       label->created_by != NULL ? label->created_by : "");
		escaped = cam_text_escape(g_strchomp(text));
		cut = page->style->width > 0 ? cam_text_ellipsize(escaped, page->style->width)
					     : g_strdup(escaped);
		append_sgr(page, "2", cut);
		g_string_append_c(page->out, '\n');
	}
}

static void
append_conclusion(Page *page)
{
	const CamScanResult *result = page->result;
	gboolean clean = cam_conclusion_is_no_risks(result) && result->risk == CAM_SEVERITY_NONE;
	g_autofree char *text = cam_conclusion_text(result);
	g_autoptr(GString) wrapped = g_string_new(NULL);

	cam_text_append_wrapped(wrapped, text, 0, 0, page->style->width);
	append_sgr(page, clean ? "32" : "33", wrapped->str);
	g_string_append_c(page->out, '\n');
}

char *
cam_report_to_table(const CamScanResult *result, const CamTableStyle *style)
{
	Page page = { .out = g_string_new(NULL), .result = result, .style = style };
	g_autoptr(GPtrArray) groups =
		cam_finding_group_all(result->findings, result->os->ecosystem);

	append_image(&page);
	append_risk(&page);
	append_axes(&page);
	append_counts(&page, groups);
	append_databases(&page);
	g_string_append_c(page.out, '\n');
	append_warnings(&page);
	cam_unjudged_append_table(page.out, result, style);
	for (guint i = 0; i < groups->len; i++)
		append_group(&page, groups->pdata[i]);
	append_layers(&page, groups);
	if (groups->len > 0)
		g_string_append_c(page.out, '\n');
	append_conclusion(&page);
	return g_string_free(page.out, FALSE);
}

/* "openssl 3.0.11-1", or the name alone where the version is that of the package. */
static char *
source_text(const CamPackage *package)
{
	if (strcmp(package->source_version, package->version) == 0)
		return g_strdup(package->source_name);
	return g_strdup_printf("%s %s", package->source_name, package->source_version);
}

static void
add_package(CamTable *table, const CamPackage *package, const CamScanResult *result,
	    gboolean verbose)
{
	g_autofree char *source = source_text(package);
	g_autofree char *layer =
		package->layer >= 0 ? g_strdup_printf("%d", package->layer + 1) : NULL;
	g_autofree char *purl =
		cam_package_get_purl(package, result->os->id, result->os->version_id);
	const char *values[] = { package->name,
				 package->version,
				 package->architecture,
				 source,
				 layer,
				 package->held ? "held" : NULL,
				 verbose ? purl : NULL };

	cam_table_add_row(table, values);
}

char *
cam_report_packages_to_table(const CamScanResult *result, const CamTableStyle *style)
{
	const char *headings[] = { "PACKAGE",
				   "VERSION",
				   "ARCH",
				   "SOURCE",
				   "LAYER",
				   "STATE",
				   style->verbose ? "PURL" : NULL,
				   NULL };
	g_autoptr(CamTable) table = cam_table_new(headings);

	for (guint i = 0; i < result->packages->len; i++)
		add_package(table, result->packages->pdata[i], result, style->verbose);
	cam_table_align_right(table, 4);
	return cam_table_format(table, style);
}
