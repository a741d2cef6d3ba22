/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From packages to a judgement: what is wrong, what could not be judged, how bad it is. Matching is
 * the matcher's, the formula of the risk is in risk.c.
 */
#include "scanners/engine/judgement.h"

#include <string.h>

#include "scanners/engine/matcher.h"

static void warn(CamScanResult *result, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
warn(CamScanResult *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(result->warnings, g_strdup_vprintf(format, args));
	va_end(args);
}

static const char *
os_title(const CamOsRelease *os)
{
	return os->pretty_name != NULL ? os->pretty_name : os->id;
}

static const char *
last_day(const CamOsRelease *os)
{
	return os->end_of_lts != NULL ? os->end_of_lts : os->end_of_life;
}

static void
add_end_of_life(CamScanResult *result)
{
	const CamOsRelease *os = result->os;
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->kind = CAM_FINDING_END_OF_LIFE;
	finding->id = g_strdup_printf("EOL-%s-%s", os->id,
				      os->version_id != NULL ? os->version_id : os->codename);
	finding->aliases = g_new0(char *, 1);
	finding->references = g_new0(char *, 1);
	finding->title = g_strdup_printf("%s has had no security support since %s", os_title(os),
					 last_day(os));
	finding->severity = CAM_SEVERITY_OF_END_OF_LIFE;
	finding->score = -1;
	finding->package = g_strdup(os->id);
	finding->source_package = g_strdup(os->id);
	finding->installed_version =
		g_strdup(os->version_id != NULL ? os->version_id : os->codename);
	finding->state = CAM_STATE_END_OF_LIFE;
	finding->layer = -1;
	finding->suggestion =
		g_strdup("build the image from a release that is supported: new "
			 "vulnerabilities of this one are neither published nor fixed");
	g_ptr_array_add(result->findings, finding);
	warn(result,
	     "%s is past its end of life: it has had no security support since %s. What is "
	     "listed here is not all that is wrong with it.",
	     os_title(os), last_day(os));
}

static void
judge_release(CamScanResult *result, const char *today)
{
	const CamOsRelease *os = result->os;

	result->support = cam_os_release_get_support(os, today);
	switch (result->support) {
	case CAM_SUPPORT_UNKNOWN:
		warn(result,
		     result->packages->len > 0
			     ? "The release (%s) is not known: its packages are listed, but "
			       "nothing "
			       "can be said of their vulnerabilities."
			     : "The release (%s) is not known: nothing can be said of its "
			       "vulnerabilities.",
		     os_title(os));
		break;
	case CAM_SUPPORT_FULL:
		break;
	case CAM_SUPPORT_LTS:
		warn(result,
		     "Regular security support of %s ended on %s; long-term support goes on "
		     "until %s.",
		     os_title(os), os->end_of_life, os->end_of_lts);
		break;
	case CAM_SUPPORT_END_OF_LIFE:
		add_end_of_life(result);
		break;
	}
	if (os->based_on != NULL)
		warn(result, "%s is judged by the advisories of %s, which it is based on.",
		     os_title(os), os->based_on);
}

/* ---- what was not judged ---- */

/* Of a release that is not known every package is unjudged. */
static void
note_all(CamScanResult *result)
{
	g_autoptr(GHashTable) by_source =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < result->packages->len; i++) {
		const CamPackage *package = result->packages->pdata[i];
		g_autofree char *source =
			g_strconcat(package->source_name, " ", package->source_version, NULL);
		CamUnjudged *unjudged = g_hash_table_lookup(by_source, source);

		if (unjudged == NULL) {
			unjudged = cam_unjudged_new(package->source_name, package->source_version,
						    "the release of the image is not known");
			g_ptr_array_add(result->unjudged, unjudged);
			g_hash_table_insert(by_source, g_steal_pointer(&source), unjudged);
		}
		cam_unjudged_add_package(unjudged, package->name, package->origin);
	}
}

static int
compare_unjudged(gconstpointer a, gconstpointer b)
{
	const CamUnjudged *left = *(CamUnjudged *const *) a, *right = *(CamUnjudged *const *) b;
	int order = strcmp(left->source_package, right->source_package);

	return order != 0 ? order : strcmp(left->source_version, right->source_version);
}

/* Which of them the policy accepts, and how many packages remain. */
static void
apply_acceptances(CamScanResult *result, const GPtrArray *acceptances, const char *today)
{
	for (guint i = 0; i < result->unjudged->len; i++) {
		CamUnjudged *unjudged = result->unjudged->pdata[i];
		const CamAcceptance *acceptance = cam_acceptance_find(acceptances, unjudged, today);

		if (acceptance == NULL) {
			result->n_unjudged += unjudged->packages->len;
			continue;
		}
		result->n_accepted += unjudged->packages->len;
		unjudged->accepted_by = g_strdup(acceptance->name);
		unjudged->accepted_because = g_strdup(acceptance->reason);
		unjudged->accepted_until = g_strdup(acceptance->until);
	}
	g_ptr_array_sort(result->unjudged, compare_unjudged);
}

/* A database that knows nothing of the release is one cause, whatever the packages are. */
static gboolean
warn_of_ignorance(CamScanResult *result, CamAdvisoryDb *advisories, GError **error)
{
	gboolean known;

	if (result->n_unjudged + result->n_accepted < result->packages->len)
		return TRUE;
	if (!cam_advisory_db_has_ecosystem(advisories, result->os->ecosystem, &known, error))
		return FALSE;
	if (!known)
		warn(result,
		     "The advisory database knows nothing of %s: update it, or add a source "
		     "that does. Until then nothing can be said of this image.",
		     result->os->ecosystem);
	return TRUE;
}

static void
warn_of_problems(CamScanResult *result)
{
	for (guint i = 0; i < result->problems->len; i++)
		warn(result, "%s", (const char *) result->problems->pdata[i]);
}

/* ---- matching ---- */

static void
add_truncation(CamScanResult *result, guint64 max_findings)
{
	g_ptr_array_add(result->problems,
			g_strdup_printf("matching stopped behind %" G_GUINT64_FORMAT
					" findings ([limits] findings): not all of the image is "
					"judged",
					max_findings));
}

static gboolean
match(CamScanResult *result, CamMemo *memo, CamAdvisoryDb *advisories, guint64 max_findings,
      const CamScanOptions *options, const char *today, GCancellable *cancellable, GError **error)
{
	CamMatchOutput out = { .max_findings = max_findings + result->findings->len,
			       .findings = result->findings,
			       .unjudged = result->unjudged };

	if (result->packages->len == 0) {
		if (result->problems->len == 0)
			warn(result,
			     "No package database of dpkg was found, and no other kind is read: "
			     "nothing could be judged.");
		return TRUE;
	}
	if (result->os->ecosystem == NULL) {
		note_all(result);
		apply_acceptances(result, options->acceptances, today);
		return TRUE;
	}
	if (!cam_match_packages(memo, advisories, result->os->ecosystem, result->support,
				result->packages, &out, cancellable, error))
		return FALSE;
	if (out.truncated)
		add_truncation(result, max_findings);
	result->tally.unfixed_judged = out.unfixed_judged && !out.truncated;
	apply_acceptances(result, options->acceptances, today);
	result->tally.fixes_judged = result->n_unjudged == 0 && result->problems->len == 0;
	return warn_of_ignorance(result, advisories, error);
}

/* ---- counting ---- */

/* All of them, before options hide any: hiding does not make an image better. */
static void
count_findings(CamScanResult *result)
{
	for (guint i = 0; i < result->findings->len; i++) {
		const CamFinding *finding = result->findings->pdata[i];

		if (finding->kind == CAM_FINDING_END_OF_LIFE)
			result->tally.end_of_life = TRUE;
		else if (finding->state == CAM_STATE_FIXED)
			result->tally.pending[finding->severity]++;
		else
			result->tally.unfixed[finding->severity]++;
	}
}

static gboolean
is_left_out(const CamFinding *finding, const CamScanOptions *options, CamSeverity unknown_counts_as)
{
	CamSeverity severity =
		finding->severity == CAM_SEVERITY_UNKNOWN ? unknown_counts_as : finding->severity;

	if (finding->kind == CAM_FINDING_END_OF_LIFE)
		return FALSE;
	return severity < options->min_severity ||
	       (options->ignore_unfixed && finding->state != CAM_STATE_FIXED);
}

static void
filter_findings(CamScanResult *result, const CamScanOptions *options, CamSeverity unknown_counts_as)
{
	for (guint i = 0; i < result->findings->len;) {
		const CamFinding *finding = result->findings->pdata[i];

		if (is_left_out(finding, options, unknown_counts_as)) {
			result->left_out++;
			g_ptr_array_remove_index_fast(result->findings, i);
		} else {
			result->counts[finding->severity]++;
			i++;
		}
	}
}

static int
compare_findings(gconstpointer a, gconstpointer b, gpointer unknown_counts_as)
{
	return cam_finding_compare(*(const CamFinding *const *) a, *(const CamFinding *const *) b,
				   GPOINTER_TO_INT(unknown_counts_as));
}

gboolean
cam_judge(CamScanResult *result, CamMemo *memo, CamAdvisoryDb *advisories, guint64 max_findings,
	  const CamScanOptions *options, GCancellable *cancellable, GError **error)
{
	CamSeverity unknown_counts_as = options->unknown_counts_as != CAM_SEVERITY_UNKNOWN
						? options->unknown_counts_as
						: CAM_SEVERITY_MEDIUM;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *clock = g_date_time_format(now, "%F");
	const char *today = options->today != NULL ? options->today : clock;

	judge_release(result, today);
	if (!match(result, memo, advisories, max_findings, options, today, cancellable, error))
		return FALSE;
	warn_of_problems(result);
	count_findings(result);
	result->risk = cam_risk_level(&result->tally, unknown_counts_as);
	filter_findings(result, options, unknown_counts_as);
	g_ptr_array_sort_with_data(result->findings, compare_findings,
				   GINT_TO_POINTER(unknown_counts_as));
	return TRUE;
}
