/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which paths the packages of a comparison own, as dpkg's own records tell: file lists, md5sums,
 * conffiles, diversions. MD5 is what packages carry; it tells an upgrade from an accident, and
 * the image's signatures from an attack. Whether files are as recorded is the business of
 * attribution.
 */
#include "rebuild/diff/owned-paths.h"

#include <string.h>

#define STATUS_PATH	"var/lib/dpkg/status"
#define INFO_DIR	"var/lib/dpkg/info"
#define MAX_RECORD_SIZE (64 * 1024 * 1024)
#define MD5_HEX_SIZE	32

struct _CamOwnedPaths {
	CamRootfs *rootfs;
	GHashTable *paths;	/* real path → CamOwnedPath */
	GHashTable *parents;	/* directory as listed → where it really lies */
	GHashTable *diversions; /* path → Diversion */
};

typedef struct {
	char *to, *package;
} Diversion;

static void
diversion_free(gpointer data)
{
	Diversion *diversion = data;

	g_free(diversion->to);
	g_free(diversion->package);
	g_free(diversion);
}

static void
owned_path_free(gpointer data)
{
	CamOwnedPath *path = data;

	g_free(path->md5);
	g_free(path);
}

void
cam_owned_paths_free(CamOwnedPaths *self)
{
	g_object_unref(self->rootfs);
	g_hash_table_unref(self->paths);
	g_hash_table_unref(self->parents);
	g_hash_table_unref(self->diversions);
	g_free(self);
}

/* *@lines is NULL where there is no such file. Lines may hold any byte but NUL. */
static gboolean
read_lines(CamRootfs *rootfs, const char *path, char ***lines, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes = cam_rootfs_read(rootfs, path, MAX_RECORD_SIZE, &local_error);
	g_autofree char *text = NULL;

	*lines = NULL;
	if (bytes == NULL) {
		if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND) ||
		    g_error_matches(local_error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	*lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	return TRUE;
}

static const char *
without_slash(const char *path)
{
	return path + strspn(path, "/");
}

/* Resolved where the directory is there; as listed where it is not. */
static char *
real_path(CamOwnedPaths *self, const char *path)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = g_strndup(path, slash != NULL ? slash - path : 0);
	const char *real = g_hash_table_lookup(self->parents, parent);

	if (slash == NULL)
		return g_strdup(path);
	if (real == NULL) {
		char *found = NULL;
		CamEntry entry;

		if (!cam_rootfs_lookup(self->rootfs, parent, TRUE, &found, &entry, NULL))
			found = g_strdup(parent);
		real = found;
		g_hash_table_insert(self->parents, g_steal_pointer(&parent), found);
	}
	return real[0] != '\0' ? g_strconcat(real, slash, NULL) : g_strdup(slash + 1);
}

/* A package that diverts a path still owns it there: only others are moved away. */
static const char *
divert(CamOwnedPaths *self, const char *path, const CamPackageChange *package)
{
	const Diversion *diversion = g_hash_table_lookup(self->diversions, path);

	if (diversion == NULL || g_str_equal(diversion->package, package->name))
		return path;
	return diversion->to;
}

static CamOwnedPath *
own(CamOwnedPaths *self, const char *listed, const CamPackageChange *package)
{
	const char *path = divert(self, without_slash(listed), package);
	g_autofree char *real = real_path(self, path);
	CamOwnedPath *owned = g_hash_table_lookup(self->paths, real);

	if (owned == NULL) {
		owned = g_new0(CamOwnedPath, 1);
		g_hash_table_insert(self->paths, g_steal_pointer(&real), owned);
	}
	owned->package = package;
	return owned;
}

static gboolean
is_md5(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (!g_ascii_isxdigit(text[i]))
			return FALSE;
	return size == MD5_HEX_SIZE;
}

static void
set_md5(CamOwnedPath *owned, const char *md5)
{
	g_free(owned->md5);
	owned->md5 = g_ascii_strdown(md5, MD5_HEX_SIZE);
}

/* A database of single files has no lists: a file's directories come with it. */
static void
own_parents(CamOwnedPaths *self, const char *listed, const CamPackageChange *package)
{
	g_autofree char *path = g_strdup(without_slash(listed));
	char *slash;

	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		own(self, path, package);
	}
}

static void
own_md5sums(CamOwnedPaths *self, char **lines, const CamPackageChange *package,
	    gboolean with_parents)
{
	for (char **line = lines; line != NULL && *line != NULL; line++) {
		gsize size = strcspn(*line, " ");
		const char *path = *line + size + strspn(*line + size, " ");

		if (!is_md5(*line, size) || *path == '\0')
			continue;
		set_md5(own(self, path, package), *line);
		if (with_parents)
			own_parents(self, path, package);
	}
}

/* "Conffiles:" of a stanza: lines of " /path md5", some followed by "obsolete" or more. */
static void
own_conffiles(CamOwnedPaths *self, const char *conffiles, const CamPackageChange *package)
{
	g_auto(GStrv) lines = g_strsplit(conffiles, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) words = g_strsplit(g_strstrip(*line), " ", 3);
		CamOwnedPath *owned;

		if (g_strv_length(words) < 2 || !is_md5(words[1], strlen(words[1])))
			continue;
		owned = own(self, words[0], package);
		owned->is_conffile = TRUE;
		set_md5(owned, words[1]);
	}
}

/* @package's records, whether they are kept under its name or its name and architecture. */
static gboolean
read_info(CamOwnedPaths *self, const CamPackageChange *package, const char *suffix, char ***lines,
	  GError **error)
{
	g_autofree char *plain = g_strconcat(INFO_DIR "/", package->name, suffix, NULL);
	g_autofree char *qualified = NULL;

	if (package->architecture != NULL) {
		qualified = g_strconcat(INFO_DIR "/", package->name, ":", package->architecture,
					suffix, NULL);
		if (!read_lines(self->rootfs, qualified, lines, error))
			return FALSE;
		if (*lines != NULL)
			return TRUE;
	}
	return read_lines(self->rootfs, plain, lines, error);
}

static gboolean
read_package(CamOwnedPaths *self, const CamPackageChange *package, const char *database,
	     GError **error)
{
	g_auto(GStrv) list = NULL, md5sums = NULL;
	gboolean is_status = g_strcmp0(database, STATUS_PATH) == 0;

	if (!is_status) {
		g_autofree char *path = g_strconcat(database, ".md5sums", NULL);

		if (!read_lines(self->rootfs, path, &md5sums, error))
			return FALSE;
	} else if (!read_info(self, package, ".list", &list, error) ||
		   !read_info(self, package, ".md5sums", &md5sums, error)) {
		return FALSE;
	}
	for (char **line = list; line != NULL && *line != NULL; line++)
		if (*without_slash(*line) != '\0' && !g_str_equal(*line, "/."))
			own(self, *line, package);
	own_md5sums(self, md5sums, package, !is_status);
	return TRUE;
}

static const CamPackageChange *
find_change(const GPtrArray *changes, const char *name, const char *architecture)
{
	for (guint i = 0; i < changes->len; i++) {
		const CamPackageChange *change = changes->pdata[i];

		if (g_strcmp0(change->name, name) == 0 &&
		    g_strcmp0(change->architecture, architecture) == 0)
			return change;
	}
	return NULL;
}

static gboolean
read_conffiles(CamOwnedPaths *self, const GPtrArray *changes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) status =
		cam_rootfs_read(self->rootfs, STATUS_PATH, MAX_RECORD_SIZE, &local_error);
	g_auto(CamDeb822) stanza = { 0 };
	gsize size;
	const char *data;

	if (status == NULL) {
		if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	data = g_bytes_get_data(status, &size);
	cam_deb822_init(&stanza, data, size);
	while (cam_deb822_next(&stanza)) {
		g_autofree char *name = cam_deb822_dup(&stanza, "Package");
		g_autofree char *architecture = cam_deb822_dup(&stanza, "Architecture");
		g_autofree char *conffiles = cam_deb822_dup(&stanza, "Conffiles");
		const CamPackageChange *change = find_change(changes, name, architecture);

		if (change != NULL && conffiles != NULL)
			own_conffiles(self, conffiles, change);
	}
	return TRUE;
}

/* deb-divert: three lines each: from, to, package (":" for a local one). */
static gboolean
read_diversions(CamOwnedPaths *self, GError **error)
{
	g_auto(GStrv) lines = NULL;
	guint n_lines;

	if (!read_lines(self->rootfs, "var/lib/dpkg/diversions", &lines, error))
		return FALSE;
	n_lines = lines != NULL ? g_strv_length(lines) : 0;
	for (guint i = 0; i + 2 < n_lines; i += 3) {
		Diversion *diversion = g_new0(Diversion, 1);

		diversion->to = g_strdup(without_slash(lines[i + 1]));
		diversion->package = g_strdup(lines[i + 2]);
		g_hash_table_replace(self->diversions, g_strdup(without_slash(lines[i])),
				     diversion);
	}
	return TRUE;
}

CamOwnedPaths *
cam_owned_paths_read(CamRootfs *rootfs, const GPtrArray *changes, gboolean after, GError **error)
{
	g_autoptr(CamOwnedPaths) self = g_new0(CamOwnedPaths, 1);

	self->rootfs = g_object_ref(rootfs);
	self->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, owned_path_free);
	self->parents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->diversions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, diversion_free);
	if (!read_diversions(self, error))
		return NULL;
	for (guint i = 0; i < changes->len; i++) {
		const CamPackageChange *change = changes->pdata[i];
		const char *database = after ? change->after_path : change->before_path;

		if ((after ? change->after : change->before) != NULL && database != NULL &&
		    !read_package(self, change, database, error))
			return NULL;
	}
	if (!read_conffiles(self, changes, error))
		return NULL;
	return g_steal_pointer(&self);
}

const CamOwnedPath *
cam_owned_paths_find(CamOwnedPaths *self, const char *path)
{
	return g_hash_table_lookup(self->paths, path);
}
