/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A small containerd: layers of random entries, unpacked into the upper directories of an overlay
 * with the system calls that containerd's applier makes (archive.Apply, with OverlayConvertWhiteout
 * above the lowest layer). It shares no code with the store's own idea of that rule.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../store/tar-sample.h"
#include "snapshotter/base/fd.h"

typedef struct {
	char *name, *link, *content;
	char type; /* of the tar header */
	guint mode, uid, gid;
	guint major, minor;
	gint64 mtime;
} ModelEntry;

static void
model_entry_free(gpointer data)
{
	ModelEntry *entry = data;

	g_free(entry->name);
	g_free(entry->link);
	g_free(entry->content);
	g_free(entry);
}

/* ---- fs.RootPath ---- */

/* Go's filepath.Join("/", @a, @b). */
static char *
model_join(const char *a, const char *b)
{
	g_autofree char *both = g_strconcat("/", a, "/", b, NULL);

	return g_canonicalize_filename(both, "/");
}

/* (transfer full) (nullable): errno says why not */
static char *
model_walk_link(const char *root, const char *path, guint *walked, gboolean *is_link)
{
	g_autofree char *clean = model_join("", path);
	g_autofree char *real = g_strconcat(root, clean, NULL);
	char target[4096];
	struct stat st;
	ssize_t n;

	*is_link = FALSE;
	if (*walked > 255)
		return NULL;
	if (strcmp(clean, "/") == 0)
		return g_steal_pointer(&clean);
	if (lstat(real, &st) != 0)
		return errno == ENOENT ? g_steal_pointer(&clean) : NULL;
	if (!S_ISLNK(st.st_mode))
		return g_steal_pointer(&clean);
	n = readlink(real, target, sizeof target);
	(*walked)++;
	*is_link = TRUE;
	return g_strndup(target, (gsize) n);
}

static char *
model_walk_links(const char *root, const char *path, guint *walked)
{
	g_autofree char *directory = g_strdup(path), *parent = NULL, *next = NULL, *target = NULL;
	char *slash = strrchr(directory, '/');
	gboolean is_link;

	if (slash == NULL)
		return model_walk_link(root, path, walked, &is_link);
	if (slash[1] == '\0') {
		if (slash == directory)
			return g_strdup("/");
		*slash = '\0';
		return model_walk_links(root, directory, walked);
	}
	slash[1] = '\0'; /* the directory keeps its slash, as filepath.Split leaves it */
	parent = model_walk_links(root, directory, walked);
	if (parent == NULL)
		return NULL;
	next = g_strconcat(parent, "/", strrchr(path, '/') + 1, NULL);
	target = model_walk_link(root, next, walked, &is_link);
	if (target == NULL || !is_link || *target == '/')
		return g_steal_pointer(&target);
	return model_join(parent, target);
}

/* The path below the host's root. */
static char *
model_root_path(const char *root, const char *path)
{
	g_autofree char *at = g_strdup(path);
	guint walked = 0;

	if (*path == '\0')
		return g_strdup(root);
	while (TRUE) {
		guint before = walked;
		char *next = model_walk_links(root, at, &walked);

		if (next == NULL)
			return NULL;
		g_free(at);
		at = next;
		if (before != walked)
			continue;
		g_autofree char *clean = model_join("", at);
		if (strcmp(clean, at) == 0)
			return strcmp(clean, "/") == 0 ? g_strdup(root)
						       : g_strconcat(root, clean, NULL);
		g_free(at);
		at = g_steal_pointer(&clean);
	}
}

/* ---- archive.Apply ---- */

typedef struct {
	const char *root;
	const char *const *parents; /* the nearest first; none: a plain directory */
	GHashTable *unpacked;
} Model;

static void
model_remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return;
	if (S_ISDIR(st.st_mode))
		g_assert_true(cam_remove_tree_at(AT_FDCWD, path, NULL));
	else
		g_assert_cmpint(unlink(path), ==, 0);
}

static void
model_copy_xattrs(const char *from, const char *to)
{
	char names[4096], value[4096];
	ssize_t size = llistxattr(from, names, sizeof names);

	for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t n = lgetxattr(from, name, value, sizeof value);

		if (n >= 0 && !g_str_has_prefix(name, "trusted."))
			lsetxattr(to, name, value, (gsize) n, XATTR_CREATE);
	}
}

static gboolean
model_describe(const Model *self, const char *path)
{
	for (guint i = 0; self->parents[i] != NULL; i++) {
		g_autofree char *like =
			model_root_path(self->parents[i], path + strlen(self->root));
		struct stat st;

		if (like == NULL)
			return FALSE;
		if (lstat(like, &st) != 0) {
			if (errno != ENOENT)
				return FALSE;
			continue;
		}
		if (!S_ISDIR(st.st_mode))
			return TRUE;
		g_assert_cmpint(lchown(path, st.st_uid, st.st_gid), ==, 0);
		g_assert_cmpint(chmod(path, st.st_mode & 07777), ==, 0);
		model_copy_xattrs(like, path);
		return TRUE;
	}
	return TRUE;
}

static gboolean
model_mkparent(const Model *self, const char *path)
{
	g_autofree char *above = NULL;
	struct stat st;

	if (lstat(path, &st) == 0)
		return S_ISDIR(st.st_mode);
	if (errno != ENOENT)
		return FALSE;
	above = g_path_get_dirname(path);
	if (strlen(above) > strlen(self->root) && !model_mkparent(self, above))
		return FALSE;
	return mkdir(path, 0755) == 0 && chmod(path, 0755) == 0 && model_describe(self, path);
}

static void
model_remove_unnamed(const Model *self, const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		struct stat st;

		if (!g_hash_table_contains(self->unpacked, path))
			model_remove(path);
		else if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			model_remove_unnamed(self, path);
	}
}

static gboolean
model_whiteout(const Model *self, const char *directory, const char *name)
{
	g_autofree char *hidden = NULL;

	if (strcmp(name, ".wh..wh..opq") == 0) {
		if (self->parents[0] == NULL)
			model_remove_unnamed(self, directory);
		else
			g_assert_cmpint(setxattr(directory, "trusted.overlay.opaque", "y", 1, 0),
					==, 0);
		return TRUE;
	}
	hidden = g_build_filename(directory, name + strlen(".wh."), NULL);
	if (self->parents[0] != NULL)
		return mknod(hidden, S_IFCHR, 0) == 0;
	model_remove(hidden);
	return TRUE;
}

static gboolean
model_hardlink(const Model *self, const char *link, const char *path)
{
	const char *slash = strrchr(link, '/');
	g_autofree char *directory =
		g_strndup(link, slash != NULL ? (gsize) (slash - link) + 1 : 0);
	g_autofree char *real = model_root_path(self->root, directory);
	g_autofree char *target = NULL;

	if (real == NULL)
		return FALSE;
	target = g_build_filename(real, slash != NULL ? slash + 1 : link, NULL);
	return linkat(AT_FDCWD, target, AT_FDCWD, path, 0) == 0;
}

static gboolean
model_create(const Model *self, const char *path, const ModelEntry *entry)
{
	struct stat st;
	guint mode = entry->mode;

	switch (entry->type) {
	case '5':
		return (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) || mkdir(path, mode) == 0;
	case '0':
		return g_file_set_contents(path, entry->content, -1, NULL);
	case '1':
		return model_hardlink(self, entry->link, path);
	case '2':
		return symlink(entry->link, path) == 0;
	case '3':
		return mknod(path, S_IFCHR | mode, makedev(entry->major, entry->minor)) == 0;
	default:
		return mknod(path, S_IFIFO | mode, 0) == 0;
	}
}

/* FALSE: containerd fails here. */
static gboolean
model_apply_entry(const Model *self, const ModelEntry *entry)
{
	g_autofree char *clean = g_canonicalize_filename(entry->name, "/");
	const char *name = strrchr(clean, '/') + 1;
	g_autofree char *above = g_strndup(clean + 1, (gsize) (name - clean - 1));
	g_autofree char *directory = model_root_path(self->root, above), *path = NULL;
	struct timespec times[2] = { { entry->mtime, 0 }, { entry->mtime, 0 } };
	struct stat st;

	if (directory == NULL)
		return FALSE;
	if (*name == '\0') /* the root */
		return TRUE;
	path = g_build_filename(directory, name, NULL);
	if (strcmp(directory, self->root) != 0 && !model_mkparent(self, directory))
		return FALSE;
	if (g_str_has_prefix(name, ".wh."))
		return model_whiteout(self, directory, name);
	if (lstat(path, &st) == 0 && !(S_ISDIR(st.st_mode) && entry->type == '5'))
		model_remove(path);
	if (!model_create(self, path, entry))
		return FALSE;
	g_assert_cmpint(lchown(path, entry->uid, entry->gid), ==, 0);
	g_assert_cmpint(lstat(path, &st), ==, 0);
	if (!S_ISLNK(st.st_mode))
		g_assert_cmpint(chmod(path, entry->mode), ==, 0);
	g_assert_cmpint(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), ==, 0);
	g_hash_table_add(self->unpacked, g_steal_pointer(&path));
	return TRUE;
}

/* The times of directories are set by name when all is there. */
static gboolean
model_finish(const Model *self, const ModelEntry *entry)
{
	g_autofree char *path = model_root_path(self->root, entry->name);
	struct timespec times[2] = { { entry->mtime, 0 }, { entry->mtime, 0 } };

	return path != NULL && utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Unpacks @entries into @root. Returns the one that containerd cannot take, or their number. */
static guint
model_apply(GPtrArray *entries, const char *root, const char *const *parents)
{
	g_autoptr(GHashTable) unpacked =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Model model = { root, parents, unpacked };
	guint i = 0;

	while (i < entries->len && model_apply_entry(&model, entries->pdata[i]))
		i++;
	for (guint j = 0; i == entries->len && j < entries->len; j++) {
		const ModelEntry *entry = entries->pdata[j];
		const char *slash = strrchr(entry->name, '/');
		const char *name = slash != NULL ? slash + 1 : entry->name;

		if (entry->type == '5' && !g_str_has_prefix(name, ".wh.") &&
		    !model_finish(&model, entry))
			return j;
	}
	return i;
}

static GBytes *
model_tar(GPtrArray *entries)
{
	GByteArray *tar = g_byte_array_new();

	for (guint i = 0; i < entries->len; i++) {
		const ModelEntry *entry = entries->pdata[i];

		tar_add(tar, &(TarSample){
				     .name = entry->name,
				     .link = entry->link,
				     .type = entry->type,
				     .mode = entry->mode,
				     .uid = entry->uid,
				     .gid = entry->gid,
				     .mtime = entry->mtime,
				     .major = entry->major,
				     .minor = entry->minor,
				     .content = entry->content,
			     });
	}
	return tar_end(tar);
}

/* ---- random layers ---- */

static char *
model_random_path(GRand *rand)
{
	guint depth = 1 + (guint) (g_rand_int_range(rand, 0, 10) * 3 / 10) +
		      (guint) g_rand_int_range(rand, 0, 2) / 1;
	GString *path = g_string_new(NULL);

	for (guint i = 0; i < depth; i++) {
		if (i > 0)
			g_string_append_c(path, '/');
		if (g_rand_int_range(rand, 0, 80) == 0)
			g_string_append(path, ".wh..wh.");
		g_string_append_c(path, (char) g_rand_int_range(rand, 'a', 'e'));
	}
	return g_string_free(path, FALSE);
}

static char *
model_random_target(GRand *rand)
{
	static const char *const forms[] = { "%s",	 "%s",	   "/%s",     "../%s",
					     "../../%s", "./%s/.", "%s/../b", "%s/.." };
	g_autofree char *path = model_random_path(rand);
	GString *target = g_string_new(forms[g_rand_int_range(rand, 0, G_N_ELEMENTS(forms))]);

	g_string_replace(target, "%s", path, 1);
	return g_string_free(target, FALSE);
}

static char *
model_random_whiteout(GRand *rand, const char *path)
{
	const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;

	if (g_rand_int_range(rand, 0, 3) == 0)
		return g_strconcat(path, "/.wh..wh..opq", NULL);
	if (g_rand_int_range(rand, 0, 40) == 0)
		return g_strdup(".wh..wh..opq");
	return g_strdup_printf("%.*s.wh.%s", (int) (name - path), path, name);
}

static gboolean
model_is_whiteout(const ModelEntry *entry)
{
	const char *slash = strrchr(entry->name, '/');

	return g_str_has_prefix(slash != NULL ? slash + 1 : entry->name, ".wh.");
}

static ModelEntry *
model_random_entry(GRand *rand)
{
	static const char kinds[] = "00000000005555555555222222211wwwwwww3z6";
	static const guint modes[] = { 0755, 0700, 0644, 04755, 01777, 0750 };
	static guint serial;
	ModelEntry *entry = g_new0(ModelEntry, 1);
	char kind = kinds[g_rand_int_range(rand, 0, sizeof kinds - 1)];

	entry->name = model_random_path(rand);
	entry->type = kind == 'w' ? '0' : kind == 'z' ? '3' : kind;
	entry->mode = modes[g_rand_int_range(rand, 0, G_N_ELEMENTS(modes))];
	entry->uid = (guint) g_rand_int_range(rand, 0, 3);
	entry->gid = (guint) g_rand_int_range(rand, 0, 3);
	entry->mtime = 1000000000 + ++serial;
	if (kind == '2') {
		entry->link = model_random_target(rand);
		entry->mode = 0777;
	} else if (kind == '1') {
		entry->link = model_random_path(rand);
	} else if (kind == '3') {
		entry->major = 1;
		entry->minor = (guint) g_rand_int_range(rand, 3, 6);
	}
	if (kind == 'w') {
		g_autofree char *path = g_steal_pointer(&entry->name);

		entry->name = model_random_whiteout(rand, path);
	}
	if (entry->type == '0')
		entry->content =
			model_is_whiteout(entry) ? g_strdup("") : g_strdup_printf("%u", serial);
	return entry;
}

/* Hard links mostly lead to something: to a name that the layer has had. */
static GPtrArray *
model_random_layer(GRand *rand)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(model_entry_free);
	guint n = (guint) g_rand_int_range(rand, 1, 9);

	for (guint i = 0; i < n; i++) {
		ModelEntry *entry = model_random_entry(rand);
		const ModelEntry *other =
			i > 0 ? entries->pdata[g_rand_int_range(rand, 0, (gint) i)] : NULL;

		if (entry->type == '1' && other != NULL && g_rand_int_range(rand, 0, 5) > 0) {
			g_free(entry->link);
			entry->link = g_strdup(other->name);
		}
		g_ptr_array_add(entries, entry);
	}
	return entries;
}
