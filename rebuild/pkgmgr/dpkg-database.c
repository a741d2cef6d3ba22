/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the files in which dpkg remembers: how they are found in an image, what is read from them,
 * and how they are rewritten when a package is exchanged without dpkg.
 */
#include "rebuild/pkgmgr/dpkg-database.h"

#include <string.h>

#include "scanners/scanners.h"

#define STATUS_PATH   "var/lib/dpkg/status"
#define STATUS_D_PATH "var/lib/dpkg/status.d"
#define INFO_PATH     "var/lib/dpkg/info"
#define MD5SUMS	      ".md5sums"
#define FILE_MAX_SIZE (256 * 1024 * 1024)

struct _CamDpkgDatabase {
	CamRootfs *rootfs;
	GHashTable *texts;   /* (element-type utf8 GString): stanza files by path */
	GHashTable *where;   /* (element-type utf8 utf8): "name:architecture" → path */
	GHashTable *changed; /* (element-type utf8 GBytes): files to write; NULL: to remove */
	GHashTable *owners;  /* (element-type utf8 GPtrArray): path → keys of who ships it */
	GHashTable *special; /* (element-type utf8) */
};

static void
string_free(gpointer data)
{
	g_string_free(data, TRUE);
}

static void
bytes_unref_if(gpointer data)
{
	if (data)
		g_bytes_unref(data);
}

void
cam_dpkg_database_free(CamDpkgDatabase *self)
{
	if (!self)
		return;
	g_clear_object(&self->rootfs);
	g_hash_table_unref(self->texts);
	g_hash_table_unref(self->where);
	g_hash_table_unref(self->changed);
	g_clear_pointer(&self->owners, g_hash_table_unref);
	g_hash_table_unref(self->special);
	g_free(self);
}

void
cam_dpkg_record_clear(CamDpkgRecord *self)
{
	g_clear_pointer(&self->files, g_hash_table_unref);
	g_clear_pointer(&self->conffiles, g_hash_table_unref);
}

static char *
make_key(const char *name, const char *architecture)
{
	return g_strdup_printf("%s:%s", name, architecture);
}

/* NULL without @error where there is no such file. */
static GBytes *
read_optional(CamRootfs *rootfs, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	GBytes *bytes = cam_rootfs_read(rootfs, path, FILE_MAX_SIZE, &local);

	if (!bytes && !g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		g_propagate_error(error, g_steal_pointer(&local));
	return bytes;
}

static gboolean
exists(CamRootfs *rootfs, const char *path)
{
	CamEntry entry;

	return cam_rootfs_lookup(rootfs, path, TRUE, NULL, &entry, NULL) && !entry.is_directory;
}

static const char *
without_slashes(const char *path)
{
	if (g_str_has_prefix(path, "./"))
		path += 2;
	while (*path == '/')
		path++;
	return path;
}

/* ---- reading ---- */

static void
index_stanzas(CamDpkgDatabase *self, const char *path, const GString *text)
{
	g_auto(CamDeb822) stanza = { 0 };

	cam_deb822_init(&stanza, text->str, text->len);
	while (cam_deb822_next(&stanza)) {
		g_autofree char *name = cam_deb822_dup(&stanza, "Package");
		g_autofree char *architecture = cam_deb822_dup(&stanza, "Architecture");
		g_autofree char *status = cam_deb822_dup(&stanza, "Status");

		if (name && architecture && (!status || strstr(status, " ok installed")))
			g_hash_table_insert(self->where, make_key(name, architecture),
					    g_strdup(path));
	}
}

static gboolean
read_stanzas(CamDpkgDatabase *self, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = read_optional(self->rootfs, path, &local);
	gsize size;

	if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!bytes)
		return TRUE;

	const char *data = g_bytes_get_data(bytes, &size);
	GString *text = g_string_new_len(data, (gssize) size);

	g_hash_table_insert(self->texts, g_strdup(path), text);
	index_stanzas(self, path, text);
	return TRUE;
}

static gboolean
read_status_d(CamDpkgDatabase *self, GError **error)
{
	CamEntry directory;

	if (!cam_rootfs_lookup(self->rootfs, STATUS_D_PATH, TRUE, NULL, &directory, NULL) ||
	    !directory.is_directory)
		return TRUE;

	g_autoptr(CamTree) tree = cam_rootfs_open_tree(self->rootfs, &directory, error);

	for (guint i = 0; tree && i < cam_tree_size(tree); i++) {
		const CamEntry *entry = cam_tree_get(tree, i);
		g_autofree char *path = g_build_filename(STATUS_D_PATH, entry->name, NULL);

		if (!entry->is_directory && !g_str_has_suffix(path, MD5SUMS) &&
		    !read_stanzas(self, path, error))
			return FALSE;
	}
	return tree != NULL;
}

/* diversions: three lines each, the first is the path; statoverride: the path is the last word. */
static gboolean
read_special(CamDpkgDatabase *self, GError **error)
{
	static const char *const paths[] = { "var/lib/dpkg/diversions",
					     "var/lib/dpkg/statoverride" };

	for (guint f = 0; f < G_N_ELEMENTS(paths); f++) {
		g_autoptr(GError) local = NULL;
		g_autoptr(GBytes) bytes = read_optional(self->rootfs, paths[f], &local);
		gsize size;

		if (local) {
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
		if (!bytes)
			continue;

		const char *data = g_bytes_get_data(bytes, &size);
		g_autofree char *text = g_strndup(data ? data : "", size);
		g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

		for (guint i = 0; lines[i]; i++) {
			const char *slash = strchr(lines[i], '/');

			if (slash)
				g_hash_table_add(self->special, g_strdup(without_slashes(slash)));
		}
	}
	return TRUE;
}

CamDpkgDatabase *
cam_dpkg_database_read(CamRootfs *rootfs, GError **error)
{
	g_autoptr(CamDpkgDatabase) self = g_new0(CamDpkgDatabase, 1);

	self->rootfs = g_object_ref(rootfs);
	self->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, string_free);
	self->where = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bytes_unref_if);
	self->special = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!read_stanzas(self, STATUS_PATH, error) || !read_status_d(self, error) ||
	    !read_special(self, error))
		return NULL;
	return g_steal_pointer(&self);
}

/* ---- one package ---- */

/* Where info files of a package stand: "…/info/name" or, of Multi-Arch: same ones,
 * "…/info/name:architecture". */
static char *
info_base(CamDpkgDatabase *self, const char *name, const char *architecture)
{
	g_autofree char *qualified = g_strdup_printf(INFO_PATH "/%s:%s", name, architecture);
	g_autofree char *list = g_strconcat(qualified, ".list", NULL);

	return exists(self->rootfs, list) ? g_steal_pointer(&qualified)
					  : g_strdup_printf(INFO_PATH "/%s", name);
}

static char *
key_base(CamDpkgDatabase *self, const char *key)
{
	const char *path = g_hash_table_lookup(self->where, key);
	const char *colon = strrchr(key, ':');
	g_autofree char *name = g_strndup(key, (gsize) (colon - key));

	return g_str_equal(path, STATUS_PATH) ? info_base(self, name, colon + 1) : g_strdup(path);
}

static void
add_lines(GBytes *bytes, gboolean md5sums, GHashTable *files)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		const char *path = lines[i];

		if (md5sums) { /* 32 digits and two blanks */
			path = strlen(path) > 34 ? path + 34 : "";
		}
		path = without_slashes(path);
		if (*path && !g_str_equal(path, "."))
			g_hash_table_add(files, g_strdup(path));
	}
}

/* (nullable): what a package ships, from its .list or else its .md5sums. */
static GHashTable *
read_files(CamDpkgDatabase *self, const char *key, gboolean *complete, GError **error)
{
	g_autofree char *base = key_base(self, key);

	for (guint i = 0; i < 2; i++) {
		g_autofree char *path = g_strconcat(base, i == 0 ? ".list" : MD5SUMS, NULL);
		g_autoptr(GError) local = NULL;
		g_autoptr(GBytes) bytes = read_optional(self->rootfs, path, &local);

		if (local) {
			g_propagate_error(error, g_steal_pointer(&local));
			return NULL;
		}
		if (!bytes)
			continue;

		GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

		add_lines(bytes, i == 1, files);
		*complete = i == 0;
		return files;
	}
	return NULL;
}

/* Positions @stanza at the package's paragraph. */
static gboolean
find_stanza(CamDpkgDatabase *self, const char *key, CamDeb822 *stanza)
{
	const char *path = g_hash_table_lookup(self->where, key);
	const GString *text = path ? g_hash_table_lookup(self->texts, path) : NULL;

	if (!text)
		return FALSE;
	cam_deb822_init(stanza, text->str, text->len);
	while (cam_deb822_next(stanza)) {
		g_autofree char *name = cam_deb822_dup(stanza, "Package");
		g_autofree char *architecture = cam_deb822_dup(stanza, "Architecture");

		if (!name || !architecture)
			continue;

		g_autofree char *found = make_key(name, architecture);

		if (g_str_equal(found, key))
			return TRUE;
	}
	return FALSE;
}

/* The field Conffiles: " /path md5 [obsolete]" a line. */
static void
read_conffiles(CamDeb822 *stanza, GHashTable *conffiles)
{
	g_autofree char *value = cam_deb822_dup(stanza, "Conffiles");
	g_auto(GStrv) lines = g_strsplit(value ? value : "", "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(g_strstrip(lines[i]), " ", 3);

		if (g_strv_length(words) >= 2)
			g_hash_table_insert(conffiles, g_strdup(without_slashes(words[0])),
					    g_strdup(words[1]));
	}
}

gboolean
cam_dpkg_database_get(CamDpkgDatabase *self, const char *name, const char *architecture,
		      CamDpkgRecord *out, GError **error)
{
	g_autofree char *key = make_key(name, architecture);
	g_auto(CamDeb822) stanza = { 0 };
	g_autoptr(GError) local = NULL;

	if (!find_stanza(self, key, &stanza))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "%s is not in the package database of the image", key);
	out->conffiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	read_conffiles(&stanza, out->conffiles);
	out->files = read_files(self, key, &out->complete, &local);
	if (!local)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

static void
index_owners(CamDpkgDatabase *self)
{
	GHashTableIter packages, files;
	gpointer key, path;

	self->owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					     (GDestroyNotify) g_ptr_array_unref);
	g_hash_table_iter_init(&packages, self->where);
	while (g_hash_table_iter_next(&packages, &key, NULL)) {
		gboolean complete;
		g_autoptr(GHashTable) list = read_files(self, key, &complete, NULL);

		if (!list)
			continue;
		g_hash_table_iter_init(&files, list);
		while (g_hash_table_iter_next(&files, &path, NULL)) {
			GPtrArray *keys = g_hash_table_lookup(self->owners, path);

			if (!keys) {
				keys = g_ptr_array_new();
				g_hash_table_insert(self->owners, g_strdup(path), keys);
			}
			g_ptr_array_add(keys, key);
		}
	}
}

gboolean
cam_dpkg_database_is_shared(CamDpkgDatabase *self, const char *name, const char *architecture,
			    const char *path)
{
	g_autofree char *key = make_key(name, architecture);

	if (!self->owners)
		index_owners(self);

	GPtrArray *keys = g_hash_table_lookup(self->owners, path);

	for (guint i = 0; keys && i < keys->len; i++)
		if (!g_str_equal(keys->pdata[i], key))
			return TRUE;
	return FALSE;
}

gboolean
cam_dpkg_database_is_special(CamDpkgDatabase *self, const char *path)
{
	return g_hash_table_contains(self->special, path);
}

/* ---- rewriting ---- */

/* Fields for people that small images leave out: left out again where they were. */
static gboolean
is_unwanted(const char *field, CamDeb822 *old)
{
	static const char *const optional[] = { "Description", "Homepage",	     "Section",
						"Priority",    "Installed-Size",     "Maintainer",
						"Tag",	       "Original-Maintainer" };
	gsize size;

	for (gsize i = 0; i < G_N_ELEMENTS(optional); i++)
		if (g_ascii_strcasecmp(field, optional[i]) == 0)
			return cam_deb822_get(old, optional[i], &size) == NULL;
	return FALSE;
}

static void
append_conffiles(GString *out, GHashTable *conffiles)
{
	g_autoptr(GList) paths =
		g_list_sort(g_hash_table_get_keys(conffiles), (GCompareFunc) g_strcmp0);

	if (paths)
		g_string_append(out, "Conffiles:\n");
	for (GList *l = paths; l; l = l->next)
		g_string_append_printf(out, " /%s %s\n", (char *) l->data,
				       (char *) g_hash_table_lookup(conffiles, l->data));
}

/* The new control file in the style of the old paragraph. */
static char *
make_stanza(GBytes *control, CamDeb822 *old, gboolean is_status, GHashTable *conffiles)
{
	gsize size;
	const char *data = g_bytes_get_data(control, &size);
	g_autofree char *text = g_strndup(data, size);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
	g_autofree char *status = cam_deb822_dup(old, "Status");
	GString *out = g_string_new(NULL);
	gboolean skip = FALSE;

	for (guint i = 0; lines[i]; i++) {
		gboolean continues = lines[i][0] == ' ' || lines[i][0] == '\t';

		if (!continues) {
			g_autofree char *field = g_strndup(lines[i], strcspn(lines[i], ":"));

			skip = is_unwanted(field, old);
		}
		if (skip)
			continue;
		g_string_append_printf(out, "%s\n", lines[i]);
		if (status && g_ascii_strncasecmp(lines[i], "Package:", 8) == 0)
			g_string_append_printf(out, "Status: %s\n", status);
	}
	if (is_status)
		append_conffiles(out, conffiles);
	return g_string_free(out, FALSE);
}

static void
replace_stanza(CamDpkgDatabase *self, const char *key, CamDeb822 *old, CamDebFile *deb,
	       GHashTable *conffiles)
{
	const char *path = g_hash_table_lookup(self->where, key);
	GString *text = g_hash_table_lookup(self->texts, path);
	g_autofree char *stanza = make_stanza(cam_deb_file_get_control(deb, "control"), old,
					      g_str_equal(path, STATUS_PATH), conffiles);
	gsize size;
	const char *raw = cam_deb822_raw(old, &size);
	gsize offset = (gsize) (raw - text->str);

	/* whether the paragraph's last line ends is the file's business */
	while (size > 0 && raw[size - 1] == '\n')
		size--;
	g_string_erase(text, (gssize) offset, (gssize) size);
	g_string_insert_len(text, (gssize) offset, stanza, (gssize) strlen(g_strchomp(stanza)));
	g_hash_table_insert(self->changed, g_strdup(path), g_bytes_new(text->str, text->len));
}

/* info/: what the new package has is written, what only the old one had is removed. */
static void
replace_info(CamDpkgDatabase *self, const char *base, CamDebFile *deb, GPtrArray *files)
{
	static const char *const members[] = { "conffiles", "config",	 "md5sums", "postinst",
					       "postrm",    "preinst",	 "prerm",   "shlibs",
					       "symbols",   "templates", "triggers" };
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
		GBytes *bytes = cam_deb_file_get_control(deb, members[i]);
		char *path = g_strdup_printf("%s.%s", base, members[i]);

		if (bytes || exists(self->rootfs, path))
			g_hash_table_insert(self->changed, path, bytes ? g_bytes_ref(bytes) : NULL);
		else
			g_free(path);
	}
	for (guint i = 0; i < files->len; i++) {
		const char *path = without_slashes(files->pdata[i]);

		g_string_append_printf(list, "/%s\n", *path ? path : ".");
	}
	g_hash_table_insert(self->changed, g_strconcat(base, ".list", NULL),
			    g_string_free_to_bytes(list));
}

gboolean
cam_dpkg_database_put(CamDpkgDatabase *self, const char *name, const char *architecture,
		      CamDebFile *deb, GPtrArray *files, GHashTable *conffiles, GError **error)
{
	g_autofree char *key = make_key(name, architecture);
	g_auto(CamDeb822) old = { 0 };

	if (!find_stanza(self, key, &old))
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "%s is not in the package database of the image", key);

	g_autofree char *base = key_base(self, key);
	gboolean is_status = g_str_equal(g_hash_table_lookup(self->where, key), STATUS_PATH);

	replace_stanza(self, key, &old, deb, conffiles);
	if (is_status) {
		replace_info(self, base, deb, files);
		return TRUE;
	}

	char *md5sums = g_strconcat(base, MD5SUMS, NULL);
	GBytes *bytes = cam_deb_file_get_control(deb, "md5sums");

	if (exists(self->rootfs, md5sums) && bytes)
		g_hash_table_insert(self->changed, md5sums, g_bytes_ref(bytes));
	else
		g_free(md5sums);
	return TRUE;
}

/* ---- writing ---- */

static GInputStream *
open_changed(const char *path, gpointer user_data, GError **error)
{
	CamDpkgDatabase *self = user_data;

	return g_memory_input_stream_new_from_bytes(g_hash_table_lookup(self->changed, path));
}

static gboolean
is_script(const char *path)
{
	return g_str_has_suffix(path, "inst") || g_str_has_suffix(path, "rm") ||
	       g_str_has_suffix(path, ".config");
}

static gboolean
emit_file(CamDpkgDatabase *self, const char *path, GBytes *bytes, CamLayerTar *tar, gint64 mtime,
	  GError **error)
{
	g_auto(CamStat) stat = { .type = CAM_NODE_REGULAR };
	g_autofree char *real = NULL;
	CamEntry entry;

	if (!cam_rootfs_lookup(self->rootfs, path, FALSE, &real, &entry, NULL)) {
		stat.mode = is_script(path) ? 0755 : 0644;
	} else {
		if (!cam_rootfs_stat(self->rootfs, &entry, &stat, error))
			return FALSE;
		if (stat.type != CAM_NODE_REGULAR || !g_str_equal(real, path))
			return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
					     "%s of the image is no regular file, or behind a link",
					     path);

		g_autoptr(GBytes) old =
			cam_rootfs_read_entry(self->rootfs, &entry, FILE_MAX_SIZE, error);

		if (!old || g_bytes_equal(old, bytes))
			return old != NULL;
	}
	stat.size = g_bytes_get_size(bytes);
	cam_layer_tar_add(tar, path, &stat, mtime, open_changed, self);
	return TRUE;
}

gboolean
cam_dpkg_database_emit(CamDpkgDatabase *self, CamLayerTar *tar, gint64 mtime, GError **error)
{
	GHashTableIter iter;
	gpointer path, bytes;

	g_hash_table_iter_init(&iter, self->changed);
	while (g_hash_table_iter_next(&iter, &path, &bytes)) {
		if (!bytes)
			cam_layer_tar_add_whiteout(tar, path);
		else if (!emit_file(self, path, bytes, tar, mtime, error))
			return FALSE;
	}
	return TRUE;
}
