/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the entries of one layer make, in their order, as containerd's applier (archive.Apply) makes
 * it in the upper directory of an overlay. It sees that directory alone:
 *
 * - links of this layer are followed on the way to an entry; those of lower layers are not there;
 * - directories on the way that are missing are made, for whiteouts and opaque marks too;
 * - an entry replaces what it finds, but for a directory on a directory;
 * - a whiteout is a node of its own: it hides the name below it in the overlay, and a later entry
 *   of the layer replaces it (a directory then shows what it would have hidden);
 * - a hard link leads to what the layer itself has, and gives its file the owner, mode and
 *   attributes of its own header;
 * - the entry of the root is passed over, and so is an opaque root;
 * - the times of directories are set at the end, by their names: one that is gone then is an error.
 *
 * The lowest layer has no overlay: there whiteouts remove. tree-builder.c lays the result over the
 * layers below.
 */
#include "snapshotter/store/layer-tree.h"

#include <limits.h>
#include <string.h>

#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/layer-path.h"

#define BUDGET (256 * G_GUINT64_CONSTANT(1048576)) /* see cam_layer_path_resolve() */

/* An entry for a directory. */
typedef struct {
	char *path;
	gint64 mtime;
} NamedDirectory;

struct _CamLayerTree {
	gboolean lowest;
	CamLayerNode *root;
	guint64 budget;
	CamLayerTreeDropFunc drop_func;
	gpointer drop_data;
	/* Paths that entries named and that were removed since: the lowest layer's opaque marks
	 * spare them also when they come back. */
	GHashTable *once_unpacked;
	GArray *directories; /* (element-type NamedDirectory): whose times are set at the end */
	gboolean has_removed;
	GPtrArray *removed; /* (element-type filename): see cam_layer_tree_get_removed() */
	/* Entries come directory by directory. */
	char *last_parent, *last_real;
	CamLayerNode *last_directory;
};

static void
record_clear(gpointer data)
{
	cam_stat_clear(&((CamLayerRecord *) data)->stat);
}

static void
record_unref(gpointer record)
{
	g_rc_box_release_full(record, record_clear);
}

void
cam_layer_node_free(gpointer data)
{
	CamLayerNode *node = data;

	g_clear_pointer(&node->record, record_unref);
	g_clear_pointer(&node->children, g_hash_table_unref);
	g_free(node);
}

static void
named_directory_clear(gpointer data)
{
	g_free(((NamedDirectory *) data)->path);
}

CamLayerTree *
cam_layer_tree_new(gboolean lowest)
{
	CamLayerTree *self = g_new0(CamLayerTree, 1);

	self->lowest = lowest;
	self->budget = BUDGET;
	self->root = g_new0(CamLayerNode, 1);
	self->root->is_directory = TRUE;
	self->once_unpacked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->removed = g_ptr_array_new_with_free_func(g_free);
	self->directories = g_array_new(FALSE, FALSE, sizeof(NamedDirectory));
	g_array_set_clear_func(self->directories, named_directory_clear);
	return self;
}

static void
forget_last(CamLayerTree *self)
{
	g_clear_pointer(&self->last_parent, g_free);
	g_clear_pointer(&self->last_real, g_free);
	self->last_directory = NULL;
}

void
cam_layer_tree_free(CamLayerTree *self)
{
	forget_last(self);
	cam_layer_node_free(self->root);
	g_hash_table_unref(self->once_unpacked);
	g_ptr_array_unref(self->removed);
	g_array_unref(self->directories);
	g_free(self);
}

void
cam_layer_tree_set_drop_func(CamLayerTree *self, CamLayerTreeDropFunc func, gpointer user_data)
{
	self->drop_func = func;
	self->drop_data = user_data;
}

CamLayerNode *
cam_layer_tree_get_root(CamLayerTree *self)
{
	return self->root;
}

GPtrArray *
cam_layer_tree_get_removed(CamLayerTree *self)
{
	return self->removed;
}

CamLayerNode *
cam_layer_node_get_child(const CamLayerNode *node, const char *name)
{
	return node->children != NULL ? g_hash_table_lookup(node->children, name) : NULL;
}

/* ---- making and removing ---- */

static CamLayerNode *
add_node(CamLayerNode *parent, const char *name)
{
	CamLayerNode *node = g_new0(CamLayerNode, 1);

	if (parent->children == NULL)
		parent->children =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, cam_layer_node_free);
	g_hash_table_replace(parent->children, g_strdup(name), node);
	return node;
}

/* Adds @name to @path; returns the length to truncate it to afterwards. */
static gsize
go_down(GString *path, const char *name)
{
	gsize length = path->len;

	if (length > 0)
		g_string_append_c(path, '/');
	g_string_append(path, name);
	return length;
}

static void
remember_removed(CamLayerTree *self, const CamLayerNode *node, const char *path,
		 gboolean holds_implied)
{
	if (self->lowest && node->is_unpacked)
		g_hash_table_add(self->once_unpacked, g_strdup(path));
	/* The deepest speaks for those above it. */
	if (!self->lowest && node->is_implied && !holds_implied)
		g_ptr_array_add(self->removed, g_strdup(path));
}

/* Before @node, at @path, is removed with all that is in it. */
static void
prepare_removal(CamLayerTree *self, const CamLayerNode *node, GString *path)
{
	gboolean holds_implied = FALSE;
	GHashTableIter iter;
	gpointer name, child;

	if (node->record != NULL && --node->record->names == 0 && self->drop_func != NULL)
		self->drop_func(self->drop_data, node->record);
	if (node->children != NULL)
		g_hash_table_iter_init(&iter, node->children);
	while (node->children != NULL && g_hash_table_iter_next(&iter, &name, &child)) {
		gsize length = go_down(path, name);

		prepare_removal(self, child, path);
		holds_implied |= ((CamLayerNode *) child)->is_implied;
		g_string_truncate(path, length);
	}
	remember_removed(self, node, path->str, holds_implied);
}

/* @directory: the path of @parent */
static void
remove_node(CamLayerTree *self, CamLayerNode *parent, const char *directory, const char *name)
{
	CamLayerNode *node = cam_layer_node_get_child(parent, name);
	g_autoptr(GString) path = NULL;

	if (node == NULL)
		return;
	path = g_string_new(directory);
	go_down(path, name);
	self->has_removed = TRUE;
	forget_last(self);
	prepare_removal(self, node, path);
	g_hash_table_remove(parent->children, name);
}

/* ---- finding the way ---- */

static gboolean
is_plain(CamLayerTree *self, const char *path)
{
	g_autofree char *names = g_strdup(path);
	CamLayerNode *node = self->root;
	char *rest = NULL;

	for (char *name = strtok_r(names, "/", &rest); name != NULL;
	     name = strtok_r(NULL, "/", &rest)) {
		node = cam_layer_node_get_child(node, name);
		if (node == NULL || !node->is_directory)
			return node == NULL;
	}
	return TRUE;
}

/* Links are rare: directories and what does not exist need no more than a look. */
static char *
resolve(CamLayerTree *self, const char *path, GError **error)
{
	return is_plain(self, path)
		       ? g_strdup(path)
		       : cam_layer_path_resolve(self->root, path, &self->budget, error);
}

gboolean
cam_layer_tree_find(CamLayerTree *self, const char *path, CamLayerNode **node, char **real,
		    GError **error)
{
	g_autofree char *found = resolve(self, path, error);

	*node = found != NULL ? cam_layer_path_get(self->root, found, NULL) : NULL;
	if (real != NULL)
		*real = g_strdup(found);
	return found != NULL;
}

/* Whether a directory that is made at the first @size bytes of @path was once an entry there. */
static gboolean
was_unpacked(CamLayerTree *self, const char *path, gsize size)
{
	g_autofree char *key = NULL;

	if (g_hash_table_size(self->once_unpacked) == 0 || self->budget < size)
		return FALSE;
	self->budget -= size;
	key = g_strndup(path, size);
	return g_hash_table_contains(self->once_unpacked, key);
}

/* The directory @real, made where it is missing. NULL where a file is in the way. */
static CamLayerNode *
make_directories(CamLayerTree *self, const char *real)
{
	g_autofree char *names = g_strdup(real);
	CamLayerNode *node = self->root;
	char *rest = NULL;

	for (char *name = strtok_r(names, "/", &rest); name != NULL;
	     name = strtok_r(NULL, "/", &rest)) {
		CamLayerNode *child = cam_layer_node_get_child(node, name);

		if (child == NULL) {
			child = add_node(node, name);
			child->is_directory = child->is_implied = TRUE;
			child->is_unpacked =
				was_unpacked(self, real, (gsize) (name - names) + strlen(name));
		}
		if (!child->is_directory)
			return NULL;
		node = child;
	}
	return node;
}

static gboolean
find_parent(CamLayerTree *self, const char *parent, const char *path, GError **error)
{
	g_autofree char *real = NULL;
	CamLayerNode *directory;

	if (self->last_parent != NULL && g_str_equal(self->last_parent, parent))
		return TRUE;
	real = resolve(self, parent, error);
	if (real == NULL)
		return cam_error_translate(error, "%s", path);
	if (strlen(real) >= PATH_MAX)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%.100s…: a path of %zu bytes, longer than the kernel takes",
				     path, strlen(real));
	directory = make_directories(self, real);
	if (directory == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s lies below %s, which is no directory in this layer", path,
				     real);
	forget_last(self);
	self->last_parent = g_strdup(parent);
	self->last_real = g_steal_pointer(&real);
	self->last_directory = directory;
	return TRUE;
}

/* ---- whiteouts ---- */

/* What the lowest layer's opaque mark removes: all that no entry named. */
static void
remove_implied(CamLayerTree *self, CamLayerNode *directory, GString *path)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer name, value;

	if (directory->children == NULL)
		return;
	g_hash_table_iter_init(&iter, directory->children);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		CamLayerNode *child = value;
		gsize length = go_down(path, name);

		if (!child->is_unpacked)
			g_ptr_array_add(names, g_strdup(name));
		else if (child->is_directory)
			remove_implied(self, child, path);
		g_string_truncate(path, length);
	}
	for (guint i = 0; i < names->len; i++)
		remove_node(self, directory, path->str, names->pdata[i]);
}

static gboolean
add_opaque(CamLayerTree *self, const CamLayerEntry *entry, GError **error)
{
	g_autoptr(GString) path = NULL;

	if (!find_parent(self, entry->path, entry->path, error))
		return FALSE;
	if (!self->lowest) {
		/* Overlayfs merges roots whatever attributes they have. */
		self->last_directory->is_opaque = self->last_directory != self->root;
		return TRUE;
	}
	path = g_string_new(self->last_real);
	remove_implied(self, self->last_directory, path);
	return TRUE;
}

static gboolean
add_whiteout(CamLayerTree *self, CamLayerNode *parent, const char *directory, const char *name,
	     const CamLayerEntry *entry, GError **error)
{
	if (self->lowest) {
		remove_node(self, parent, directory, name);
		return TRUE;
	}
	if (cam_layer_node_get_child(parent, name) != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s: a whiteout of what the same layer brought before",
				     entry->path);
	add_node(parent, name)->is_whiteout = TRUE;
	return TRUE;
}

/* ---- entries ---- */

static CamLayerRecord *
record_new(const CamLayerEntry *entry)
{
	CamLayerRecord *record = g_rc_box_new0(CamLayerRecord);

	record->mtime = entry->mtime;
	record->stat = (CamStat){
		.type = entry->type,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.size = entry->size,
		.link_target = g_strdup(entry->link_target),
		.rdev_major = entry->rdev_major,
		.rdev_minor = entry->rdev_minor,
		.xattrs = entry->xattrs != NULL ? g_variant_ref(entry->xattrs) : NULL,
	};
	if (entry->object != NULL)
		record->object = *entry->object;
	return record;
}

static void
set_record(CamLayerNode *node, CamLayerRecord *record)
{
	g_clear_pointer(&node->record, record_unref);
	node->record = record;
	record->names++;
	node->is_unpacked = TRUE;
}

/* Attributes are set one by one: what has others keeps them. */
static void
add_xattrs(CamStat *stat, GVariant *added)
{
	GVariant *all;

	if (added == NULL)
		return;
	all = cam_layer_xattrs_unite(stat->xattrs, added);
	g_clear_pointer(&stat->xattrs, g_variant_unref);
	stat->xattrs = all;
}

static gboolean
gives_other_xattrs(const CamStat *stat, GVariant *added)
{
	return added != NULL && (stat->xattrs == NULL || !g_variant_equal(stat->xattrs, added));
}

/* A hard link's header is applied to the file that it names. */
static void
change_file(CamLayerTree *self, CamLayerRecord *record, const CamLayerEntry *entry)
{
	CamStat *stat = &record->stat;
	guint32 mode = stat->type == CAM_NODE_SYMLINK ? stat->mode : entry->mode;

	record->mtime = entry->mtime;
	if (stat->uid == entry->uid && stat->gid == entry->gid && stat->mode == mode &&
	    !gives_other_xattrs(stat, entry->xattrs))
		return;
	if (self->drop_func != NULL && !record->is_changed)
		self->drop_func(self->drop_data, record);
	record->is_changed = TRUE;
	stat->uid = entry->uid;
	stat->gid = entry->gid;
	stat->mode = mode;
	add_xattrs(stat, entry->xattrs);
}

static gboolean
add_hardlink(CamLayerTree *self, CamLayerNode *parent, const char *name, const CamLayerEntry *entry,
	     GError **error)
{
	const char *slash = strrchr(entry->link_target, '/');
	const char *base = slash != NULL ? slash + 1 : entry->link_target;
	g_autofree char *directory = g_strndup(
		entry->link_target, slash != NULL ? (gsize) (slash - entry->link_target) : 0);
	CamLayerNode *way, *target = NULL, *node;

	if (!cam_layer_tree_find(self, directory, &way, NULL, error))
		return cam_error_translate(error, "hard link %s", entry->path);
	if (way != NULL && way->is_directory)
		target = cam_layer_node_get_child(way, base);
	if (target == NULL || target->is_directory)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "hard link %s: the layer has no file %s before it to link to",
				     entry->path, entry->link_target);
	node = add_node(parent, name);
	node->is_whiteout = target->is_whiteout;
	node->is_unpacked = TRUE;
	if (target->record == NULL)
		return TRUE;
	set_record(node, g_rc_box_acquire(target->record));
	change_file(self, target->record, entry);
	return TRUE;
}

static void
add_directory(CamLayerTree *self, CamLayerNode *parent, const char *name,
	      const CamLayerEntry *entry)
{
	const NamedDirectory named = { g_strdup(entry->path), entry->mtime };
	CamLayerNode *node = cam_layer_node_get_child(parent, name);
	CamLayerRecord *record = record_new(entry);

	if (node == NULL)
		node = add_node(parent, name);
	node->is_directory = TRUE;
	if (node->record != NULL && node->record->stat.xattrs != NULL) {
		g_clear_pointer(&record->stat.xattrs, g_variant_unref);
		add_xattrs(&record->stat, node->record->stat.xattrs);
		add_xattrs(&record->stat, entry->xattrs);
	}
	g_array_append_val(self->directories, named);
	set_record(node, record);
}

static void
add_file(CamLayerTree *self, CamLayerNode *parent, const char *name, const CamLayerEntry *entry)
{
	CamLayerNode *node = add_node(parent, name);

	set_record(node, record_new(entry));
	/* This is how overlayfs itself hides a name. */
	node->is_whiteout = entry->type == CAM_NODE_CHARACTER && entry->rdev_major == 0 &&
			    entry->rdev_minor == 0;
	if (node->is_whiteout && self->drop_func != NULL)
		self->drop_func(self->drop_data, node->record);
}

static gboolean
add_below(CamLayerTree *self, const CamLayerEntry *entry, const char *name, GError **error)
{
	gboolean is_directory = entry->type == CAM_NODE_DIRECTORY && !entry->is_hardlink;
	CamLayerNode *parent = self->last_directory;
	CamLayerNode *there = cam_layer_node_get_child(parent, name);
	g_autofree char *directory = g_strdup(self->last_real);

	if (entry->is_whiteout)
		return add_whiteout(self, parent, directory, name, entry, error);
	if (!is_directory || (there != NULL && !there->is_directory))
		remove_node(self, parent, directory, name);
	if (entry->is_hardlink)
		return add_hardlink(self, parent, name, entry, error);
	if (is_directory)
		add_directory(self, parent, name, entry);
	else
		add_file(self, parent, name, entry);
	return TRUE;
}

gboolean
cam_layer_tree_add(CamLayerTree *self, const CamLayerEntry *entry, GError **error)
{
	const char *slash = strrchr(entry->path, '/');
	g_autofree char *parent =
		slash != NULL ? g_strndup(entry->path, slash - entry->path) : g_strdup("");

	if (entry->is_opaque)
		return add_opaque(self, entry, error);
	if (*entry->path == '\0') {
		if (entry->type == CAM_NODE_DIRECTORY)
			set_record(self->root, record_new(entry));
		return TRUE;
	}
	return find_parent(self, parent, entry->path, error) &&
	       add_below(self, entry, slash != NULL ? slash + 1 : entry->path, error);
}

/* Sets the time of what is at the path of a directory's entry in the end. */
static gboolean
finish_directory(CamLayerTree *self, const NamedDirectory *directory, GError **error)
{
	CamLayerNode *node;

	if (!cam_layer_tree_find(self, directory->path, &node, NULL, error))
		return FALSE;
	if (node == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "%s: a directory that the same layer removes again",
				     directory->path);
	if (node->record != NULL)
		node->record->mtime = directory->mtime;
	return TRUE;
}

gboolean
cam_layer_tree_finish(CamLayerTree *self, GError **error)
{
	/* Otherwise all of them are where they were made. */
	for (guint i = 0; self->has_removed && i < self->directories->len; i++)
		if (!finish_directory(self, &g_array_index(self->directories, NamedDirectory, i),
				      error))
			return FALSE;
	return TRUE;
}
