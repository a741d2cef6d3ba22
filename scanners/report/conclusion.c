/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words for what a scan comes to: the same in tables, in JSON and on the command line. They
 * never say more than the sources do.
 */
#include "scanners/report/conclusion.h"

static gboolean
is_judged_at_all(const CamScanResult *result)
{
	return result->packages->len > result->n_unjudged;
}

char *
cam_conclusion_fixes_text(const CamScanResult *result)
{
	guint pending = cam_tally_count_pending(&result->tally);

	if (pending > 0)
		return g_strdup_printf("%u pending%s", pending,
				       result->tally.fixes_judged ? "" : ", among what was judged");
	if (!is_judged_at_all(result))
		return g_strdup("not judged");
	return g_strdup(result->tally.fixes_judged ? "none pending"
						   : "none pending among what was judged");
}

char *
cam_conclusion_unfixed_text(const CamScanResult *result)
{
	guint unfixed = cam_tally_count_unfixed(&result->tally);

	if (unfixed > 0)
		return g_strdup_printf("%u without a published fix", unfixed);
	return g_strdup(result->tally.unfixed_judged ? "none known"
						     : "not judged by these sources");
}

char *
cam_conclusion_coverage_text(const CamScanResult *result)
{
	guint open = result->n_unjudged + result->n_accepted;
	g_autofree char *accepted =
		result->n_accepted > 0
			? g_strdup_printf("; %u more accepted as they are", result->n_accepted)
			: g_strdup("");

	return g_strdup_printf("%u of %u packages%s", result->packages->len - open,
			       result->packages->len, accepted);
}

gboolean
cam_conclusion_is_no_risks(const CamScanResult *result)
{
	return result->tally.fixes_judged && !result->tally.end_of_life &&
	       cam_tally_count_pending(&result->tally) == 0;
}

static char *
first_half(const CamScanResult *result)
{
	guint pending = cam_tally_count_pending(&result->tally);

	if (pending > 0)
		return g_strdup_printf(pending == 1 ? "%u finding has a published fix"
						    : "%u findings have a published fix",
				       pending);
	if (result->tally.end_of_life)
		return g_strconcat("No fix is pending",
				   result->tally.fixes_judged ? "" : " for what was judged",
				   ", and none will come: the release has no security support",
				   NULL);
	if (result->tally.fixes_judged)
		return g_strdup("No risks: no fix is pending");
	return g_strdup("No fix is pending for what was judged");
}

static char *
second_half(const CamScanResult *result)
{
	guint unfixed = cam_tally_count_unfixed(&result->tally);

	if (unfixed > 0)
		return g_strdup_printf(unfixed == 1 ? "%u vulnerability has no published fix"
						    : "%u vulnerabilities have no published fix",
				       unfixed);
	return g_strdup(result->tally.unfixed_judged
				? "no vulnerability without a fix is known"
				: "vulnerabilities without a fix are not judged by these sources");
}

char *
cam_conclusion_text(const CamScanResult *result)
{
	GString *text;
	g_autofree char *fixes = NULL, *unfixed = NULL;

	if (!is_judged_at_all(result) && cam_tally_count_pending(&result->tally) == 0 &&
	    cam_tally_count_unfixed(&result->tally) == 0)
		return g_strdup(result->tally.end_of_life
					? "The image could not be judged, and its release has no "
					  "security support."
					: "The image could not be judged.");
	fixes = first_half(result);
	unfixed = second_half(result);
	text = g_string_new(NULL);
	g_string_append_printf(text, "%s; %s.", fixes, unfixed);
	if (result->n_unjudged > 0)
		g_string_append_printf(text, " %u of %u packages were not judged.",
				       result->n_unjudged, result->packages->len);
	if (result->problems->len > 0)
		g_string_append(text, " Parts of the image could not be read.");
	return g_string_free(text, FALSE);
}
