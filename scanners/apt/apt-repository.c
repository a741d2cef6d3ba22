/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fetches apt repositories into a cache. Owns the cache's layout and what is fetched when;
 * signatures (signature.c) and the Release file (apt-release.c) are judged elsewhere. In the cache:
 *
 *   indexes/<suite>_<component>_<architecture>_<key>-<sha256>   uncompressed Packages and Sources
 *                                                               files; <key> stands for source and
 *                                                               component
 *   debs/<sha256>.deb, .source                                  see also apt-files.c
 *   releases/<suite>_<key>                                      the newest Release, see
 *                                                               signed-release.h
 *   lock                                                        one worker at a time
 */
#include "scanners/apt/apt-repository.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "scanners/apt/apt-release.h"
#include "scanners/apt/cache-lock.h"
#include "scanners/apt/signed-release.h"

#define MAX_RELEASE_SIZE   (32 * 1024 * 1024)
#define MAX_SIGNATURE_SIZE (1024 * 1024)
/* The largest indexes of Debian and Ubuntu have less than 100 MB, expanded. */
#define MAX_INDEX_SIZE	 ((gint64) 1024 * 1024 * 1024)
#define MAX_PACKAGE_SIZE ((gint64) 4 * 1024 * 1024 * 1024)
#define CHUNK_SIZE	 (128 * 1024)

#define SOURCE_ARCHITECTURE "source"

struct _CamAptRepository {
	GObject parent_instance;
	char *cache;
	CamHttpClient *http;
	CamHttpClient *public_http; /* made at first need */
	GHashTable *silent;	    /* URIs of proposed locations that did not answer */
	gint64 max_index_size, max_package_size;
};

G_DEFINE_FINAL_TYPE(CamAptRepository, cam_apt_repository, G_TYPE_OBJECT)

/* Best first. */
static const char *const suffixes[] = { ".xz", ".zst", ".gz", ".bz2", "" };

/* One Packages file of one release. */
typedef struct {
	const CamAptRelease *release;
	char *path;			     /* below the Release, "main/binary-amd64/Packages" */
	char *prefix;			     /* of its name in the cache */
	const CamAptReleaseFile *plain;	     /* (nullable): what its uncompressed form must be */
	const CamAptReleaseFile *travelling; /* what is fetched */
	const char *suffix;
} Index;

static void
index_free(Index *self)
{
	g_free(self->path);
	g_free(self->prefix);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Index, index_free)

static void
cam_apt_repository_finalize(GObject *object)
{
	CamAptRepository *self = CAM_APT_REPOSITORY(object);

	g_free(self->cache);
	g_clear_object(&self->http);
	g_clear_object(&self->public_http);
	g_clear_pointer(&self->silent, g_hash_table_unref);
	G_OBJECT_CLASS(cam_apt_repository_parent_class)->finalize(object);
}

static void
cam_apt_repository_class_init(CamAptRepositoryClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_apt_repository_finalize;
}

static void
cam_apt_repository_init(CamAptRepository *self)
{
	self->http = cam_http_client_new();
	self->silent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->max_index_size = MAX_INDEX_SIZE;
	self->max_package_size = MAX_PACKAGE_SIZE;
}

void
cam_apt_repository_set_limits(CamAptRepository *self, gint64 index_size, gint64 package_size)
{
	g_return_if_fail(CAM_IS_APT_REPOSITORY(self));

	self->max_index_size = index_size > 0 ? index_size : MAX_INDEX_SIZE;
	self->max_package_size = package_size > 0 ? package_size : MAX_PACKAGE_SIZE;
}

CamAptRepository *
cam_apt_repository_new(const char *cache, GError **error)
{
	g_autoptr(CamAptRepository) self = g_object_new(CAM_TYPE_APT_REPOSITORY, NULL);

	for (gsize i = 0; i < 2; i++) {
		g_autofree char *dir = g_build_filename(cache, i == 0 ? "indexes" : "debs", NULL);

		if (!cam_mkdirs_at(AT_FDCWD, dir, 0755, error))
			return NULL;
	}
	self->cache = g_strdup(cache);
	return g_steal_pointer(&self);
}

/* A location that an image proposes gets a client that connects to public addresses only. */
static CamHttpClient *
client_for(CamAptRepository *self, const CamAptSource *source)
{
	if (!source->guarded)
		return self->http;
	if (self->public_http == NULL)
		self->public_http = cam_http_client_new_public();
	return self->public_http;
}

/* ---- Release ---- */

static GBytes *
get_document(CamAptRepository *self, const CamAptSource *source, const char *name, gsize max_size,
	     GCancellable *cancellable, GError **error)
{
	g_autofree char *base = cam_apt_source_get_base(source);
	g_autofree char *path = g_strconcat(base, name, NULL);
	g_autofree char *url = cam_apt_source_get_url(source, path, error);

	if (url == NULL)
		return NULL;
	return cam_http_client_get_bytes(client_for(self, source), url, max_size, cancellable,
					 error);
}

/* For mirrors without InRelease, and for sources that are trusted whatever they say. */
static CamSignedRelease *
get_plain_release(CamAptRepository *self, const CamAptSource *source, GCancellable *cancellable,
		  GError **error)
{
	g_autoptr(GBytes) text = NULL, signature = NULL;

	text = get_document(self, source, "Release", MAX_RELEASE_SIZE, cancellable, error);
	if (text == NULL)
		return NULL;
	if (source->trusted)
		return cam_signed_release_new(text, NULL);
	signature =
		get_document(self, source, "Release.gpg", MAX_SIGNATURE_SIZE, cancellable, error);
	if (signature != NULL)
		return cam_signed_release_new(text, signature);
	if (error != NULL && g_error_matches(*error, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		g_clear_error(error);
		cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
			      "no valid signature: there is no Release.gpg");
	}
	return NULL;
}

static CamSignedRelease *
get_signed_release(CamAptRepository *self, const CamAptSource *source, GCancellable *cancellable,
		   GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) text = NULL;

	if (source->guarded && g_hash_table_contains(self->silent, source->uri)) {
		cam_set_error(error, CAM_ERROR_UNAVAILABLE, "it did not answer before");
		return NULL;
	}
	if (source->trusted)
		return get_plain_release(self, source, cancellable, error);
	text = get_document(self, source, "InRelease", MAX_RELEASE_SIZE, cancellable, &local_error);
	if (text != NULL)
		return cam_signed_release_new(text, NULL);
	if (source->guarded && local_error->code == (int) CAM_ERROR_UNAVAILABLE)
		g_hash_table_add(self->silent, g_strdup(source->uri));
	if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return get_plain_release(self, source, cancellable, error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return NULL;
}

/* (nullable): @kept, where it is newer than @served. One that the source's keys do not verify any
 * more does not count. */
static CamAptRelease *
open_newer(CamAptRepository *self, const CamSignedRelease *kept, const CamAptRelease *served,
	   CamProgress *progress, GCancellable *cancellable)
{
	const CamAptSource *source = served->source;
	g_autoptr(CamAptRelease) release =
		cam_signed_release_open(kept, source, self->cache, cancellable, NULL);
	g_autofree char *served_date = cam_apt_date_format(served->date), *kept_date = NULL;

	if (release == NULL || release->date <= served->date)
		return NULL;
	kept_date = cam_apt_date_format(release->date);
	release->behind =
		g_strdup_printf("%s answers with the Release of %s of %s: the one of %s, which was "
				"used before, stays in use",
				source->uri, source->suite, served_date, kept_date);
	cam_progress_message(progress, "%s", release->behind);
	return g_steal_pointer(&release);
}

/* Decides whether @served (taken) is used or the newest one that is remembered, and remembers. */
static CamAptRelease *
choose_release(CamAptRepository *self, const CamSignedRelease *signed_release,
	       CamAptRelease *served, CamProgress *progress, GCancellable *cancellable,
	       GError **error)
{
	g_autoptr(CamAptRelease) release = served;
	g_autoptr(CamSignedRelease) kept = NULL;
	g_autofree char *directory = g_build_filename(self->cache, "releases", NULL);
	gboolean remembers = !served->source->trusted && !served->source->pinned;
	CamAptRelease *newer = NULL;

	if (!cam_apt_release_check_identity(release, error))
		return NULL;
	if (remembers)
		kept = cam_signed_release_recall(release->source, directory);
	if (kept != NULL && cam_signed_release_equal(kept, signed_release))
		remembers = FALSE;
	else if (kept != NULL)
		newer = open_newer(self, kept, release, progress, cancellable);
	if (newer != NULL) {
		cam_apt_release_free(release);
		release = newer;
		remembers = FALSE;
	}
	if (!cam_apt_release_check(release, g_get_real_time() / G_USEC_PER_SEC, error))
		return NULL;
	if (remembers &&
	    !cam_signed_release_keep(signed_release, release->source, directory, error))
		return NULL;
	return g_steal_pointer(&release);
}

CamAptRelease *
cam_apt_repository_update(CamAptRepository *self, const CamAptSource *source, CamProgress *progress,
			  GCancellable *cancellable, GError **error)
{
	g_autofree char *phase = g_strdup_printf("repository %s", source->suite);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamSignedRelease) signed_release = NULL;
	CamAptRelease *served = NULL;
	g_auto(CamFd) lock = -1;
	guint id;

	g_return_val_if_fail(CAM_IS_APT_REPOSITORY(self), NULL);

	lock = cam_apt_cache_lock(self->cache, cancellable, error);
	if (lock < 0)
		return NULL;
	id = cam_progress_begin(progress, phase, 0, CAM_PROGRESS_ITEMS);
	signed_release = get_signed_release(self, source, cancellable, &local_error);
	if (signed_release != NULL)
		served = cam_signed_release_open(signed_release, source, self->cache, cancellable,
						 &local_error);
	cam_progress_end(progress, id);
	if (served == NULL) {
		cam_error_translate(&local_error, "suite %s at %s", source->suite, source->uri);
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	return choose_release(self, signed_release, served, progress, cancellable, error);
}

/* ---- Packages ---- */

/* A name for files that tells people what it is and keeps sources apart. */
static char *
make_prefix(const CamAptRelease *release, const char *component, const char *architecture)
{
	g_autofree char *identity = g_strjoin("\n", release->source->uri, release->source->suite,
					      component, architecture, NULL);
	g_autofree char *digest = cam_digest_for_data(identity, strlen(identity));
	g_autofree char *shown = g_strdup_printf("%.40s_%.20s_%.20s", release->source->suite,
						 component, architecture);

	g_strcanon(shown, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_", '-');
	return g_strdup_printf("%s_%.12s", shown, cam_digest_hex(digest));
}

/* As apt knows it, source packages are those of the architecture "source". */
static char *
make_index_path(const CamAptRelease *release, const char *component, const char *architecture)
{
	gboolean sources = g_str_equal(architecture, SOURCE_ARCHITECTURE);

	if (g_str_has_suffix(release->source->suite, "/"))
		return g_strdup(sources ? "Sources" : "Packages");
	return sources ? g_strdup_printf("%s/source/Sources", component)
		       : g_strdup_printf("%s/binary-%s/Packages", component, architecture);
}

static Index *
index_new(const CamAptRelease *release, const char *component, const char *architecture,
	  GError **error)
{
	g_autoptr(Index) self = g_new0(Index, 1);

	self->release = release;
	self->prefix = make_prefix(release, component, architecture);
	self->path = make_index_path(release, component, architecture);
	self->plain = cam_apt_release_find(release, self->path);
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes) && self->travelling == NULL; i++) {
		g_autofree char *path = g_strconcat(self->path, suffixes[i], NULL);

		self->suffix = suffixes[i];
		self->travelling = cam_apt_release_find(release, path);
	}
	if (self->travelling == NULL) {
		cam_set_error(error, CAM_ERROR_NOT_FOUND,
			      "suite %s at %s has no packages of component \"%s\" for %s",
			      release->source->suite, release->source->uri, component,
			      architecture);
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gboolean
file_has(const char *path, const CamAptReleaseFile *expected)
{
	g_autofree char *digest = g_strconcat("sha256:", expected->sha256, NULL);
	g_autofree char *chunk = g_malloc(CHUNK_SIZE);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	g_autofree char *found = NULL;
	g_auto(CamFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	gint64 size = 0;
	ssize_t n;

	if (fd < 0)
		return FALSE;
	while ((n = TEMP_FAILURE_RETRY(read(fd, chunk, CHUNK_SIZE))) > 0) {
		cam_hasher_update(hasher, chunk, n);
		size += n;
	}
	found = cam_hasher_finish(hasher);
	return n == 0 && size == expected->size && g_str_equal(found, digest);
}

/* Removes what earlier Releases named. Where only the compressed form has a digest it stays, as it
 * alone can be verified again. */
static void
drop_older(CamAptRepository *self, const Index *index, const char *keep)
{
	g_autofree char *dir_path = g_build_filename(self->cache, "indexes", NULL);
	g_autofree char *prefix = g_strconcat(index->prefix, "-", NULL);
	g_autofree char *kept = g_path_get_basename(keep);
	g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(dir_path, name, NULL);

		if (g_str_has_prefix(name, prefix) && !g_str_equal(name, kept) &&
		    (index->plain != NULL || !g_str_has_prefix(name, kept)))
			g_unlink(path);
	}
}

/* Copies @in to a new file and renames it to @path: whole or not at all. */
static gboolean
write_stream(GInputStream *in, const char *path, gint64 max_size, GCancellable *cancellable,
	     GError **error)
{
	g_autofree char *temporary = g_strconcat(path, ".tmp-XXXXXX", NULL);
	g_autofree char *chunk = g_malloc(CHUNK_SIZE);
	g_auto(CamFd) fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0644);
	gboolean ok = fd >= 0;
	gint64 size = 0;
	gssize n = 0;

	if (!ok)
		return cam_set_error_errno(error, errno, "cannot make %s", temporary);
	while (ok && (n = g_input_stream_read(in, chunk, CHUNK_SIZE, cancellable, error)) > 0) {
		size += n;
		if (size > max_size)
			ok = cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
					   "%s grows beyond %" G_GINT64_FORMAT " bytes", path,
					   max_size);
		else
			ok = cam_write_all(fd, chunk, n, error);
	}
	if (n < 0)
		ok = cam_error_translate(error, NULL);
	if (ok && g_rename(temporary, path) != 0)
		ok = cam_set_error_errno(error, errno, "cannot rename %s", temporary);
	if (!ok)
		g_unlink(temporary);
	return ok;
}

/* What a Release says of a size is only as good as its mirror: nothing is begun beyond the cap. */
static gboolean
check_size(CamAptRepository *self, const Index *index, const CamAptReleaseFile *file,
	   GError **error)
{
	if (file == NULL || file->size <= self->max_index_size)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			     "%s has %" G_GINT64_FORMAT " bytes, more than [limits] index_size "
			     "allows (%" G_GINT64_FORMAT ")",
			     index->path, file->size, self->max_index_size);
}

/* Expands the fetched file; the result is what the Release says, where it does. */
static gboolean
expand(CamAptRepository *self, const Index *index, const char *fetched, const char *path,
       GCancellable *cancellable, GError **error)
{
	g_autoptr(GFile) file = g_file_new_for_path(fetched);
	g_autoptr(GFileInputStream) base = g_file_read(file, cancellable, error);
	g_autoptr(GInputStream) expanded = NULL, verified = NULL;
	g_autofree char *digest = NULL;

	if (base == NULL)
		return cam_error_translate(error, NULL);
	expanded = cam_archive_decompress_stream_new(G_INPUT_STREAM(base), error);
	if (expanded == NULL)
		return FALSE;
	if (index->plain == NULL)
		return write_stream(expanded, path, self->max_index_size, cancellable, error);
	digest = g_strconcat("sha256:", index->plain->sha256, NULL);
	verified = cam_verify_stream_new(expanded, digest, index->plain->size, error);
	return verified != NULL &&
	       write_stream(verified, path, index->plain->size, cancellable, error);
}

/* By its digest where the repository offers that: a mirror that is being updated then has the old
 * and the new; by its name else. */
static gboolean
download_index(CamAptRepository *self, const Index *index, const char *fetched,
	       CamProgress *progress, GCancellable *cancellable, GError **error)
{
	const CamAptSource *source = index->release->source;
	g_autofree char *base = cam_apt_source_get_base(source);
	g_autofree char *dir = g_path_get_dirname(index->path);
	g_autofree char *digest = g_strconcat("sha256:", index->travelling->sha256, NULL);
	g_autofree char *by_hash =
		g_strconcat(base, dir, "/by-hash/SHA256/", index->travelling->sha256, NULL);
	g_autofree char *by_name = g_strconcat(base, index->path, index->suffix, NULL);
	const char *const paths[] = { index->release->by_hash ? by_hash : by_name, by_name };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) local_error = NULL;
		g_autofree char *url = cam_apt_source_get_url(source, paths[i], error);
		gboolean last = paths[i] == by_name;

		if (url == NULL)
			return FALSE;
		if (cam_http_client_download(client_for(self, source), url, AT_FDCWD, fetched,
					     digest, index->travelling->size, progress, cancellable,
					     &local_error))
			return TRUE;
		if (!last && g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			continue;
		/* A mirror that lacks what its Release names must not look like a release without
		 * it. */
		if (local_error->code == (int) CAM_ERROR_NOT_FOUND)
			local_error->code = (int) CAM_ERROR_UNAVAILABLE;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	g_assert_not_reached();
}

char *
cam_apt_repository_get_packages(CamAptRepository *self, const CamAptRelease *release,
				const char *component, const char *architecture,
				CamProgress *progress, GCancellable *cancellable, GError **error)
{
	g_autoptr(Index) index = NULL;
	g_autofree char *path = NULL, *fetched = NULL;
	g_auto(CamFd) lock = -1;

	g_return_val_if_fail(CAM_IS_APT_REPOSITORY(self), NULL);

	index = index_new(release, component, architecture, error);
	if (index == NULL)
		return NULL;
	lock = cam_apt_cache_lock(self->cache, cancellable, error);
	if (lock < 0)
		return NULL;
	path = g_strdup_printf("%s/indexes/%s-%s", self->cache, index->prefix,
			       index->plain != NULL ? index->plain->sha256
						    : index->travelling->sha256);
	if (index->plain != NULL && file_has(path, index->plain))
		return g_steal_pointer(&path);
	fetched = g_strconcat(path, index->suffix[0] != '\0' ? index->suffix : ".raw", NULL);
	if (!check_size(self, index, index->travelling, error) ||
	    !check_size(self, index, index->plain, error) ||
	    !download_index(self, index, fetched, progress, cancellable, error) ||
	    !expand(self, index, fetched, path, cancellable, error)) {
		cam_error_translate(error, "packages of %s%s", release->source->suite,
				    release->behind != NULL
					    ? " (the mirror is behind the Release in use: "
					      "try again later, or another mirror)"
					    : "");
		return NULL;
	}
	drop_older(self, index, path);
	return g_steal_pointer(&path);
}

char *
cam_apt_repository_get_sources(CamAptRepository *self, const CamAptRelease *release,
			       const char *component, CamProgress *progress,
			       GCancellable *cancellable, GError **error)
{
	return cam_apt_repository_get_packages(self, release, component, SOURCE_ARCHITECTURE,
					       progress, cancellable, error);
}

const char *
cam_apt_repository_get_cache(CamAptRepository *self)
{
	g_return_val_if_fail(CAM_IS_APT_REPOSITORY(self), NULL);

	return self->cache;
}

/* ---- packages ---- */

char *
cam_apt_repository_get_deb(CamAptRepository *self, const CamAptSource *source, const char *filename,
			   const char *sha256, gint64 size, CamProgress *progress,
			   GCancellable *cancellable, GError **error)
{
	g_autofree char *path = NULL, *digest = NULL, *url = NULL;
	g_auto(CamFd) lock = -1;
	CamSha256 checked;

	g_return_val_if_fail(CAM_IS_APT_REPOSITORY(self), NULL);

	if (sha256 == NULL || !cam_sha256_from_hex(sha256, &checked)) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS,
			      "the index names no SHA256 of %s: it cannot be verified", filename);
		return NULL;
	}
	if (size < 0 || size > self->max_package_size) {
		cam_set_error(error, size < 0 ? CAM_ERROR_DATA_LOSS : CAM_ERROR_RESOURCE_EXHAUSTED,
			      "the index says that %s has %" G_GINT64_FORMAT
			      " bytes; [limits] package_size is %" G_GINT64_FORMAT,
			      filename, size, self->max_package_size);
		return NULL;
	}
	url = cam_apt_source_get_url(source, filename, error);
	if (url == NULL)
		return NULL;
	lock = cam_apt_cache_lock(self->cache, cancellable, error);
	if (lock < 0)
		return NULL;
	digest = cam_sha256_to_digest(&checked);
	path = g_strdup_printf("%s/debs/%s.deb", self->cache, cam_digest_hex(digest));
	if (!cam_http_client_download(client_for(self, source), url, AT_FDCWD, path, digest, size,
				      progress, cancellable, error))
		return NULL;
	return g_steal_pointer(&path);
}
