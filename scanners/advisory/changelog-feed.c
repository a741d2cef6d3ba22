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
#include "scanners/advisory/changelog-candidates.h"
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
	GPtrArray *records; /* (element-type CamOsvRecord) of what was derived now */
	GPtrArray *lookups; /* (element-type CamLookup) */
	GHashTable *read;   /* packages whose records are all among @records */
	gint64 now;
	CamProgress *progress;
	GCancellable *cancellable;
} Derivation;

static void
derivation_clear(Derivation *self)
{
	g_clear_pointer(&self->read, g_hash_table_unref);
	g_clear_pointer(&self->lookups, g_ptr_array_unref);
	g_clear_pointer(&self->records, g_ptr_array_unref);
	g_clear_pointer(&self->candidates, cam_candidates_free);
	g_free(self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Derivation, derivation_clear)

/* ---- deriving ---- */

typedef struct {
	Derivation *derivation;
	const CamCandidate *candidate;
	gint64 date;
} RecordContext;

static void
add_record(const char *cve, const char *version, const char *text, gpointer user_data)
{
	const RecordContext *context = user_data;
	const Derivation *self = context->derivation;
	g_autoptr(CamVersionRanges) ranges = cam_version_ranges_new(cam_version_compare_deb);
	CamOsvRecord *record = g_new0(CamOsvRecord, 1);
	g_autofree char *written = NULL;
	const char *identities[] = { cve, NULL }, *none[] = { NULL };

	cam_version_ranges_add_event(ranges, 'i', "0");
	cam_version_ranges_add_event(ranges, 'f', version);
	written = cam_version_ranges_finish(g_steal_pointer(&ranges));
	record->id = g_strdup_printf("%s/%s", context->candidate->name, cve);
	record->identities = g_strdupv((char **) identities);
	record->aliases = g_strdupv((char **) none);
	record->summary = g_strdup(text);
	record->references = g_strdupv((char **) none);
	record->modified = context->date;
	record->affected = g_ptr_array_new_with_free_func((GDestroyNotify) cam_osv_affected_free);
	g_ptr_array_add(record->affected, cam_osv_affected_new(self->os->ecosystem,
							       context->candidate->name, written));
	g_ptr_array_add(self->records, record);
}

static gint64
newest_date(const Derivation *self)
{
	const GPtrArray *releases = self->candidates->releases;
	gint64 date = 0;

	for (guint i = 0; i < releases->len; i++)
		date = MAX(date, ((CamAptRelease *) releases->pdata[i])->date);
	return date;
}

/* *@changelog: (nullable): NULL without error where the package, or its changelog, is not there. */
static gboolean
fetch_changelog(Derivation *self, const CamChangelogFile *binary, char **changelog, gsize *size,
		GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *path = cam_apt_repository_get_deb(
		self->repository, binary->source, binary->filename, binary->sha256, binary->size,
		self->progress, self->cancellable, &local_error);

	*changelog = NULL;
	if (path != NULL)
		*changelog = cam_changelog_read_deb(path, size, self->cancellable, &local_error);
	if (local_error == NULL || g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

/* Reads the changelog of the first binary package that has one, and writes down in @lookup how that
 * went. */
static gboolean
derive(Derivation *self, const CamCandidate *candidate, CamLookup *lookup, GError **error)
{
	RecordContext context = { self, candidate, newest_date(self) };

	for (guint i = 0; i < candidate->binaries->len; i++) {
		const CamChangelogFile *binary = g_ptr_array_index(candidate->binaries, i);
		g_autofree char *changelog = NULL;
		gsize size;

		if (!fetch_changelog(self, binary, &changelog, &size, error))
			return cam_error_translate(error, "changelog of %s", candidate->name);
		if (changelog == NULL)
			continue;
		cam_changelog_foreach_cve(changelog, size, add_record, &context);
		g_hash_table_add(self->read, candidate->name);
		lookup->outcome = CAM_LOOKUP_READ;
		lookup->oldest = cam_changelog_get_oldest(changelog, size);
		return TRUE;
	}
	cam_progress_message(self->progress, "%s %s: its changelog could not be read",
			     candidate->name, candidate->version);
	lookup->outcome = CAM_LOOKUP_FAILED;
	lookup->reason = g_strdup("its changelog could not be read");
	return TRUE;
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

static gboolean
look_up(Derivation *self, const char *name, GError **error)
{
	const CamCandidates *candidates = self->candidates;
	const CamCandidate *candidate = g_hash_table_lookup(candidates->found, name);
	const char *installed =
		candidates->wanted != NULL ? g_hash_table_lookup(candidates->wanted, name) : NULL;
	g_autoptr(CamLookup) lookup = new_lookup(self, name, candidate);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamLookup) old =
		cam_advisory_db_find_lookup(self->db, self->name, name, &local_error);

	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (candidate != NULL && was_read(old, candidate, installed)) {
		lookup->outcome = CAM_LOOKUP_READ;
		lookup->oldest = g_strdup(old->oldest);
	} else if (candidate != NULL &&
		   (installed == NULL ||
		    cam_version_compare_deb(candidate->version, installed) > 0) &&
		   !derive(self, candidate, lookup, error)) {
		return FALSE;
	}
	if (candidates->incomplete != NULL && old != NULL)
		return TRUE;
	if (candidates->incomplete != NULL)
		mark_incomplete(self, lookup);
	g_ptr_array_add(self->lookups, g_steal_pointer(&lookup));
	return TRUE;
}

static gboolean
look_up_all(Derivation *self, GError **error)
{
	g_autoptr(GPtrArray) names = cam_candidates_list_names(self->candidates);
	guint id = cam_progress_begin(self->progress, "changelogs", names->len, CAM_PROGRESS_ITEMS);
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < names->len; i++) {
		ok = look_up(self, g_ptr_array_index(names, i), error);
		cam_progress_advance(self->progress, id, 1);
	}
	cam_progress_end(self->progress, id);
	return ok;
}

/* ---- storing ---- */

static gboolean
put_record(CamAdvisoryUpdate *update, const CamOsvRecord *record, GError **error)
{
	const CamOsvAffected *affected = g_ptr_array_index(record->affected, 0);
	g_autofree char *content =
		g_strconcat(affected->ranges, record->summary != NULL ? record->summary : "", NULL);
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
	gpointer package;

	for (guint i = 0; i < self->records->len; i++)
		if (!put_record(update, g_ptr_array_index(self->records, i), error))
			return FALSE;
	g_hash_table_iter_init(&iter, self->read);
	while (g_hash_table_iter_next(&iter, &package, NULL))
		if (!cam_advisory_update_remove_unseen_below(update, package, error))
			return FALSE;
	for (guint i = 0; i < self->lookups->len; i++)
		if (!cam_advisory_update_set_lookup(update, g_ptr_array_index(self->lookups, i),
						    error))
			return FALSE;
	return TRUE;
}

static gboolean
store(Derivation *self, const GPtrArray *sources, CamFeedResult *result, GError **error)
{
	g_autofree char *url = describe_sources(sources);
	g_autofree char *version = describe_releases(self);
	g_autofree char *note = g_strconcat(NOTE, self->candidates->unread->str, NULL);
	const CamAdvisorySource source = { .name = self->name,
					   .kind = (char *) CAM_ADVISORY_KIND_CHANGELOG,
					   .url = url };
	g_autoptr(CamAdvisoryUpdate) update = cam_advisory_update_begin(self->db, &source, error);

	return update != NULL && put_all(self, update, error) &&
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
	self.lookups = g_ptr_array_new_with_free_func((GDestroyNotify) cam_lookup_free);
	self.read = g_hash_table_new(g_str_hash, g_str_equal);
	if (!cam_candidates_read(self.candidates, repository, sources, architecture, progress,
				 cancellable, error))
		return cam_error_translate(error, "%s", os->ecosystem);
	return look_up_all(&self, error) && store(&self, sources, result, error);
}
