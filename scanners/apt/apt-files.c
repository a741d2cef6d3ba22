/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many small files of repositories, fetched side by side: most of the time of each is spent waiting
 * for the answer. Which files, and what for, the caller knows; indexes are apt-repository.c's.
 */
#include "scanners/apt/apt-files.h"

#include <fcntl.h>
#include <string.h>

#include "scanners/apt/apt-release.h"
#include "scanners/apt/cache-lock.h"

#define CONNECTIONS	6
#define MAX_UNAVAILABLE 3

void
cam_apt_file_free(CamAptFile *self)
{
	if (self == NULL)
		return;
	g_free(self->filename);
	g_free(self->sha256);
	g_free(self->path);
	g_clear_error(&self->error);
	g_free(self);
}

CamAptFile *
cam_apt_file_new(const CamAptSource *source, const char *filename, const char *sha256, gint64 size)
{
	CamAptFile *self;
	CamSha256 checked;

	if (filename == NULL || sha256 == NULL || size <= 0 ||
	    !cam_sha256_from_hex(sha256, &checked))
		return NULL;
	self = g_new0(CamAptFile, 1);
	self->source = source;
	self->filename = g_strdup(filename);
	self->sha256 = g_ascii_strdown(sha256, -1);
	self->size = size;
	return self;
}

/* ---- source packages ---- */

/* dsc(5), best first: what format 3.0 (quilt) and 1.0 keep debian/ in, else all of a native
 * package. The upstream tarball has no changelog of Debian. */
static int
rank_source_file(const char *name)
{
	static const char *const orig = ".orig";

	if (strstr(name, ".debian.tar.") != NULL)
		return 0;
	if (g_str_has_suffix(name, ".diff.gz"))
		return 1;
	if (strstr(name, ".tar.") != NULL && strstr(name, orig) == NULL &&
	    !g_str_has_suffix(name, ".asc"))
		return 2;
	return -1;
}

CamAptFile *
cam_apt_file_from_sources(CamDeb822 *paragraph, const CamAptSource *source)
{
	g_autofree char *directory = cam_deb822_dup(paragraph, "Directory");
	g_autofree char *checksums = cam_deb822_dup(paragraph, "Checksums-Sha256");
	g_autoptr(CamAptFile) best = NULL;
	g_auto(GStrv) lines = NULL;
	int best_rank = G_MAXINT;

	if (directory == NULL || checksums == NULL)
		return NULL;
	lines = g_strsplit(checksums, "\n", -1);
	for (gsize i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) words = g_strsplit(g_strstrip(lines[i]), " ", -1);
		int rank = g_strv_length(words) == 3 ? rank_source_file(words[2]) : -1;
		g_autofree char *path = NULL;

		if (rank < 0 || rank >= best_rank)
			continue;
		path = g_strdup_printf("%s/%s", directory, words[2]);
		cam_apt_file_free(best);
		best = cam_apt_file_new(source, path, words[0],
					g_ascii_strtoll(words[1], NULL, 10));
		best_rank = best != NULL ? rank : G_MAXINT;
	}
	return g_steal_pointer(&best);
}

/* ---- fetching ---- */

typedef struct {
	const GPtrArray *files;
	const char *cache;
	GCancellable *cancellable;
	int next;	 /* atomic: index of the file that is fetched next */
	int unavailable; /* atomic */
} Fetch;

/* Clients belong to the thread that made them. */
typedef struct {
	CamHttpClient *any;
	CamHttpClient *public; /* for locations that an image proposes: public addresses only */
} Clients;

static void
clients_clear(Clients *self)
{
	g_clear_object(&self->any);
	g_clear_object(&self->public);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Clients, clients_clear)

static CamHttpClient *
client_for(Clients *self, const CamAptSource *source)
{
	CamHttpClient **client = source->guarded ? &self->public : &self->any;

	if (*client == NULL)
		*client = source->guarded ? cam_http_client_new_public() : cam_http_client_new();
	return *client;
}

static void
fetch_file(Fetch *self, Clients *clients, CamAptFile *file)
{
	g_autofree char *digest = g_strconcat("sha256:", file->sha256, NULL);
	g_autofree char *base = g_path_get_basename(file->filename);
	const char *dot = g_str_has_suffix(base, ".deb") ? ".deb" : ".source";
	g_autofree char *path = g_strdup_printf("%s/debs/%s%s", self->cache, file->sha256, dot);
	g_autofree char *url = NULL;

	if (g_atomic_int_get(&self->unavailable) >= MAX_UNAVAILABLE) {
		cam_set_error(&file->error, CAM_ERROR_UNAVAILABLE, "%s does not answer",
			      file->source->uri);
		return;
	}
	url = cam_apt_source_get_url(file->source, file->filename, &file->error);
	if (url == NULL)
		return;
	if (cam_http_client_download(client_for(clients, file->source), url, AT_FDCWD, path, digest,
				     file->size, NULL, self->cancellable, &file->error))
		file->path = g_steal_pointer(&path);
	else if (g_error_matches(file->error, CAM_ERROR, CAM_ERROR_UNAVAILABLE))
		g_atomic_int_inc(&self->unavailable);
}

static gpointer
fetch_files(gpointer data)
{
	Fetch *self = data;
	g_auto(Clients) clients = { 0 };
	guint i;

	while ((i = g_atomic_int_add(&self->next, 1)) < self->files->len)
		fetch_file(self, &clients, g_ptr_array_index(self->files, i));
	return NULL;
}

gboolean
cam_apt_files_fetch(const GPtrArray *files, const char *cache, GCancellable *cancellable,
		    GError **error)
{
	Fetch self = { .files = files, .cache = cache, .cancellable = cancellable };
	GThread *threads[CONNECTIONS] = { NULL };
	g_auto(CamFd) lock = cam_apt_cache_lock(cache, cancellable, error);

	if (lock < 0)
		return FALSE;
	/* A thread that cannot be made is one connection less; this one works too. */
	for (guint i = 1; i < MIN(CONNECTIONS, files->len); i++)
		threads[i] = g_thread_try_new("apt-files", fetch_files, &self, NULL);
	fetch_files(&self);
	for (guint i = 0; i < CONNECTIONS; i++)
		if (threads[i] != NULL)
			g_thread_join(threads[i]);
	return !g_cancellable_set_error_if_cancelled(cancellable, error) ||
	       cam_error_translate(error, NULL);
}
