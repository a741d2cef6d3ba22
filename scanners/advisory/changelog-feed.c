/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Debian changelog source: looks source packages up in the repositories, reads the changelogs
 * of those that have news, and stores what they say together with what was looked up. What the
 * repositories have is changelog-candidates.c's, what a changelog says is changelog.c's.
 */
#include "scanners/advisory/changelog-feed.h"

#include <string.h>

#include "scanners/advisory/advisory-db-private.h"
#include "scanners/advisory/advisory-match.h"
#include "scanners/advisory/changelog-fetch.h"
#include "scanners/advisory/changelog-records.h"
#include "scanners/advisory/changelog.h"

#define NOTE                                                                             \
	"derived from the changelogs of available updates: severities are unknown, and " \
	"vulnerabilities without a fix in the repositories are not known"

typedef struct {
	CamAdvisoryDb *db;
	CamAptRepository *repository;
	const CamOsRelease *os;
	const char *architecture;
	char *name; /* of the advisory source */
	CamCandidates *candidates;
	GPtrArray *records;  /* (element-type CamOsvRecord) of what was derived now */
	GHashTable *lookups; /* source package → CamLookup */
	GHashTable *kept;    /* those of them whose earlier look-up stays */
	GHashTable *read;    /* packages whose records are all among @records */
	gint64 now;
	CamProgress *progress;
	GCancellable *cancellable;
} Derivation;

static void
derivation_clear(Derivation *self)
{
	g_clear_pointer(&self->read, g_hash_table_unref);
	g_clear_pointer(&self->kept, g_hash_table_unref);
	g_clear_pointer(&self->lookups, g_hash_table_unref);
	g_clear_pointer(&self->records, g_ptr_array_unref);
	g_clear_pointer(&self->candidates, cam_candidates_free);
	g_free(self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Derivation, derivation_clear)

static gint64
newest_date(const Derivation *self)
{
	const GPtrArray *releases = self->candidates->releases;
	gint64 date = 0;

	for (guint i = 0; i < releases->len; i++)
		date = MAX(date, ((CamAptRelease *) releases->pdata[i])->date);
	return date;
}

/* ---- looking up ---- */

static CamLookup *
new_lookup(const Derivation *self, const char *name, const CamCandidate *candidate)
{
	CamLookup *lookup = g_new0(CamLookup, 1);
	const char *release = self->os->codename != NULL ? self->os->codename : self->os->ecosystem;

	lookup->ecosystem = cam_ecosystem_normalise(self->os->ecosystem);
	lookup->package = g_strdup(name);
	lookup->release = g_strdup(release);
	lookup->looked_at = self->now;
	lookup->rules = CAM_CHANGELOG_RULES;
	lookup->outcome = candidate != NULL ? CAM_LOOKUP_CURRENT : CAM_LOOKUP_NOT_LISTED;
	if (candidate != NULL) {
		lookup->candidate = g_strdup(candidate->version);
		lookup->suite = g_strdup(candidate->source->suite);
	}
	return lookup;
}

/* Without one of the suites nothing is certain but what was found before: a package that was never
 * looked up stays unjudged. */
static void
mark_incomplete(const Derivation *self, CamLookup *lookup)
{
	lookup->outcome = CAM_LOOKUP_FAILED;
	g_clear_pointer(&lookup->candidate, g_free);
	g_clear_pointer(&lookup->suite, g_free);
	g_clear_pointer(&lookup->oldest, g_free);
	g_free(lookup->reason);
	lookup->reason = g_strdup_printf("%s could not be read", self->candidates->incomplete);
}

/* Whether an earlier look-up has read all of this candidate's changelog that @installed needs. */
static gboolean
was_read(const CamLookup *old, const CamCandidate *candidate, const char *installed)
{
	if (old == NULL || old->outcome != CAM_LOOKUP_READ || old->rules != CAM_CHANGELOG_RULES ||
	    !g_str_equal(old->candidate, candidate->version))
		return FALSE;
	return old->oldest == NULL ||
	       (installed != NULL && cam_version_compare_deb(installed, old->oldest) >= 0);
}

/* What can be said without reading a changelog. */
static gboolean
look_up(Derivation *self, const char *name, GPtrArray *unread, GError **error)
{
	const CamCandidates *candidates = self->candidates;
	CamCandidate *candidate = g_hash_table_lookup(candidates->found, name);
	const char *installed =
		candidates->wanted != NULL ? g_hash_table_lookup(candidates->wanted, name) : NULL;
	CamLookup *lookup = new_lookup(self, name, candidate);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamLookup) old =
		cam_advisory_db_find_lookup(self->db, self->name, name, &local_error);

	g_hash_table_insert(self->lookups, lookup->package, lookup);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (candidates->incomplete != NULL && old != NULL)
		g_hash_table_add(self->kept, lookup->package);
	if (candidate == NULL)
		return TRUE;
	if (was_read(old, candidate, installed)) {
		lookup->outcome = CAM_LOOKUP_READ;
		lookup->oldest = g_strdup(old->oldest);
	} else if (installed == NULL ||
		   cam_version_compare_deb(candidate->version, installed) > 0) {
		g_ptr_array_add(unread, candidate);
	}
	return TRUE;
}

static void
take_changelog(const CamCandidate *candidate, const char *changelog, gsize size, gpointer user_data)
{
	Derivation *self = user_data;
	CamLookup *lookup = g_hash_table_lookup(self->lookups, candidate->name);

	cam_changelog_make_records(candidate, self->os->ecosystem, changelog, size,
				   newest_date(self), self->records);
	if (changelog != NULL) {
		g_hash_table_add(self->read, candidate->name);
		lookup->outcome = CAM_LOOKUP_READ;
		lookup->oldest = cam_changelog_get_oldest(changelog, size);
		return;
	}
	lookup->outcome = CAM_LOOKUP_FAILED;
	lookup->reason = g_strdup("its changelog could not be read");
}

static gboolean
look_up_all(Derivation *self, GError **error)
{
	g_autoptr(GPtrArray) names = cam_candidates_list_names(self->candidates);
	g_autoptr(GPtrArray) unread = g_ptr_array_new();

	for (guint i = 0; i < names->len; i++)
		if (!look_up(self, g_ptr_array_index(names, i), unread, error))
			return FALSE;
	return cam_changelogs_fetch(self->candidates, unread, self->repository, self->progress,
				    self->cancellable, take_changelog, self, error);
}

/* ---- storing ---- */

static gboolean
put_record(CamAdvisoryUpdate *update, const CamOsvRecord *record, GError **error)
{
	const CamOsvAffected *affected = g_ptr_array_index(record->affected, 0);
	const char *none = "";
	g_autofree char *content =
		g_strjoin("\n", affected->ranges, record->summary != NULL ? record->summary : none,
			  record->suite != NULL ? record->suite : none, NULL);
	g_autofree char *text = cam_digest_for_data(content, strlen(content));
	g_autoptr(GError) local_error = NULL;
	CamSha256 digest;

	if (!cam_digest_to_sha256(text, &digest, error))
		return FALSE;
	if (cam_advisory_update_is_known(update, record->id, &digest, &local_error))
		return TRUE;
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return cam_advisory_update_put(update, record->id, &digest, record, error);
}

/* What the releases were: suite and date of each. */
static char *
describe_releases(const Derivation *self)
{
	const GPtrArray *releases = self->candidates->releases;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < releases->len; i++) {
		const CamAptRelease *release = g_ptr_array_index(releases, i);
		g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(release->date);
		g_autofree char *shown =
			date != NULL ? g_date_time_format(date, "%Y%m%dT%H%M%SZ") : NULL;

		g_string_append_printf(text, "%s%s@%s", i > 0 ? " " : "", release->source->suite,
				       shown != NULL ? shown : "?");
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
describe_sources(const GPtrArray *sources)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < sources->len; i++) {
		const CamAptSource *source = g_ptr_array_index(sources, i);

		g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "", source->uri,
				       source->suite);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
put_all(const Derivation *self, CamAdvisoryUpdate *update, GError **error)
{
	GHashTableIter iter;
	gpointer package, lookup;

	for (guint i = 0; i < self->records->len; i++)
		if (!put_record(update, g_ptr_array_index(self->records, i), error))
			return FALSE;
	g_hash_table_iter_init(&iter, self->read);
	while (g_hash_table_iter_next(&iter, &package, NULL))
		if (!cam_advisory_update_remove_unseen_below(update, package, error))
			return FALSE;
	g_hash_table_iter_init(&iter, self->lookups);
	while (g_hash_table_iter_next(&iter, NULL, &lookup)) {
		if (g_hash_table_contains(self->kept, ((CamLookup *) lookup)->package))
			continue;
		if (self->candidates->incomplete != NULL)
			mark_incomplete(self, lookup);
		if (!cam_advisory_update_set_lookup(update, lookup, error))
			return FALSE;
	}
	return TRUE;
}

/* (transfer full): the source's note: its limits, and how many packages these left unjudged. */
static char *
describe_limits(const Derivation *self, GError **error)
{
	gint64 failed;

	if (!cam_advisory_db_count_failed_lookups(self->db, self->name, &failed, error))
		return NULL;
	if (failed == 0)
		return g_strconcat(NOTE, self->candidates->unread->str, NULL);
	return g_strdup_printf("%s; %" G_GINT64_FORMAT " source packages could not be looked up%s",
			       NOTE, failed, self->candidates->unread->str);
}

/* The records of packages that were not looked at again stay as they are. */
static gboolean
count_untouched(CamAdvisoryUpdate *update, GError **error)
{
	const CamFeedResult *so_far = cam_advisory_update_get_result(update);
	guint64 told = so_far->added + so_far->changed + so_far->unchanged, records;

	if (!cam_advisory_update_count_records(update, &records, error))
		return FALSE;
	if (records > told)
		cam_advisory_update_count_unchanged(update, records - told);
	return TRUE;
}

static gboolean
store(Derivation *self, const GPtrArray *sources, CamFeedResult *result, GError **error)
{
	g_autofree char *url = describe_sources(sources);
	g_autofree char *version = describe_releases(self);
	g_autofree char *note = NULL;
	const CamAdvisorySource source = { .name = self->name,
					   .kind = (char *) CAM_ADVISORY_KIND_CHANGELOG,
					   .url = url };
	g_autoptr(CamAdvisoryUpdate) update = cam_advisory_update_begin(self->db, &source, error);

	if (update == NULL || !put_all(self, update, error) || !count_untouched(update, error))
		return FALSE;
	note = describe_limits(self, error);
	return note != NULL &&
	       cam_advisory_update_commit(update, version, newest_date(self), note, result, error);
}

gboolean
cam_feed_update_changelogs(CamAdvisoryDb *db, CamAptRepository *repository,
			   const GPtrArray *sources, const CamOsRelease *os,
			   const char *architecture, const GPtrArray *packages,
			   CamProgress *progress, CamFeedResult *result, GCancellable *cancellable,
			   GError **error)
{
	g_auto(Derivation) self = { .db = db,
				    .repository = repository,
				    .architecture = architecture,
				    .os = os,
				    .now = g_get_real_time() / G_USEC_PER_SEC,
				    .progress = progress,
				    .cancellable = cancellable };

	if (os->ecosystem == NULL ||
	    cam_version_compare_for_ecosystem(os->ecosystem) != cam_version_compare_deb)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "changelogs are read for Debian and its kin only, not for %s",
				     os->pretty_name != NULL ? os->pretty_name : os->id);
	self.name = g_strconcat(CAM_ADVISORY_KIND_CHANGELOG ":",
				os->codename != NULL ? os->codename : os->ecosystem, NULL);
	self.candidates = cam_candidates_new(packages);
	self.records = g_ptr_array_new_with_free_func((GDestroyNotify) cam_osv_record_free);
	self.lookups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					     (GDestroyNotify) cam_lookup_free);
	self.kept = g_hash_table_new(g_str_hash, g_str_equal);
	self.read = g_hash_table_new(g_str_hash, g_str_equal);
	if (!cam_candidates_read(self.candidates, repository, sources, architecture, progress,
				 cancellable, error))
		return cam_error_translate(error, "%s", os->ecosystem);
	return look_up_all(&self, error) && store(&self, sources, result, error);
}
