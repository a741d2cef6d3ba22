/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From packages and advisories to findings. Which records match a version is the business of the
 * advisory database; here records that tell of the same vulnerability become one finding.
 */
#include "scanners/engine/matcher.h"

#include <string.h>

#include "scanners/advisory/version.h"
#include "scanners/engine/match-codec.h"

/* ---- remembered matches ---- */

static GPtrArray *
find_matches(CamMemo *memo, CamAdvisoryDb *db, const char *ecosystem, const CamPackage *package,
	     GError **error)
{
	g_autoptr(GPtrArray) matches = NULL;
	g_autoptr(GBytes) bytes = NULL;
	CamSha256 key;

	cam_memo_key(&key, "match", cam_advisory_db_get_version(db), ecosystem,
		     package->source_name, package->source_version, NULL);
	bytes = cam_memo_get(memo, CAM_MEMO_MATCH, &key);
	if (bytes != NULL)
		matches = cam_matches_from_bytes(bytes);
	if (matches != NULL)
		return g_steal_pointer(&matches);

	matches = cam_advisory_db_match(db, ecosystem, package->source_name,
					package->source_version, error);
	if (matches == NULL)
		return NULL;
	g_clear_pointer(&bytes, g_bytes_unref);
	bytes = cam_matches_to_bytes(matches);
	cam_memo_put(memo, CAM_MEMO_MATCH, &key, bytes);
	return g_steal_pointer(&matches);
}

/* ---- from records to findings ---- */

/* Whether @a would be installed after @b; versions that have no order compare as text. */
static gboolean
is_later(const char *ecosystem, const char *a, const char *b)
{
	CamVersionCompare compare = cam_version_compare_for_ecosystem(ecosystem);

	return (compare != NULL ? compare(a, b) : strcmp(a, b)) > 0;
}

static void
add_strings(char ***list, const char *const *more, const char *except)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (char **text = *list; text != NULL && *text != NULL; text++)
		if (g_hash_table_add(seen, *text))
			g_strv_builder_add(builder, *text);
	for (; more != NULL && *more != NULL; more++)
		if (g_strcmp0(*more, except) != 0 && g_hash_table_add(seen, (gpointer) *more))
			g_strv_builder_add(builder, *more);
	g_clear_pointer(&seen, g_hash_table_unref);
	g_strfreev(*list);
	*list = g_strv_builder_end(builder);
}

/* The record's other names. Those of its CVEs that are findings of their own are no aliases. */
static void
add_aliases(CamFinding *finding, const CamAdvisory *advisory)
{
	const char *own[] = { advisory->id, NULL };

	add_strings(&finding->aliases, own, finding->id);
	for (char **alias = advisory->aliases; alias != NULL && *alias != NULL; alias++) {
		const char *one[] = { *alias, NULL };

		if (!g_str_has_prefix(*alias, "CVE-"))
			add_strings(&finding->aliases, one, finding->id);
	}
}

/*
 * Two records of one vulnerability: the one that knows its severity tells it; of two fixed versions
 * the later counts, for the other record would still match a version between them.
 */
static void
merge_match(CamFinding *finding, const CamMatch *match, const char *ecosystem)
{
	const CamAdvisory *advisory = match->advisory;

	if (advisory->severity > finding->severity) {
		finding->severity = advisory->severity;
		finding->score = advisory->score;
		g_free(finding->source);
		finding->source = g_strdup(advisory->source);
	}
	if (finding->title == NULL)
		finding->title = g_strdup(advisory->summary);
	if (match->fixed_version != NULL &&
	    (finding->fixed_version == NULL ||
	     is_later(ecosystem, match->fixed_version, finding->fixed_version))) {
		g_free(finding->fixed_version);
		finding->fixed_version = g_strdup(match->fixed_version);
	}
	add_aliases(finding, advisory);
	add_strings(&finding->references, (const char *const *) advisory->references, NULL);
}

static CamFinding *
new_finding(const char *id, const CamPackage *package, const CamMatch *match)
{
	const CamAdvisory *advisory = match->advisory;
	CamFinding *finding = g_new0(CamFinding, 1);

	finding->kind = CAM_FINDING_VULNERABILITY;
	finding->id = g_strdup(id);
	finding->title = g_strdup(advisory->summary);
	finding->severity = advisory->severity;
	finding->score = advisory->score;
	finding->package = g_strdup(package->name);
	finding->source_package = g_strdup(package->source_name);
	finding->installed_version = g_strdup(package->version);
	finding->architecture = g_strdup(package->architecture);
	finding->fixed_version = g_strdup(match->fixed_version);
	finding->layer = package->layer;
	finding->source = g_strdup(advisory->source);
	add_aliases(finding, advisory);
	add_strings(&finding->references, (const char *const *) advisory->references, NULL);
	return finding;
}

static void
finish_finding(CamFinding *finding, const CamPackage *package, CamSupport support)
{
	if (finding->fixed_version != NULL)
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

/* One record may tell of several vulnerabilities (a DSA of its CVEs): each is a finding. */
static void
add_match(GHashTable *by_id, GPtrArray *found, const CamPackage *package, const CamMatch *match,
	  const char *ecosystem)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new();

	for (char **alias = match->advisory->aliases; alias != NULL && *alias != NULL; alias++)
		if (g_str_has_prefix(*alias, "CVE-"))
			g_ptr_array_add(ids, *alias);
	if (ids->len == 0 || g_str_has_prefix(match->advisory->id, "CVE-"))
		g_ptr_array_add(ids, match->advisory->id);

	for (guint i = 0; i < ids->len; i++) {
		CamFinding *finding = g_hash_table_lookup(by_id, ids->pdata[i]);

		if (finding != NULL) {
			merge_match(finding, match, ecosystem);
			continue;
		}
		finding = new_finding(ids->pdata[i], package, match);
		g_hash_table_insert(by_id, finding->id, finding);
		g_ptr_array_add(found, finding);
	}
}

static void
add_package(const CamPackage *package, const GPtrArray *matches, const char *ecosystem,
	    CamSupport support, GPtrArray *findings)
{
	g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) found = g_ptr_array_new();

	for (guint i = 0; i < matches->len; i++)
		add_match(by_id, found, package, matches->pdata[i], ecosystem);
	for (guint i = 0; i < found->len; i++) {
		finish_finding(found->pdata[i], package, support);
		g_ptr_array_add(findings, found->pdata[i]);
	}
}

gboolean
cam_match_packages(CamMemo *memo, CamAdvisoryDb *db, const char *ecosystem, CamSupport support,
		   const GPtrArray *packages, GPtrArray *findings, GCancellable *cancellable,
		   GError **error)
{
	g_autoptr(GHashTable) by_source = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
								(GDestroyNotify) g_ptr_array_unref);

	cam_memo_set_generation(memo, CAM_MEMO_MATCH, cam_advisory_db_get_version(db));
	for (guint i = 0; i < packages->len; i++) {
		const CamPackage *package = packages->pdata[i];
		g_autofree char *source =
			g_strconcat(package->source_name, " ", package->source_version, NULL);
		GPtrArray *matches = g_hash_table_lookup(by_source, source);

		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		if (matches == NULL) {
			matches = find_matches(memo, db, ecosystem, package, error);
			if (matches == NULL)
				return FALSE;
			g_hash_table_insert(by_source, g_steal_pointer(&source), matches);
		}
		add_package(package, matches, ecosystem, support, findings);
	}
	return TRUE;
}
