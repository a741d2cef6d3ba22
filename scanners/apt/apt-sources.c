/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * apt's configuration as a list of sources: which files there are and where their keys lie, on the
 * machine and in an image. How one source is written is apt-source.c's business; which sources
 * serve a release is apt-release-sources.c's.
 */
#include "scanners/apt/apt-sources.h"

#include <fcntl.h>
#include <string.h>

#include "scanners/apt/apt-source.h"
#include "scanners/apt/keyring.h"

#define MAX_FILE_SIZE (1024 * 1024)
#define MAX_FILES     256
#define MAX_KEYS_SIZE (4 * 1024 * 1024) /* of one source */
#define MAX_PROBLEMS  20

/* A file system to read from; paths have no leading "/". */
typedef struct _Reader Reader;
struct _Reader {
	const char *name;   /* "host" */
	const char *root;   /* of the machine */
	CamRootfs *rootfs;  /* of an image */
	gboolean load_keys; /* keys must be read now: their paths mean nothing to others */
	CamAptProvenance provenance;
	GPtrArray *problems; /* (nullable) (element-type utf8): malformed parts cost themselves */
	/* NULL with NOT_FOUND where there is nothing. */
	GBytes *(*read)(const Reader *self, const char *path, GError **error);
	/* Names in a directory, sorted; empty where there is none. */
	char **(*list)(const Reader *self, const char *path, GError **error);
};

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static char **
finish_names(GPtrArray *names)
{
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return (char **) g_ptr_array_free(names, FALSE);
}

static GBytes *
host_read(const Reader *self, const char *path, GError **error)
{
	g_autofree char *full = g_build_filename(self->root, path, NULL);

	return cam_read_file_at(AT_FDCWD, full, MAX_FILE_SIZE, error);
}

static char **
host_list(const Reader *self, const char *path, GError **error)
{
	g_autofree char *full = g_build_filename(self->root, path, NULL);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GDir) dir = g_dir_open(full, 0, &local_error);
	GPtrArray *names;
	const char *name;

	if (dir == NULL && !g_error_matches(local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		cam_error_translate(error, NULL);
		return NULL;
	}
	names = g_ptr_array_new();
	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
		g_ptr_array_add(names, g_strdup(name));
	return finish_names(names);
}

static GBytes *
image_read(const Reader *self, const char *path, GError **error)
{
	return cam_rootfs_read(self->rootfs, path, MAX_FILE_SIZE, error);
}

/* What to do about a part of the configuration that cannot be used: of the machine's it is an
 * error, of an image's a remark. What the store cannot read is an error whose ever it is. */
static gboolean
pass_over(const Reader *self, GError *problem, GError **error)
{
	static const CamError faults_of_image[] = { CAM_ERROR_NOT_FOUND, CAM_ERROR_INVALID_ARGUMENT,
						    CAM_ERROR_FAILED_PRECONDITION,
						    CAM_ERROR_RESOURCE_EXHAUSTED };

	for (gsize i = 0; self->problems != NULL && i < G_N_ELEMENTS(faults_of_image); i++) {
		if (problem->code != (int) faults_of_image[i])
			continue;
		if (self->problems->len < MAX_PROBLEMS)
			g_ptr_array_add(self->problems,
					g_strdup_printf("%s; passed over", problem->message));
		else if (self->problems->len == MAX_PROBLEMS)
			g_ptr_array_add(self->problems,
					g_strdup_printf("%s: and more of this kind", self->name));
		g_error_free(problem);
		return TRUE;
	}
	g_propagate_error(error, problem);
	return FALSE;
}

static char **
image_list(const Reader *self, const char *path, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(CamTree) tree = NULL;
	GPtrArray *names;
	CamEntry entry;

	if (!cam_rootfs_lookup(self->rootfs, path, TRUE, NULL, &entry, &local_error)) {
		if (g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND) ||
		    pass_over(self, g_steal_pointer(&local_error), error))
			return g_new0(char *, 1);
		return NULL;
	}
	if (!entry.is_directory)
		return g_new0(char *, 1);
	tree = cam_rootfs_open_tree(self->rootfs, &entry, error);
	if (tree == NULL)
		return NULL;
	names = g_ptr_array_new();
	for (guint i = 0; i < cam_tree_size(tree); i++)
		g_ptr_array_add(names, g_strdup(cam_tree_get(tree, i)->name));
	return finish_names(names);
}

static gboolean
too_many_files(const Reader *self, GError **error)
{
	GError *problem = NULL;

	cam_set_error(&problem, CAM_ERROR_RESOURCE_EXHAUSTED,
		      "%s /etc/apt/sources.list.d: more than %d files", self->name, MAX_FILES);
	return pass_over(self, problem, error);
}

static void
describe(const Reader *self, CamAptSource *source, const char *path, guint line)
{
	source->origin = g_strdup_printf("%s:%u", path, line);
	source->provenance = self->provenance;
}

static gboolean
add_lines(const Reader *self, const char *path, char *text, GPtrArray *sources, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i] != NULL; i++) {
		char *comment = strchr(lines[i], '#');
		CamAptSource *source;
		GError *problem = NULL;

		if (comment != NULL)
			*comment = '\0';
		g_strstrip(lines[i]);
		if (lines[i][0] == '\0' || g_str_has_prefix(lines[i], "deb-src"))
			continue;
		if (cam_apt_source_check_count(sources, &problem) &&
		    (source = cam_apt_source_parse(lines[i], &problem)) != NULL) {
			describe(self, source, path, i + 1);
			g_ptr_array_add(sources, source);
			continue;
		}
		cam_error_translate(&problem, "%s:%u", path, i + 1);
		if (!pass_over(self, problem, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
add_paragraphs(const Reader *self, const char *path, const char *text, gsize size,
	       GPtrArray *sources, GError **error)
{
	g_auto(CamDeb822) paragraph = { 0 };

	cam_deb822_init(&paragraph, text, size);
	while (cam_deb822_next(&paragraph)) {
		guint first = sources->len;
		GError *problem = NULL;

		if (!cam_apt_source_add_paragraph(&paragraph, sources, &problem)) {
			g_ptr_array_set_size(sources, (gint) first);
			cam_error_translate(&problem, "%s:%u", path, paragraph.line);
			if (!pass_over(self, problem, error))
				return FALSE;
		}
		for (guint i = first; i < sources->len; i++)
			describe(self, g_ptr_array_index(sources, i), path, paragraph.line);
	}
	return TRUE;
}

static gboolean
add_file(const Reader *reader, const char *path, GPtrArray *sources, GError **error)
{
	g_autofree char *shown = g_strdup_printf("%s /%s", reader->name, path);
	GError *problem = NULL;
	g_autoptr(GBytes) bytes = reader->read(reader, path, &problem);
	g_autofree char *text = NULL;
	gsize size;

	if (bytes == NULL && g_error_matches(problem, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		g_error_free(problem);
		return TRUE;
	}
	if (bytes == NULL) {
		cam_error_translate(&problem, "%s", shown);
		return pass_over(reader, problem, error);
	}
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	size = strlen(text);
	if (g_str_has_suffix(path, ".sources"))
		return add_paragraphs(reader, shown, text, size, sources, error);
	return add_lines(reader, shown, text, sources, error);
}

/* Appends a keyring file in binary form. One that is absent or odd is no key, and the signature
 * then fails with a message that says where keys were looked for. */
static void
add_key(const Reader *reader, const char *path, GByteArray *keys)
{
	g_autoptr(GBytes) file = reader->read(reader, path, NULL);
	g_autoptr(GBytes) binary = file != NULL ? cam_keyring_dearmor(file, NULL) : NULL;

	if (binary != NULL && keys->len + g_bytes_get_size(binary) <= MAX_KEYS_SIZE)
		g_byte_array_append(keys, g_bytes_get_data(binary, NULL), g_bytes_get_size(binary));
}

/* The keys for sources that name none. */
static GBytes *
read_trusted_keys(const Reader *reader, GError **error)
{
	g_autoptr(GByteArray) keys = g_byte_array_new();
	g_auto(GStrv) names = reader->list(reader, "etc/apt/trusted.gpg.d", error);

	if (names == NULL)
		return NULL;
	add_key(reader, "etc/apt/trusted.gpg", keys);
	for (gsize i = 0; names[i] != NULL; i++) {
		g_autofree char *path = g_strconcat("etc/apt/trusted.gpg.d/", names[i], NULL);

		if (g_str_has_suffix(path, ".gpg") || g_str_has_suffix(path, ".asc"))
			add_key(reader, path, keys);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&keys));
}

/* (nullable): the keys that @source names. */
static GBytes *
read_named_keys(const Reader *reader, const CamAptSource *source)
{
	g_autoptr(GByteArray) keys = g_byte_array_new();
	g_auto(GStrv) paths =
		g_strsplit_set(source->signed_by != NULL ? source->signed_by : "", ", \n", -1);

	for (gsize i = 0; paths[i] != NULL; i++)
		if (paths[i][0] == '/')
			add_key(reader, paths[i] + 1, keys);
	return keys->len > 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&keys)) : NULL;
}

/* Reads the keys that @sources are to be verified with into their @key. */
static gboolean
load_keys(const Reader *reader, const GPtrArray *sources, GError **error)
{
	g_autoptr(GBytes) trusted = read_trusted_keys(reader, error);

	if (trusted == NULL)
		return FALSE;
	for (guint i = 0; i < sources->len; i++) {
		CamAptSource *source = g_ptr_array_index(sources, i);

		if (source->key == NULL)
			source->key = read_named_keys(reader, source);
		if (source->key == NULL && g_bytes_get_size(trusted) > 0)
			source->key = g_bytes_ref(trusted);
	}
	return TRUE;
}

static gboolean
is_source_file(const char *name)
{
	return g_str_has_suffix(name, ".list") || g_str_has_suffix(name, ".sources");
}

static GPtrArray *
read_all(const Reader *reader, GError **error)
{
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	g_auto(GStrv) names = reader->list(reader, "etc/apt/sources.list.d", error);
	guint n_files = 0;

	if (names == NULL || !add_file(reader, "etc/apt/sources.list", sources, error))
		return NULL;
	for (gsize i = 0; names[i] != NULL; i++) {
		g_autofree char *path = g_strconcat("etc/apt/sources.list.d/", names[i], NULL);

		if (!is_source_file(path))
			continue;
		if (++n_files > MAX_FILES) {
			if (!too_many_files(reader, error))
				return NULL;
			break;
		}
		if (!add_file(reader, path, sources, error))
			return NULL;
	}
	if (reader->load_keys && !load_keys(reader, sources, error))
		return NULL;
	return g_steal_pointer(&sources);
}

GPtrArray *
cam_apt_sources_read_host(const char *sysroot, GError **error)
{
	const Reader reader = {
		.name = "host",
		.root = sysroot != NULL ? sysroot : "/",
		.load_keys = sysroot != NULL && !g_str_equal(sysroot, "/"),
		.provenance = CAM_APT_HOST,
		.read = host_read,
		.list = host_list,
	};

	return read_all(&reader, error);
}

GPtrArray *
cam_apt_sources_read_rootfs(CamRootfs *rootfs, gboolean with_keys, GPtrArray *problems,
			    GError **error)
{
	const Reader reader = {
		.name = "image",
		.rootfs = rootfs,
		.load_keys = with_keys,
		.provenance = CAM_APT_IMAGE,
		.problems = problems,
		.read = image_read,
		.list = image_list,
	};

	return read_all(&reader, error);
}
