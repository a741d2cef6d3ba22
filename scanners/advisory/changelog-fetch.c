/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The changelogs of candidates: which file of the repository has it, fetched many at a time, tried
 * one after the other. What is made of the text is changelog-records.c's.
 */
#include "scanners/advisory/changelog-fetch.h"

#include <glib/gstdio.h>
#include <string.h>

#include "scanners/advisory/changelog-file.h"
#include "scanners/advisory/changelog.h"
#include "scanners/advisory/version.h"

/* Files that are on disk at the same time. */
#define BATCH_SIZE 32
/* The largest file that is fetched for its changelog. */
#define MAX_FILE_SIZE ((gint64) 64 * 1024 * 1024)
/* Of one changelog: the documentation of most binary packages may be a link to that of another. */
#define MAX_TRIES 8
/* A binary package up to this size is fetched next once another one has led to it. */
#define MAX_PREFERRED_SIZE ((gint64) 8 * 1024 * 1024)
/* Up to here a source package is asked before any binary one. */
#define SMALL_SOURCE_SIZE ((gint64) 4 * 1024 * 1024)

/* The search for one changelog. */
typedef struct {
	const CamCandidate *candidate;
	const char *installed; /* (nullable): the lowest version that must be reached */
	CamAptFile *source;    /* (nullable) */
	GPtrArray *files;      /* (element-type CamAptFile), not owned, in the order of trying */
	CamAptFile *large;     /* (nullable): one of these that is known to have it */
	guint next;	       /* of these */
	char *text;	       /* (nullable): one that is cut off */
	char *problem;	       /* (nullable): of the file that was tried first */
	gsize size;
} Search;

typedef struct {
	const CamCandidates *candidates;
	CamAptRepository *repository;
	CamProgress *progress;
	guint phase;
	GCancellable *cancellable;
	CamChangelogTake take;
	gpointer user_data;
} Fetch;

static void
search_free(Search *self)
{
	cam_apt_file_free(self->source);
	g_ptr_array_unref(self->files);
	g_free(self->text);
	g_free(self->problem);
	g_free(self);
}

static Search *
search_new(const CamCandidates *candidates, const CamCandidate *candidate)
{
	Search *self = g_new0(Search, 1);

	self->candidate = candidate;
	self->installed = candidates->wanted != NULL
				  ? g_hash_table_lookup(candidates->wanted, candidate->name)
				  : NULL;
	self->files = g_ptr_array_new();
	return self;
}

/* ---- which files ---- */

static void
read_index(GHashTable *searches, const char *path, const CamAptSource *source)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
	g_auto(CamDeb822) paragraph = { 0 };

	if (file == NULL)
		return;
	cam_deb822_init(&paragraph, g_mapped_file_get_contents(file),
			g_mapped_file_get_length(file));
	while (cam_deb822_next(&paragraph)) {
		g_autofree char *name = cam_deb822_dup(&paragraph, "Package");
		Search *search = name != NULL ? g_hash_table_lookup(searches, name) : NULL;
		g_autofree char *version = NULL;

		if (search == NULL || search->source != NULL || search->candidate->source != source)
			continue;
		version = cam_deb822_dup(&paragraph, "Version");
		if (g_strcmp0(version, search->candidate->version) == 0)
			search->source = cam_apt_file_from_sources(&paragraph, source);
	}
}

/* An index of sources that cannot be had leaves the binary packages. */
static gboolean
read_release(const Fetch *self, GHashTable *searches, const CamAptRelease *release, GError **error)
{
	static const char *const flat[] = { "", NULL };
	const char *const *components = (const char *const *) release->source->components;

	if (components[0] == NULL)
		components = flat;
	for (gsize i = 0; components[i] != NULL; i++) {
		g_autoptr(GError) local_error = NULL;
		g_autofree char *path = cam_apt_repository_get_sources(
			self->repository, release, components[i], self->progress, self->cancellable,
			&local_error);

		if (path != NULL) {
			read_index(searches, path, release->source);
		} else if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_CANCELLED)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		} else {
			cam_progress_message(self->progress, "%s", local_error->message);
		}
	}
	return TRUE;
}

static gboolean
find_sources(const Fetch *self, const GPtrArray *searches, GError **error)
{
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL);
	const GPtrArray *releases = self->candidates->releases;

	for (guint i = 0; i < searches->len; i++) {
		Search *search = g_ptr_array_index(searches, i);

		g_hash_table_insert(by_name, search->candidate->name, search);
		g_hash_table_add(asked, (gpointer) search->candidate->source);
	}
	for (guint i = 0; i < releases->len; i++) {
		const CamAptRelease *release = g_ptr_array_index(releases, i);

		if (g_hash_table_contains(asked, release->source) &&
		    !read_release(self, by_name, release, error))
			return FALSE;
	}
	return TRUE;
}

static int
compare_sizes(gconstpointer a, gconstpointer b)
{
	const CamAptFile *left = *(CamAptFile *const *) a;
	const CamAptFile *right = *(CamAptFile *const *) b;

	if (left->size != right->size)
		return left->size < right->size ? -1 : 1;
	return strcmp(left->filename, right->filename);
}

static void
order_files(Search *self)
{
	const GPtrArray *binaries = self->candidate->binaries;
	gboolean first = self->source != NULL && self->source->size <= SMALL_SOURCE_SIZE;

	g_ptr_array_sort(self->candidate->binaries, compare_sizes);
	if (first)
		g_ptr_array_add(self->files, self->source);
	for (guint i = 0; i < binaries->len; i++)
		g_ptr_array_add(self->files, g_ptr_array_index(binaries, i));
	if (self->source != NULL && !first)
		g_ptr_array_add(self->files, self->source);
	for (guint i = self->files->len; i-- > 0;)
		if (((CamAptFile *) self->files->pdata[i])->size > MAX_FILE_SIZE)
			g_ptr_array_remove_index(self->files, i);
}

/* ---- reading ---- */

/* (nullable) (transfer full) */
static char *
read_changelog(const Fetch *self, Search *search, const CamAptFile *file, gsize *size,
	       char **elsewhere)
{
	g_autoptr(GError) error = NULL;
	char *text = NULL;

	if (file->path != NULL)
		text = cam_changelog_read_file(file->path, file->filename, size, elsewhere,
					       self->cancellable, &error);
	if (search->problem == NULL && (error != NULL || file->error != NULL))
		search->problem = g_strdup((error != NULL ? error : file->error)->message);
	/* Packages may be installed later; of a source package nothing else is needed. */
	if (file->path != NULL && !g_str_has_suffix(file->path, ".deb"))
		g_unlink(file->path);
	return text;
}

/* The file of the binary package @name comes next, unless it was tried. */
static void
prefer_binary(Search *search, const char *name)
{
	g_autofree char *start = g_strconcat(name, "_", NULL);

	for (guint i = search->next; i < search->files->len; i++) {
		CamAptFile *file = g_ptr_array_index(search->files, i);
		g_autofree char *base = g_path_get_basename(file->filename);

		if (!g_str_has_prefix(base, start))
			continue;
		/* A large one waits for its turn, which comes before the tries are used up. */
		if (file->size > MAX_PREFERRED_SIZE) {
			search->large = file;
			return;
		}
		g_ptr_array_remove_index(search->files, i);
		g_ptr_array_insert(search->files, search->next, file);
		return;
	}
}

/* Whether the search is over. Of several that are cut off the first stays. */
static gboolean
try_file(const Fetch *self, Search *search, const CamAptFile *file)
{
	gsize size;
	g_autofree char *elsewhere = NULL;
	g_autofree char *text = read_changelog(self, search, file, &size, &elsewhere);
	g_autofree char *oldest = NULL;
	gboolean last;

	if (elsewhere != NULL)
		prefer_binary(search, elsewhere);
	last = search->next == search->files->len || search->next == MAX_TRIES;
	if (text == NULL)
		return last;
	oldest = cam_changelog_get_oldest(text, size);
	if (oldest == NULL || search->text == NULL) {
		g_free(search->text);
		search->text = g_steal_pointer(&text);
		search->size = size;
	}
	return oldest == NULL || last ||
	       (search->installed != NULL &&
		cam_version_compare_deb(search->installed, oldest) >= 0);
}

static void
finish(const Fetch *self, Search *search)
{
	if (search->text == NULL)
		cam_progress_message(self->progress, "%s %s: its changelog could not be read%s%s",
				     search->candidate->name, search->candidate->version,
				     search->problem != NULL ? ": " : "",
				     search->problem != NULL ? search->problem : "");
	self->take(search->candidate, search->text, search->size, self->user_data);
	g_clear_pointer(&search->text, g_free);
	cam_progress_advance(self->progress, self->phase, 1);
}

static CamAptFile *
take_next_file(Search *search)
{
	guint index = search->next;

	if (search->large != NULL && search->next == MAX_TRIES - 1) {
		g_ptr_array_remove(search->files, search->large);
		g_ptr_array_insert(search->files, MIN(index, search->files->len), search->large);
	}
	return g_ptr_array_index(search->files, search->next++);
}

/* Tries the next file of each; those whose search goes on stay in @batch. */
static gboolean
try_next_files(const Fetch *self, GPtrArray *batch, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new();
	guint kept = 0;

	for (guint i = 0; i < batch->len; i++) {
		Search *search = g_ptr_array_index(batch, i);

		g_ptr_array_add(files, take_next_file(search));
	}
	if (!cam_apt_files_fetch(files, cam_apt_repository_get_cache(self->repository),
				 self->cancellable, error))
		return FALSE;
	for (guint i = 0; i < batch->len; i++) {
		Search *search = g_ptr_array_index(batch, i);

		if (try_file(self, search, g_ptr_array_index(files, i)))
			finish(self, search);
		else
			batch->pdata[kept++] = search;
	}
	g_ptr_array_set_size(batch, kept);
	return TRUE;
}

static gboolean
run_batch(const Fetch *self, const GPtrArray *searches, guint first, GError **error)
{
	g_autoptr(GPtrArray) batch = g_ptr_array_new();

	for (guint i = first; i < MIN(first + BATCH_SIZE, searches->len); i++) {
		Search *search = g_ptr_array_index(searches, i);

		order_files(search);
		if (search->files->len > 0)
			g_ptr_array_add(batch, search);
		else
			finish(self, search);
	}
	while (batch->len > 0)
		if (!try_next_files(self, batch, error))
			return FALSE;
	return TRUE;
}

gboolean
cam_changelogs_fetch(const CamCandidates *candidates, const GPtrArray *wanted,
		     CamAptRepository *repository, CamProgress *progress, GCancellable *cancellable,
		     CamChangelogTake take, gpointer user_data, GError **error)
{
	g_autoptr(GPtrArray) searches =
		g_ptr_array_new_with_free_func((GDestroyNotify) search_free);
	Fetch self = { candidates, repository, progress, 0, cancellable, take, user_data };
	gboolean ok;

	if (wanted->len == 0)
		return TRUE;
	for (guint i = 0; i < wanted->len; i++)
		g_ptr_array_add(searches, search_new(candidates, g_ptr_array_index(wanted, i)));
	ok = find_sources(&self, searches, error);
	self.phase = cam_progress_begin(progress, "changelogs", wanted->len, CAM_PROGRESS_ITEMS);
	for (guint i = 0; ok && i < searches->len; i += BATCH_SIZE)
		ok = run_batch(&self, searches, i, error);
	cam_progress_end(progress, self.phase);
	return ok;
}
