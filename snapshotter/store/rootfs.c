/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all file trees have in common: finding a path with its symbolic links resolved inside the
 * tree, and reading whole files. How trees are kept is the business of the implementations.
 */
#include "snapshotter/store/rootfs.h"

#include <string.h>

#define MAX_LINKS 40 /* as Linux's MAXSYMLINKS */
/* Directories that lookups keep open; a lookup below /usr/lib must not read it anew each time. */
#define MAX_CACHED_TREES 256

typedef struct {
	GMutex mutex;
	GHashTable *trees;   /* CamSha256 (in the tree's key) → CamTree */
	GStringChunk *names; /* of entries that lookups returned */
} CamRootfsPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(CamRootfs, cam_rootfs, G_TYPE_OBJECT)

static void
cam_rootfs_finalize(GObject *object)
{
	CamRootfsPrivate *priv = cam_rootfs_get_instance_private(CAM_ROOTFS(object));

	g_hash_table_unref(priv->trees);
	g_string_chunk_free(priv->names);
	g_mutex_clear(&priv->mutex);
	G_OBJECT_CLASS(cam_rootfs_parent_class)->finalize(object);
}

static void
cam_rootfs_class_init(CamRootfsClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_rootfs_finalize;
}

static void
cam_rootfs_init(CamRootfs *self)
{
	CamRootfsPrivate *priv = cam_rootfs_get_instance_private(self);

	g_mutex_init(&priv->mutex);
	priv->trees = g_hash_table_new_full(cam_sha256_hash, cam_sha256_equal, g_free,
					    (GDestroyNotify) cam_tree_unref);
	priv->names = g_string_chunk_new(256);
}

void
cam_stat_clear(CamStat *self)
{
	g_clear_pointer(&self->link_target, g_free);
	g_clear_pointer(&self->xattrs, g_variant_unref);
}

void
cam_rootfs_get_root(CamRootfs *self, CamEntry *root)
{
	CAM_ROOTFS_GET_CLASS(self)->get_root(self, root);
}

CamTree *
cam_rootfs_open_tree(CamRootfs *self, const CamEntry *directory, GError **error)
{
	g_return_val_if_fail(directory->is_directory, NULL);
	return CAM_ROOTFS_GET_CLASS(self)->open_tree(self, directory, error);
}

gboolean
cam_rootfs_stat(CamRootfs *self, const CamEntry *entry, CamStat *out, GError **error)
{
	return CAM_ROOTFS_GET_CLASS(self)->stat(self, entry, out, error);
}

GInputStream *
cam_rootfs_open(CamRootfs *self, const CamEntry *file, GError **error)
{
	g_return_val_if_fail(!file->is_directory, NULL);
	return CAM_ROOTFS_GET_CLASS(self)->open(self, file, error);
}

gboolean
cam_rootfs_content_sha256(CamRootfs *self, const CamEntry *file, CamSha256 *out, GError **error)
{
	g_return_val_if_fail(!file->is_directory, FALSE);
	return CAM_ROOTFS_GET_CLASS(self)->content_sha256(self, file, out, error);
}

static CamTree *
open_tree_cached(CamRootfs *self, const CamEntry *directory, GError **error)
{
	CamRootfsPrivate *priv = cam_rootfs_get_instance_private(self);
	CamTree *tree;

	g_mutex_lock(&priv->mutex);
	tree = g_hash_table_lookup(priv->trees, &directory->id);
	if (tree != NULL)
		cam_tree_ref(tree);
	g_mutex_unlock(&priv->mutex);
	if (tree != NULL)
		return tree;

	tree = cam_rootfs_open_tree(self, directory, error);
	if (tree == NULL)
		return NULL;

	g_mutex_lock(&priv->mutex);
	if (g_hash_table_size(priv->trees) >= MAX_CACHED_TREES)
		g_hash_table_remove_all(priv->trees);
	g_hash_table_insert(priv->trees, g_memdup2(&directory->id, sizeof(CamSha256)),
			    cam_tree_ref(tree));
	g_mutex_unlock(&priv->mutex);
	return tree;
}

static const char *
intern_name(CamRootfs *self, const char *name)
{
	CamRootfsPrivate *priv = cam_rootfs_get_instance_private(self);
	const char *interned;

	g_mutex_lock(&priv->mutex);
	interned = g_string_chunk_insert_const(priv->names, name);
	g_mutex_unlock(&priv->mutex);
	return interned;
}

/*
 * Where a lookup stands: the entries from the root down to the current one, and the path that
 * they make. Entries' names are not used: they belong to trees that may be gone.
 */
typedef struct {
	CamRootfs *rootfs;
	GArray *entries; /* (element-type CamEntry), the root first */
	GString *path;
	GString *rest; /* what is still to be walked */
	guint links;
} CamWalk;

static void
cam_walk_init(CamWalk *self, CamRootfs *rootfs, const char *path)
{
	CamEntry root;

	self->rootfs = rootfs;
	self->entries = g_array_new(FALSE, FALSE, sizeof(CamEntry));
	self->path = g_string_new(NULL);
	self->rest = g_string_new(path);
	self->links = 0;
	cam_rootfs_get_root(rootfs, &root);
	g_array_append_val(self->entries, root);
}

static void
cam_walk_clear(CamWalk *self)
{
	g_array_unref(self->entries);
	g_string_free(self->path, TRUE);
	g_string_free(self->rest, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamWalk, cam_walk_clear)

static const CamEntry *
cam_walk_current(CamWalk *self)
{
	return &g_array_index(self->entries, CamEntry, self->entries->len - 1);
}

static void
cam_walk_up(CamWalk *self)
{
	const char *slash = strrchr(self->path->str, '/');

	if (self->entries->len > 1)
		g_array_set_size(self->entries, self->entries->len - 1);
	g_string_truncate(self->path, slash != NULL ? slash - self->path->str : 0);
}

static void
cam_walk_down(CamWalk *self, const CamEntry *entry, const char *name)
{
	if (self->path->len > 0)
		g_string_append_c(self->path, '/');
	g_string_append(self->path, name);
	g_array_append_vals(self->entries, entry, 1);
}

/* (nullable): cuts the next component off the front of what is left. */
static char *
cam_walk_next(CamWalk *self)
{
	gsize start = strspn(self->rest->str, "/");
	gsize size = strcspn(self->rest->str + start, "/");
	char *name = size > 0 ? g_strndup(self->rest->str + start, size) : NULL;

	g_string_erase(self->rest, 0, start + size);
	return name;
}

static gboolean
cam_walk_is_last(CamWalk *self)
{
	return self->rest->str[strspn(self->rest->str, "/")] == '\0';
}

/* The current entry is a link to @target: continue there instead. */
static gboolean
cam_walk_follow(CamWalk *self, const char *target, const char *whole, GError **error)
{
	if (++self->links > MAX_LINKS)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND, "%s: more than %d symbolic links",
				     whole, MAX_LINKS);
	if (target[0] == '/') {
		g_array_set_size(self->entries, 1);
		g_string_truncate(self->path, 0);
	} else {
		cam_walk_up(self);
	}
	g_string_prepend_c(self->rest, '/');
	g_string_prepend(self->rest, target);
	return TRUE;
}

static gboolean
cam_walk_step(CamWalk *self, const char *name, gboolean follow_last, const char *whole,
	      GError **error)
{
	g_autoptr(CamTree) tree = NULL;
	g_auto(CamStat) st = { 0 };
	const CamEntry *entry;

	if (!cam_walk_current(self)->is_directory)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND,
				     "%s does not exist: %s is no directory", whole,
				     self->path->str);
	tree = open_tree_cached(self->rootfs, cam_walk_current(self), error);
	if (tree == NULL)
		return FALSE;
	entry = cam_tree_find(tree, name);
	if (entry == NULL)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND, "%s does not exist", whole);

	cam_walk_down(self, entry, name);
	if (entry->is_directory || (cam_walk_is_last(self) && !follow_last))
		return TRUE;
	if (!cam_rootfs_stat(self->rootfs, entry, &st, error))
		return FALSE;
	if (st.type != CAM_NODE_SYMLINK)
		return TRUE;
	return cam_walk_follow(self, st.link_target, whole, error);
}

gboolean
cam_rootfs_lookup(CamRootfs *self, const char *path, gboolean follow, char **real_path,
		  CamEntry *out, GError **error)
{
	g_auto(CamWalk) walk = { 0 };
	const char *slash;
	char *component;

	cam_walk_init(&walk, self, path);
	while ((component = cam_walk_next(&walk)) != NULL) {
		g_autofree char *name = component;

		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			if (!cam_walk_current(&walk)->is_directory)
				return cam_set_error(error, CAM_ERROR_NOT_FOUND,
						     "%s does not exist: %s is no directory", path,
						     walk.path->str);
			cam_walk_up(&walk);
			continue;
		}
		if (!cam_walk_step(&walk, name, follow, path, error))
			return FALSE;
	}

	slash = strrchr(walk.path->str, '/');
	*out = *cam_walk_current(&walk);
	out->name = intern_name(self, slash != NULL ? slash + 1 : walk.path->str);
	if (real_path != NULL)
		*real_path = g_strdup(walk.path->str);
	return TRUE;
}

GBytes *
cam_rootfs_read_entry(CamRootfs *self, const CamEntry *file, gsize max_size, GError **error)
{
	g_autoptr(GInputStream) stream = cam_rootfs_open(self, file, error);
	g_autoptr(GByteArray) content = g_byte_array_new();
	guint8 buffer[16 * 1024];
	gssize n;

	if (stream == NULL)
		return NULL;
	while ((n = g_input_stream_read(stream, buffer, sizeof(buffer), NULL, error)) > 0) {
		if (content->len + (gsize) n > max_size) {
			cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				      "%s is larger than the %" G_GSIZE_FORMAT
				      " bytes that are read of such a file",
				      file->name, max_size);
			return NULL;
		}
		g_byte_array_append(content, buffer, n);
	}
	if (n < 0) {
		cam_error_translate(error, "cannot read %s", file->name);
		return NULL;
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&content));
}

GBytes *
cam_rootfs_read(CamRootfs *self, const char *path, gsize max_size, GError **error)
{
	g_auto(CamStat) st = { 0 };
	CamEntry entry;

	if (!cam_rootfs_lookup(self, path, TRUE, NULL, &entry, error) ||
	    !cam_rootfs_stat(self, &entry, &st, error))
		return NULL;
	if (st.type != CAM_NODE_REGULAR) {
		cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION, "%s is no regular file", path);
		return NULL;
	}
	return cam_rootfs_read_entry(self, &entry, max_size, error);
}
