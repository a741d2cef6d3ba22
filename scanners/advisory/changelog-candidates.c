/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which version of a source package is the newest in the repositories, and which files have its
 * changelog. Fetching these is changelog-feed.c's.
 */
#include "scanners/advisory/changelog-candidates.h"

#include <string.h>

#include "scanners/advisory/version.h"
#include "scanners/apt/deb822.h"

/* One source that could not be read. */
typedef struct {
	const CamAptSource *source;
	int code; /* CamError */
} Failure;

static void
candidate_free(CamCandidate *self)
{
	g_free(self->name);
	g_free(self->version);
	g_free(self->security);
	g_ptr_array_unref(self->binaries);
	g_free(self);
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

CamCandidates *
cam_candidates_new(const GPtrArray *packages)
{
	CamCandidates *self = g_new0(CamCandidates, 1);

	self->wanted = packages != NULL ? list_wanted(packages) : NULL;
	self->found = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					    (GDestroyNotify) candidate_free);
	self->releases = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_release_free);
	self->failures = g_ptr_array_new_with_free_func(g_free);
	self->unread = g_string_new(NULL);
	return self;
}

void
cam_candidates_free(CamCandidates *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->wanted, g_hash_table_unref);
	g_hash_table_unref(self->found);
	g_ptr_array_unref(self->releases);
	g_ptr_array_unref(self->failures);
	g_string_free(self->unread, TRUE);
	g_free(self->incomplete);
	g_free(self);
}

/* ---- one package of an index ---- */

static void
add_binary(CamCandidate *candidate, CamDeb822 *package, const CamAptSource *source)
{
	g_autofree char *size = cam_deb822_dup(package, "Size");
	g_autofree char *filename = cam_deb822_dup(package, "Filename");
	g_autofree char *sha256 = cam_deb822_dup(package, "SHA256");
	CamAptFile *binary = cam_apt_file_new(source, filename, sha256,
					      size != NULL ? g_ascii_strtoll(size, NULL, 10) : 0);

	if (binary == NULL)
		return;
	g_ptr_array_add(candidate->binaries, binary);
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

static CamCandidate *
candidate_new(const char *name, const char *version, const CamAptSource *source)
{
	CamCandidate *self = g_new0(CamCandidate, 1);

	self->name = g_strdup(name);
	self->version = g_strdup(version);
	self->source = source;
	self->binaries = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_file_free);
	return self;
}

static void
note_security(CamCandidate *self, const char *version, const CamAptSource *source)
{
	if (g_str_equal(version, self->version))
		self->source = source;
	if (self->security != NULL && cam_version_compare_deb(version, self->security) <= 0)
		return;
	g_free(self->security);
	self->security = g_strdup(version);
}

static void
look_at_package(CamCandidates *self, CamDeb822 *package, const CamAptSource *source)
{
	g_autofree char *version = NULL;
	g_autofree char *name = parse_source(package, &version);
	CamCandidate *candidate;
	int order;

	if (name == NULL || version == NULL ||
	    (self->wanted != NULL && !g_hash_table_contains(self->wanted, name)))
		return;
	candidate = g_hash_table_lookup(self->found, name);
	order = candidate != NULL ? cam_version_compare_deb(version, candidate->version) : 1;
	if (order > 0) {
		CamCandidate *newer = candidate_new(name, version, source);

		newer->security = candidate != NULL ? g_steal_pointer(&candidate->security) : NULL;
		candidate = newer;
		g_hash_table_replace(self->found, candidate->name, candidate);
	}
	if (cam_apt_source_is_security(source))
		note_security(candidate, version, source);
	if (order >= 0)
		add_binary(candidate, package, source);
}

/* ---- the indexes ---- */

typedef struct {
	CamCandidates *candidates;
	CamAptRepository *repository;
	const char *architecture;
	CamProgress *progress;
	GCancellable *cancellable;
} Reading;

static gboolean
read_packages(const Reading *self, const CamAptRelease *release, const char *component,
	      GError **error)
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
	while (cam_deb822_next(&package)) {
		if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
			return cam_error_translate(error, NULL);
		look_at_package(self->candidates, &package, release->source);
	}
	return TRUE;
}

/* Whether a suite of this name was read from elsewhere. */
static gboolean
is_read(const CamCandidates *self, const char *suite)
{
	for (guint i = 0; i < self->releases->len; i++) {
		const CamAptRelease *release = g_ptr_array_index(self->releases, i);

		if (g_str_equal(release->source->suite, suite))
			return TRUE;
	}
	return FALSE;
}

/* Whether another location that an image proposes can only tell what is known: its suite and
 * components were read. */
static gboolean
is_served(const CamCandidates *self, const CamAptSource *source)
{
	for (guint i = 0; i < self->releases->len; i++) {
		const CamAptSource *other = ((CamAptRelease *) self->releases->pdata[i])->source;
		gboolean all = g_str_equal(other->suite, source->suite);

		for (gsize c = 0; all && source->components[c] != NULL; c++)
			all = g_strv_contains((const char *const *) other->components,
					      source->components[c]);
		if (all)
			return TRUE;
	}
	return FALSE;
}

/* A server that did not answer is not asked for its other suites, if an image has brought it. */
static gboolean
is_dead(const CamCandidates *self, const CamAptSource *source)
{
	for (guint i = 0; i < self->failures->len; i++) {
		const Failure *failure = g_ptr_array_index(self->failures, i);

		if (failure->code == CAM_ERROR_UNAVAILABLE &&
		    g_str_equal(failure->source->uri, source->uri))
			return TRUE;
	}
	return FALSE;
}

static void
note_failure(CamCandidates *self, const CamAptSource *source, int code)
{
	Failure *failure = g_new0(Failure, 1);

	failure->source = source;
	failure->code = code;
	g_ptr_array_add(self->failures, failure);
}

/* A suite that cannot be read is told, not fatal: what the others say is still true. A mirror may
 * lack a suite of updates, never that of security. What an image proposes beside a source of the
 * suite that was read are further components or another location: packages of these are not judged
 * then, all others are, so that no image keeps its release from being judged. */
static void
sum_up_failures(CamCandidates *self)
{
	for (guint i = 0; i < self->failures->len; i++) {
		const Failure *failure = g_ptr_array_index(self->failures, i);
		const CamAptSource *source = failure->source;
		gboolean proposed = source->provenance == CAM_APT_PROPOSED;

		if (proposed && is_served(self, source))
			continue;
		g_string_append_printf(self->unread, "; %s could not be read (%s)", source->suite,
				       cam_error_code_name(failure->code));
		if (proposed && is_read(self, source->suite))
			continue;
		if (self->incomplete == NULL &&
		    (cam_apt_source_is_security(source) || failure->code != CAM_ERROR_NOT_FOUND))
			self->incomplete = g_strdup(source->suite);
	}
}

/* An image that leaves the security suite out must not make its release look clean. The machine
 * may: its owner knows. */
static void
check_security(CamCandidates *self)
{
	for (guint i = 0; i < self->releases->len; i++) {
		const CamAptSource *source = ((CamAptRelease *) self->releases->pdata[i])->source;

		if (source->provenance != CAM_APT_PROPOSED || cam_apt_source_is_security(source))
			return;
	}
	if (self->incomplete != NULL)
		return;
	self->incomplete = g_strdup("the security suite");
	g_string_append(self->unread, "; no image of the release names its security suite");
}

static gboolean
read_source(const Reading *self, const CamAptSource *source, GError **error)
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
		cam_progress_message(self->progress, "%s", local_error->message);
		note_failure(self->candidates, source, local_error->code);
		return TRUE;
	}
	if (components[0] == NULL)
		components = flat;
	for (gsize i = 0; components[i] != NULL; i++) {
		if (read_packages(self, release, components[i], &local_error))
			continue;
		if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_CANCELLED)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		cam_progress_message(self->progress, "%s", local_error->message);
		note_failure(self->candidates, source, local_error->code);
		return TRUE;
	}
	g_ptr_array_add(self->candidates->releases, g_steal_pointer(&release));
	return TRUE;
}

gboolean
cam_candidates_read(CamCandidates *self, CamAptRepository *repository, const GPtrArray *sources,
		    const char *architecture, CamProgress *progress, GCancellable *cancellable,
		    GError **error)
{
	const Reading reading = { self, repository, architecture, progress, cancellable };

	for (guint i = 0; i < sources->len; i++) {
		const CamAptSource *source = g_ptr_array_index(sources, i);

		/* What an image's own keys vouch for says nothing about other images. */
		if (source->image_only ||
		    (self->wanted == NULL && !cam_apt_source_is_security(source)))
			continue;
		if (source->provenance == CAM_APT_PROPOSED &&
		    (is_served(self, source) || is_dead(self, source)))
			continue;
		if (!read_source(&reading, source, error))
			return FALSE;
	}
	sum_up_failures(self);
	if (self->releases->len > 0) {
		check_security(self);
		return TRUE;
	}
	return cam_set_error(error, CAM_ERROR_UNAVAILABLE, "no repository could be read%s",
			     self->unread->str);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
cam_candidates_list_names(const CamCandidates *self)
{
	GHashTable *table = self->wanted != NULL ? self->wanted : self->found;
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, compare_names);
	return names;
}
