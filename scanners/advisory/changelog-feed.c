/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Debian changelog source: finds the source packages that have news, fetches the smallest
 * binary package of each and turns its changelog into records. What a changelog says is
 * changelog.c's.
 */
#include "scanners/advisory/changelog-feed.h"

#include <string.h>

#include "scanners/advisory/advisory-db-private.h"
#include "scanners/advisory/advisory-match.h"
#include "scanners/advisory/changelog.h"
#include "scanners/apt/deb822.h"

/* How many binary packages of a source are tried: the smallest may ship no changelog. */
#define MAX_TRIES 4

#define NOTE                                                                             \
	"derived from the changelogs of available updates: severities are unknown, and " \
	"vulnerabilities without a fix in the repositories are not known"

/* A binary package that may have the changelog. */
typedef struct {
	char *filename, *sha256;
	gint64 size;
	const CamAptSource *source;
} Binary;

/* A source package with news. */
typedef struct {
	char *name, *version;
	GPtrArray *binaries; /* (element-type Binary), smallest first, at most MAX_TRIES */
} Candidate;

typedef struct {
	CamAdvisoryDb *db;
	CamAptRepository *repository;
	const char *architecture, *ecosystem;
	char *name;		/* of the advisory source */
	GHashTable *wanted;	/* (nullable): source package → lowest installed version */
	GHashTable *candidates; /* source package → Candidate */
	GPtrArray *releases;	/* (element-type CamAptRelease) */
	GString *unread;	/* suites that could not be read, and why */
	GPtrArray *records;	/* (element-type CamOsvRecord) of what was derived now */
	GPtrArray *derived;	/* (element-type Candidate), not owned */
	CamProgress *progress;
	GCancellable *cancellable;
} Derivation;

static void
binary_free(Binary *self)
{
	g_free(self->filename);
	g_free(self->sha256);
	g_free(self);
}

static void
candidate_free(Candidate *self)
{
	g_free(self->name);
	g_free(self->version);
	g_ptr_array_unref(self->binaries);
	g_free(self);
}

static void
derivation_clear(Derivation *self)
{
	g_clear_pointer(&self->derived, g_ptr_array_unref);
	g_clear_pointer(&self->records, g_ptr_array_unref);
	g_clear_pointer(&self->candidates, g_hash_table_unref);
	g_clear_pointer(&self->wanted, g_hash_table_unref);
	g_clear_pointer(&self->releases, g_ptr_array_unref);
	if (self->unread != NULL)
		g_string_free(self->unread, TRUE);
	g_free(self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Derivation, derivation_clear)

/* ---- what has news ---- */

static int
compare_sizes(gconstpointer a, gconstpointer b)
{
	const Binary *left = *(Binary *const *) a, *right = *(Binary *const *) b;

	if (left->size != right->size)
		return left->size < right->size ? -1 : 1;
	return strcmp(left->filename, right->filename);
}

static void
add_binary(Candidate *candidate, CamDeb822 *package, const CamAptSource *source)
{
	g_autofree char *size = cam_deb822_dup(package, "Size");
	Binary *binary = g_new0(Binary, 1);

	binary->filename = cam_deb822_dup(package, "Filename");
	binary->sha256 = cam_deb822_dup(package, "SHA256");
	binary->size = size != NULL ? g_ascii_strtoll(size, NULL, 10) : 0;
	binary->source = source;
	if (binary->filename == NULL || binary->sha256 == NULL || binary->size <= 0) {
		binary_free(binary);
		return;
	}
	g_ptr_array_add(candidate->binaries, binary);
	g_ptr_array_sort(candidate->binaries, compare_sizes);
	if (candidate->binaries->len > MAX_TRIES)
		g_ptr_array_set_size(candidate->binaries, MAX_TRIES);
}

/* "Source: name (version)", each part only where it differs from the package's own. */
static char *
parse_source(CamDeb822 *package, char **version)
{
	g_autofree char *source = cam_deb822_dup(package, "Source");
	char *open = source != NULL ? strstr(source, " (") : NULL;
	char *close = open != NULL ? strchr(open, ')') : NULL;

	if (source == NULL) {
		*version = cam_deb822_dup(package, "Version");
		return cam_deb822_dup(package, "Package");
	}
	if (close == NULL) {
		*version = cam_deb822_dup(package, "Version");
		return g_steal_pointer(&source);
	}
	*open = *close = '\0';
	*version = g_strdup(open + 2);
	return g_steal_pointer(&source);
}

static void
look_at_package(Derivation *self, CamDeb822 *package, const CamAptSource *source)
{
	g_autofree char *version = NULL;
	g_autofree char *name = parse_source(package, &version);
	const char *installed = NULL;
	Candidate *candidate;
	int order;

	if (name == NULL || version == NULL)
		return;
	if (self->wanted != NULL) {
		installed = g_hash_table_lookup(self->wanted, name);
		if (installed == NULL || cam_version_compare_deb(version, installed) <= 0)
			return;
	}
	candidate = g_hash_table_lookup(self->candidates, name);
	order = candidate != NULL ? cam_version_compare_deb(version, candidate->version) : 1;
	if (order < 0)
		return;
	if (order > 0) {
		candidate = g_new0(Candidate, 1);
		candidate->name = g_strdup(name);
		candidate->version = g_strdup(version);
		candidate->binaries = g_ptr_array_new_with_free_func((GDestroyNotify) binary_free);
		g_hash_table_replace(self->candidates, candidate->name, candidate);
	}
	add_binary(candidate, package, source);
}

static gboolean
read_packages(Derivation *self, const CamAptRelease *release, const char *component, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *path = cam_apt_repository_get_packages(
		self->repository, release, component, self->architecture, self->progress,
		self->cancellable, &local_error);
	g_autoptr(GMappedFile) file = NULL;
	g_auto(CamDeb822) package = { 0 };

	/* A component that this architecture lacks has no news for it. */
	if (path == NULL && g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		cam_progress_message(self->progress, "%s", local_error->message);
		return TRUE;
	}
	if (path == NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	file = g_mapped_file_new(path, FALSE, error);
	if (file == NULL)
		return cam_error_translate(error, NULL);
	cam_deb822_init(&package, g_mapped_file_get_contents(file), g_mapped_file_get_length(file));
	while (cam_deb822_next(&package))
		look_at_package(self, &package, release->source);
	return TRUE;
}

/* A suite that cannot be read is told, not fatal: what the others say is still true. */
static void
note_unread(Derivation *self, const CamAptSource *source, const GError *reason)
{
	cam_progress_message(self->progress, "%s", reason->message);
	g_string_append_printf(self->unread, "; %s could not be read (%s)", source->suite,
			       cam_error_code_name(reason->code));
}

static gboolean
read_source(Derivation *self, const CamAptSource *source, GError **error)
{
	static const char *const flat[] = { "", NULL };
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamAptRelease) release = cam_apt_repository_update(
		self->repository, source, self->progress, self->cancellable, &local_error);
	const char *const *components = (const char *const *) source->components;

	if (release == NULL && g_error_matches(local_error, CAM_ERROR, CAM_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (release == NULL) {
		note_unread(self, source, local_error);
		return TRUE;
	}
	if (components[0] == NULL)
		components = flat;
	for (gsize i = 0; components[i] != NULL; i++)
		if (!read_packages(self, release, components[i], error))
			return FALSE;
	g_ptr_array_add(self->releases, g_steal_pointer(&release));
	return TRUE;
}

/* Without a list of packages, only the security suites are worth their downloads. */
static gboolean
read_sources(Derivation *self, const GPtrArray *sources, GError **error)
{
	for (guint i = 0; i < sources->len; i++) {
		const CamAptSource *source = g_ptr_array_index(sources, i);

		if (self->wanted == NULL && !cam_apt_source_is_security(source))
			continue;
		if (!read_source(self, source, error))
			return FALSE;
	}
	if (self->releases->len > 0)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_UNAVAILABLE, "no repository of %s could be read%s",
			     self->ecosystem, self->unread->str);
}

static GHashTable *
list_wanted(const GPtrArray *packages)
{
	GHashTable *wanted = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < packages->len; i++) {
		const CamPackage *package = g_ptr_array_index(packages, i);
		const char *other;

		if (package->type != CAM_PACKAGE_DEB)
			continue;
		other = g_hash_table_lookup(wanted, package->source_name);
		if (other == NULL || cam_version_compare_deb(package->source_version, other) < 0)
			g_hash_table_replace(wanted, package->source_name, package->source_version);
	}
	return wanted;
}

/* ---- deriving ---- */

typedef struct {
	Derivation *derivation;
	const Candidate *candidate;
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
	g_ptr_array_add(record->affected,
			cam_osv_affected_new(self->ecosystem, context->candidate->name, written));
	g_ptr_array_add(self->records, record);
}

static gint64
newest_date(const Derivation *self)
{
	gint64 date = 0;

	for (guint i = 0; i < self->releases->len; i++)
		date = MAX(date, ((CamAptRelease *) self->releases->pdata[i])->date);
	return date;
}

/* *@changelog: (nullable): NULL without error where the package, or its changelog, is not there. */
static gboolean
fetch_changelog(Derivation *self, const Binary *binary, char **changelog, gsize *size,
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

/* Reads the changelog of the first binary package that has one. */
static gboolean
derive(Derivation *self, const Candidate *candidate, gboolean *found, GError **error)
{
	RecordContext context = { self, candidate, newest_date(self) };

	*found = FALSE;
	for (guint i = 0; !*found && i < candidate->binaries->len; i++) {
		const Binary *binary = g_ptr_array_index(candidate->binaries, i);
		g_autofree char *changelog = NULL;
		gsize size;

		if (!fetch_changelog(self, binary, &changelog, &size, error))
			return cam_error_translate(error, "changelog of %s", candidate->name);
		if (changelog == NULL)
			continue;
		cam_changelog_foreach_cve(changelog, size, add_record, &context);
		*found = TRUE;
	}
	return TRUE;
}

static int
compare_candidates(gconstpointer a, gconstpointer b)
{
	return strcmp((*(Candidate *const *) a)->name, (*(Candidate *const *) b)->name);
}

/* Those whose version was not read before, by name. */
static GPtrArray *
list_new(Derivation *self, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	GHashTableIter iter;
	gpointer candidate;

	g_hash_table_iter_init(&iter, self->candidates);
	while (g_hash_table_iter_next(&iter, NULL, &candidate)) {
		const Candidate *c = candidate;
		g_autoptr(GError) local_error = NULL;

		if (cam_advisory_db_is_derived(self->db, self->name, c->name, c->version,
					       &local_error))
			continue;
		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
		g_ptr_array_add(list, candidate);
	}
	g_ptr_array_sort(list, compare_candidates);
	return g_steal_pointer(&list);
}

/* A source whose changelog cannot be had now is told and asked for again the next time. */
static gboolean
derive_all(Derivation *self, const GPtrArray *candidates, GError **error)
{
	gboolean ok = TRUE;
	guint missing = 0;
	guint id = cam_progress_begin(self->progress, "changelogs", candidates->len,
				      CAM_PROGRESS_ITEMS);

	for (guint i = 0; ok && i < candidates->len; i++) {
		Candidate *candidate = g_ptr_array_index(candidates, i);
		gboolean found;

		ok = derive(self, candidate, &found, error);
		if (ok && found) {
			g_ptr_array_add(self->derived, candidate);
		} else if (ok) {
			missing++;
			cam_progress_message(self->progress,
					     "%s %s: its changelog is not to be had",
					     candidate->name, candidate->version);
		}
		cam_progress_advance(self->progress, id, 1);
	}
	cam_progress_end(self->progress, id);
	if (missing > 0)
		g_string_append_printf(self->unread, "; %u changelogs were not to be had", missing);
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
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < self->releases->len; i++) {
		const CamAptRelease *release = g_ptr_array_index(self->releases, i);
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
store(Derivation *self, const GPtrArray *sources, CamFeedResult *result, GError **error)
{
	g_autofree char *url = describe_sources(sources);
	g_autofree char *version = describe_releases(self);
	g_autofree char *note = g_strconcat(NOTE, self->unread->str, NULL);
	const CamAdvisorySource source = { .name = self->name,
					   .kind = (char *) CAM_ADVISORY_KIND_CHANGELOG,
					   .url = url };
	g_autoptr(CamAdvisoryUpdate) update = cam_advisory_update_begin(self->db, &source, error);

	if (update == NULL)
		return FALSE;
	for (guint i = 0; i < self->records->len; i++)
		if (!put_record(update, g_ptr_array_index(self->records, i), error))
			return FALSE;
	for (guint i = 0; i < self->derived->len; i++) {
		const Candidate *candidate = g_ptr_array_index(self->derived, i);

		if (!cam_advisory_update_set_derived(update, candidate->name, candidate->version,
						     error))
			return FALSE;
	}
	return cam_advisory_update_commit(update, version, newest_date(self), note, result, error);
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
				    .ecosystem = os->ecosystem,
				    .progress = progress,
				    .cancellable = cancellable };
	g_autoptr(GPtrArray) candidates = NULL;

	if (os->ecosystem == NULL ||
	    cam_version_compare_for_ecosystem(os->ecosystem) != cam_version_compare_deb)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "changelogs are read for Debian and its kin only, not for %s",
				     os->pretty_name != NULL ? os->pretty_name : os->id);
	self.name = g_strconcat(CAM_ADVISORY_KIND_CHANGELOG ":",
				os->codename != NULL ? os->codename : os->ecosystem, NULL);
	self.wanted = packages != NULL ? list_wanted(packages) : NULL;
	self.candidates = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
						(GDestroyNotify) candidate_free);
	self.releases = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_release_free);
	self.records = g_ptr_array_new_with_free_func((GDestroyNotify) cam_osv_record_free);
	self.derived = g_ptr_array_new();
	self.unread = g_string_new(NULL);
	if (!read_sources(&self, sources, error))
		return FALSE;
	candidates = list_new(&self, error);
	return candidates != NULL && derive_all(&self, candidates, error) &&
	       store(&self, sources, result, error);
}
