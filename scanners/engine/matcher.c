/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From packages and advisories to findings: each source package version is asked for once, each
 * binary package gets its own findings. Which records match, and which of them tell of the same
 * vulnerability, is the business of the advisory database.
 */
#include "scanners/engine/matcher.h"

#include "scanners/engine/match-codec.h"

/* What the advisories say of one version of a source package. */
typedef struct {
	GPtrArray *matches; /* (element-type CamMatch) */
	CamCoverage coverage;
	CamUnjudged *unjudged; /* (nullable): of the output, made when the first package needs it */
} Answer;

static void
answer_free(gpointer data)
{
	Answer *self = data;

	g_clear_pointer(&self->matches, g_ptr_array_unref);
	cam_coverage_clear(&self->coverage);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answer, answer_free)

/* ---- remembered matches ---- */

/* The key names the form of the value. */
#define MATCH_FORM "match-3"

static Answer *
ask(CamMemo *memo, CamAdvisoryDb *db, const char *db_version, const char *ecosystem,
    const CamPackage *package, GError **error)
{
	g_autoptr(Answer) answer = g_new0(Answer, 1);
	g_autoptr(GBytes) bytes = NULL;
	CamSha256 key;

	cam_memo_key(&key, MATCH_FORM, db_version, ecosystem, package->source_name,
		     package->source_version, NULL);
	bytes = cam_memo_get(memo, CAM_MEMO_MATCH, &key);
	if (bytes != NULL)
		answer->matches = cam_matches_from_bytes(bytes, &answer->coverage);
	if (answer->matches != NULL)
		return g_steal_pointer(&answer);

	answer->matches = cam_advisory_db_match(db, ecosystem, package->source_name,
						package->source_version, error);
	if (answer->matches == NULL ||
	    !cam_advisory_db_get_coverage(db, ecosystem, package->source_name,
					  package->source_version, &answer->coverage, error))
		return NULL;
	g_clear_pointer(&bytes, g_bytes_unref);
	bytes = cam_matches_to_bytes(answer->matches, &answer->coverage);
	cam_memo_put(memo, CAM_MEMO_MATCH, &key, bytes);
	return g_steal_pointer(&answer);
}

/* ---- from matches to findings ---- */

static char **
dup_strings(char **strings)
{
	return strings != NULL ? g_strdupv(strings) : g_new0(char *, 1);
}

static CamFinding *
new_finding(const CamPackage *package, const CamMatch *match)
{
	const CamAdvisory *advisory = match->advisory;
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->kind = cam_advisory_is_security_update(advisory->id) ? CAM_FINDING_SECURITY_UPDATE
								      : CAM_FINDING_VULNERABILITY;
	finding->id = g_strdup(advisory->id);
	finding->aliases = dup_strings(advisory->aliases);
	finding->title = g_strdup(advisory->summary);
	finding->severity = advisory->severity;
	finding->score = advisory->score;
	finding->package = g_strdup(package->name);
	finding->source_package = g_strdup(package->source_name);
	finding->installed_version = g_strdup(package->version);
	finding->architecture = g_strdup(package->architecture);
	finding->fixed_version = g_strdup(match->fixed_version);
	finding->layer = package->layer;
	finding->references = dup_strings(advisory->references);
	finding->source = g_strdup(advisory->source);
	return finding;
}

static void
finish_finding(CamFinding *finding, const CamPackage *package, const CamMatch *match,
	       CamSupport support)
{
	if (match->pro_only)
		finding->state = CAM_STATE_FIXED_IN_PRO;
	else if (finding->fixed_version != NULL)
		finding->state = CAM_STATE_FIXED;
	else if (support == CAM_SUPPORT_END_OF_LIFE)
		finding->state = CAM_STATE_END_OF_LIFE;
	else
		finding->state = CAM_STATE_NOT_FIXED;

	switch (finding->state) {
	case CAM_STATE_FIXED:
		finding->suggestion = g_strdup_printf(
			package->held
				? "take %s off hold and upgrade it to a version that is built "
				  "from %s %s or later"
				: "upgrade %s to a version that is built from %s %s or later",
			package->name, package->source_name, finding->fixed_version);
		break;
	case CAM_STATE_FIXED_IN_PRO:
		finding->suggestion = g_strdup_printf(
			"the fix, %s %s, is published in Ubuntu Pro only: build the image with a "
			"subscription, or from a release that has the fix",
			package->source_name, finding->fixed_version);
		break;
	case CAM_STATE_NOT_FIXED:
		finding->suggestion = g_strdup_printf("there is no fixed version of %s yet: remove "
						      "it if the image does not need it",
						      package->source_name);
		break;
	case CAM_STATE_END_OF_LIFE:
		finding->suggestion = g_strdup_printf(
			"nobody will fix %s in this release: move to a supported one",
			package->source_name);
		break;
	}
}

/* ---- packages ---- */

static void
note_unjudged(Answer *answer, const CamPackage *package, GPtrArray *unjudged)
{
	const char *reason = answer->coverage.reason;

	if (answer->unjudged == NULL) {
		answer->unjudged = cam_unjudged_new(package->source_name, package->source_version,
						    reason != NULL ? reason : "not looked up");
		answer->unjudged->looked_at = answer->coverage.looked_at;
		g_ptr_array_add(unjudged, answer->unjudged);
	}
	cam_unjudged_add_package(answer->unjudged, package->name, package->origin);
}

static void
take_answer(Answer *answer, const CamPackage *package, CamSupport support, CamMatchOutput *out)
{
	for (guint m = 0; m < answer->matches->len; m++) {
		CamFinding *finding = new_finding(package, answer->matches->pdata[m]);

		finish_finding(finding, package, answer->matches->pdata[m], support);
		g_ptr_array_add(out->findings, finding);
	}
	if (!answer->coverage.fixes)
		note_unjudged(answer, package, out->unjudged);
	out->unfixed_judged &= answer->coverage.unfixed;
}

gboolean
cam_match_packages(CamMemo *memo, CamAdvisoryDb *db, const char *ecosystem, CamSupport support,
		   const GPtrArray *packages, CamMatchOutput *out, GCancellable *cancellable,
		   GError **error)
{
	g_autoptr(GHashTable) by_source =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, answer_free);
	g_autofree char *db_version = g_strdup(cam_advisory_db_get_version(db));

	cam_memo_set_generation(memo, CAM_MEMO_MATCH, db_version);
	out->unfixed_judged = packages->len > 0;
	for (guint i = 0; i < packages->len && !out->truncated; i++) {
		const CamPackage *package = packages->pdata[i];
		g_autofree char *source =
			g_strconcat(package->source_name, " ", package->source_version, NULL);
		Answer *answer = g_hash_table_lookup(by_source, source);

		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		if (answer == NULL) {
			answer = ask(memo, db, db_version, ecosystem, package, error);
			if (answer == NULL)
				return FALSE;
			g_hash_table_insert(by_source, g_steal_pointer(&source), answer);
		}
		take_answer(answer, package, support, out);
		out->truncated = out->findings->len > out->max_findings;
	}
	return TRUE;
}
