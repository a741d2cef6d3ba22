/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OSV feeds: which kind a location is, and the one transaction in which any of them is read. How
 * each kind is read is osv-feed.c's and git-feed.c's.
 */
#include "scanners/advisory/feed.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_NAMED_RECORDS 10
#define HASH_CHUNK_SIZE	  (256 * 1024)

typedef enum {
	FEED_GIT,
	FEED_DIRECTORY,
	FEED_ZIP,
	FEED_TAR,
	FEED_LINES,
} FeedType;

/* How a kind is called, and by what its files are known. */
static const struct {
	FeedType type;
	const char *kind;
	const char *suffixes[9];
	gboolean (*read)(CamFeedRun *run, const char *path, GError **error);
} feeds[] = {
	{ FEED_GIT, "osv-git", { ".git" }, NULL },
	{ FEED_DIRECTORY, "osv-directory", { NULL }, cam_osv_feed_read_directory },
	{ FEED_ZIP, "osv-zip", { ".zip" }, cam_osv_feed_read_zip },
	{ FEED_TAR,
	  "osv-tar",
	  { ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tar.bz2" },
	  cam_osv_feed_read_tar },
	{ FEED_LINES,
	  "osv-jsonl",
	  { ".jsonl", ".jsonl.gz", ".jsonl.xz", ".jsonl.zst", ".jsonl.bz2", ".ndjson", ".json",
	    ".json.xz" },
	  cam_osv_feed_read_lines },
};

/* A feed on its way into the database. */
typedef struct {
	FeedType type;
	char *url;  /* where it is read from again */
	char *path; /* of the files; NULL for git */
	char *name;
} Feed;

static void
feed_free(Feed *self)
{
	g_free(self->url);
	g_free(self->path);
	g_free(self->name);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Feed, feed_free)

/* ---- one record ---- */

gboolean
cam_feed_run_is_record_name(const char *path)
{
	return g_str_has_suffix(path, ".json");
}

gboolean
cam_feed_run_skip(CamFeedRun *self, const char *key, const char *reason, GError **error)
{
	guint64 n = cam_advisory_update_get_result(self->update)->malformed;

	if (n < MAX_NAMED_RECORDS)
		cam_progress_message(self->progress, "left out the record %s: %s",
				     key != NULL ? key : "of one line", reason);
	else if (n == MAX_NAMED_RECORDS)
		cam_progress_message(self->progress, "more malformed records are only counted");
	self->lost_its_place |= key == NULL;
	return cam_advisory_update_keep(self->update, key, error);
}

static void
digest_of(const char *data, gsize size, CamSha256 *digest)
{
	g_autoptr(CamHasher) hasher = cam_hasher_new();

	cam_hasher_update(hasher, data, size);
	cam_hasher_finish_sha256(hasher, digest);
}

gboolean
cam_feed_run_take(CamFeedRun *self, const char *key, const char *data, gsize size, GError **error)
{
	g_autoptr(CamOsvRecord) record = NULL;
	g_autoptr(GError) local_error = NULL;
	CamSha256 digest;

	if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
		return cam_error_translate(error, NULL);
	cam_progress_advance(self->progress, self->phase, 1);
	digest_of(data, size, &digest);
	if (key != NULL) {
		if (cam_advisory_update_is_known(self->update, key, &digest, &local_error))
			return TRUE;
		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
	}
	record = cam_osv_record_parse(data, size, &local_error);
	if (record == NULL)
		return cam_feed_run_skip(self, key, local_error->message, error);
	if (key == NULL) {
		key = record->id;
		if (cam_advisory_update_is_known(self->update, key, &digest, &local_error))
			return TRUE;
		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
	}
	return cam_advisory_update_put(self->update, key, &digest, record, error);
}

/* ---- locations ---- */

static gboolean
is_url(const char *location)
{
	g_autofree char *scheme = g_uri_parse_scheme(location);

	return scheme != NULL && strstr(location, "://") != NULL;
}

static gboolean
has_inside(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Something that git would clone: by its name, or because it is a repository. */
static gboolean
is_git(const char *location)
{
	if (g_str_has_prefix(location, "git+") || g_str_has_prefix(location, "git://") ||
	    g_str_has_prefix(location, "ssh://") || g_str_has_suffix(location, ".git"))
		return TRUE;
	if (is_url(location))
		return FALSE;
	return has_inside(location, ".git") ||
	       (has_inside(location, "objects") && has_inside(location, "HEAD"));
}

/* FALSE where the name says nothing. */
static gboolean
find_type_by_name(const char *location, FeedType *type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(feeds); i++) {
		for (gsize s = 0; feeds[i].suffixes[s] != NULL; s++) {
			if (g_str_has_suffix(location, feeds[i].suffixes[s])) {
				*type = feeds[i].type;
				return TRUE;
			}
		}
	}
	return FALSE;
}

static gboolean
find_type(const char *location, FeedType *type, GError **error)
{
	if (is_git(location)) {
		*type = FEED_GIT;
		return TRUE;
	}
	if (!is_url(location) && !g_file_test(location, G_FILE_TEST_EXISTS))
		return cam_set_error(error, CAM_ERROR_NOT_FOUND, "there is no feed at %s",
				     location);
	if (g_file_test(location, G_FILE_TEST_IS_DIR)) {
		*type = FEED_DIRECTORY;
		return TRUE;
	}
	if (find_type_by_name(location, type))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "cannot tell what kind of feed %s is: name a directory, a git "
			     "repository, or a file that ends in .zip, .jsonl or .tar (or one of "
			     "these with .gz, .xz or .zst)",
			     location);
}

/* Fetches a feed that lies elsewhere to a file of @directory. */
static char *
fetch(const char *url, const char *directory, CamProgress *progress, GCancellable *cancellable,
      GError **error)
{
	g_autoptr(CamHttpClient) http = cam_http_client_new();
	g_autofree char *digest = cam_digest_for_data(url, strlen(url));
	g_autofree char *base = g_path_get_basename(url);
	g_autofree char *path =
		g_strdup_printf("%s/%.16s-%s", directory, cam_digest_hex(digest), base);

	if (!cam_mkdirs_at(AT_FDCWD, directory, 0755, error))
		return NULL;
	/* Without a digest to hold it against, what is there may be old. */
	g_unlink(path);
	if (!cam_http_client_download(http, url, AT_FDCWD, path, NULL, -1, progress, cancellable,
				      error))
		return NULL;
	return g_steal_pointer(&path);
}

static Feed *
feed_new(const char *location, const char *name, const char *git_dir, CamProgress *progress,
	 GCancellable *cancellable, GError **error)
{
	g_autoptr(Feed) self = g_new0(Feed, 1);

	if (!find_type(location, &self->type, error))
		return NULL;
	if (g_str_has_prefix(location, "git+"))
		self->url = g_strdup(location + strlen("git+"));
	else if (is_url(location) || !g_file_test(location, G_FILE_TEST_EXISTS))
		self->url = g_strdup(location);
	else
		self->url = g_canonicalize_filename(location, NULL);
	self->name = name != NULL ? g_strdup(name) : g_strconcat("osv:", self->url, NULL);
	if (self->type != FEED_GIT) {
		self->path = is_url(self->url)
				     ? fetch(self->url, git_dir, progress, cancellable, error)
				     : g_strdup(self->url);
		if (self->path == NULL)
			return NULL;
	}
	return g_steal_pointer(&self);
}

/* ---- reading ---- */

/* (transfer full): "sha256:…" of a file; NULL for a directory, whose records each have theirs. */
static char *
hash_file(const char *path, GCancellable *cancellable, GError **error)
{
	g_autoptr(GInputStream) stream = cam_feed_open_file(path, error);
	g_autofree char *chunk = g_malloc(HASH_CHUNK_SIZE);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	gssize n;

	if (stream == NULL)
		return NULL;
	while ((n = g_input_stream_read(stream, chunk, HASH_CHUNK_SIZE, cancellable, error)) > 0)
		cam_hasher_update(hasher, chunk, n);
	if (n < 0) {
		cam_error_translate(error, "%s", path);
		return NULL;
	}
	return cam_hasher_finish(hasher);
}

/* Reads a feed of files as a whole, unless it is the file that was read last. */
static gboolean
read_files(CamFeedRun *run, const Feed *feed, const CamAdvisorySource *old, char **version,
	   GError **error)
{
	if (feed->type == FEED_DIRECTORY) {
		/* The newest record's time is all the version that a directory has. */
		*version = g_strdup("");
	} else {
		*version = hash_file(feed->path, run->cancellable, error);
		if (*version == NULL)
			return FALSE;
		if (old != NULL && g_str_equal(old->version, *version)) {
			cam_advisory_update_count_unchanged(run->update, old->records);
			run->has_end = !old->completeness_unknown;
			return TRUE;
		}
	}
	if (!feeds[feed->type].read(run, feed->path, error))
		return FALSE;
	/* A line that cannot be read may be any record that is missing now. */
	return run->lost_its_place || cam_advisory_update_remove_unseen(run->update, error);
}

/* (transfer full) (nullable): what reports must tell of the source. */
static char *
make_note(const CamFeedRun *run)
{
	guint64 malformed = cam_advisory_update_get_result(run->update)->malformed;
	g_autoptr(GPtrArray) parts = g_ptr_array_new_null_terminated(3, g_free, TRUE);

	if (malformed > 0)
		g_ptr_array_add(parts, g_strdup_printf("%" G_GUINT64_FORMAT
						       " malformed records were left out",
						       malformed));
	if (!run->has_end)
		g_ptr_array_add(parts, g_strdup("completeness unknown: this kind of feed has no "
						"length, checksum or end mark"));
	return parts->len > 0 ? g_strjoinv("; ", (char **) parts->pdata) : NULL;
}

static gboolean
read_feed(CamFeedRun *run, const Feed *feed, const char *git_dir, const CamAdvisorySource *old,
	  CamFeedFlags flags, CamFeedResult *result, GError **error)
{
	g_autofree char *version = NULL, *note = NULL;
	gboolean ok;

	if (feed->type == FEED_GIT)
		ok = cam_git_feed_read(run, feed->url, git_dir, old != NULL ? old->version : NULL,
				       &version, error);
	else
		ok = read_files(run, feed, old, &version, error);
	if (!ok || !cam_feed_check_records(run, feed->path, old, flags, error))
		return cam_error_translate(error, "feed %s", feed->name);
	if (!run->has_end)
		cam_advisory_update_set_no_end(run->update);
	note = make_note(run);
	return cam_advisory_update_commit(run->update, version, 0, note, result, error);
}

gboolean
cam_feed_import_osv(CamAdvisoryDb *db, const char *location, const char *name, const char *git_dir,
		    CamFeedFlags flags, CamProgress *progress, CamFeedResult *result,
		    GCancellable *cancellable, GError **error)
{
	g_autoptr(Feed) feed = feed_new(location, name, git_dir, progress, cancellable, error);
	g_autoptr(CamAdvisorySource) old = NULL;
	g_autoptr(CamAdvisoryUpdate) update = NULL;
	g_autoptr(GError) local_error = NULL;
	g_autofree char *phase = NULL;
	CamFeedRun run = { .progress = progress, .cancellable = cancellable };
	CamAdvisorySource source = { 0 };
	gboolean ok;

	if (feed == NULL)
		return FALSE;
	old = cam_advisory_db_find_source(db, feed->name, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	source.name = feed->name;
	source.kind = (char *) feeds[feed->type].kind;
	source.url = feed->url;
	update = cam_advisory_update_begin(db, &source, error);
	if (update == NULL)
		return FALSE;
	phase = g_strdup_printf("advisories of %s", feed->name);
	run.update = update;
	run.phase = cam_progress_begin(progress, phase, 0, CAM_PROGRESS_ITEMS);
	ok = read_feed(&run, feed, git_dir, old, flags, result, error);
	cam_progress_end(progress, run.phase);
	return ok;
}

static void
add_result(CamFeedResult *total, const CamFeedResult *part)
{
	total->added += part->added;
	total->changed += part->changed;
	total->removed += part->removed;
	total->unchanged += part->unchanged;
	total->malformed += part->malformed;
}

gboolean
cam_feed_update(CamAdvisoryDb *db, const char *name, const char *git_dir, CamFeedFlags flags,
		CamProgress *progress, CamFeedResult *result, GCancellable *cancellable,
		GError **error)
{
	g_autoptr(GPtrArray) sources = cam_advisory_db_list_sources(db, error);
	CamFeedResult total = { 0 };
	gboolean found = name == NULL;

	if (sources == NULL)
		return FALSE;
	for (guint i = 0; i < sources->len; i++) {
		const CamAdvisorySource *source = g_ptr_array_index(sources, i);
		CamFeedResult part = { 0 };

		if (name != NULL && !g_str_equal(name, source->name))
			continue;
		found = TRUE;
		/* Others, such as changelogs, need more than a location to be read again. */
		if (source->url == NULL || !g_str_has_prefix(source->kind, "osv-"))
			continue;
		if (!cam_feed_import_osv(db, source->url, source->name, git_dir, flags, progress,
					 &part, cancellable, error))
			return FALSE;
		add_result(&total, &part);
	}
	if (!found)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "there is no advisory source \"%s\"", name);
	if (result != NULL)
		*result = total;
	return TRUE;
}

gboolean
cam_feed_remove(CamAdvisoryDb *db, const char *name, const char *git_dir, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamAdvisorySource) source = cam_advisory_db_find_source(db, name, &local_error);
	g_autofree char *clone = NULL;

	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (source == NULL)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "there is no advisory source \"%s\"", name);
	if (!cam_advisory_db_remove_source(db, name, error))
		return FALSE;
	if (g_str_equal(source->kind, feeds[FEED_GIT].kind) && source->url != NULL)
		clone = cam_git_feed_clone_path(source->url, git_dir);
	return clone == NULL || !g_file_test(clone, G_FILE_TEST_IS_DIR) ||
	       cam_remove_tree_at(AT_FDCWD, clone, error);
}
