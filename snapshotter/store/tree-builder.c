/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merge of a layer's entries into an OSTree tree: whiteouts, opaque directories, links that
 * are followed on the way, kinds that change. Owns no tar and no skeleton.
 */
#include "snapshotter/store/tree-builder.h"

#include <string.h>
#include <sys/stat.h>

#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/name-escape.h"
#include "snapshotter/store/repo.h"

#define MAX_LINKS 40 /* as Linux's MAXSYMLINKS */

struct _CamTreeBuilder {
	OstreeRepo *repo;
	OstreeMutableTree *root;
	OstreeMutableTree *lower; /* the tree as it was, for links to what was hidden since */
	GHashTable *links;	  /* checksum of an object → target, "" for what is no link */
	GHashTable *metadata;	  /* directory's metadata (bytes) → checksum */
	/* Entries come directory by directory. */
	char *last_parent;
	OstreeMutableTree *last_directory;
	gboolean lenient;
	guint64 unresolved;
};

CamTreeBuilder *
cam_tree_builder_new(OstreeRepo *repo, const char *contents, const char *metadata, GError **error)
{
	CamTreeBuilder *self = g_new0(CamTreeBuilder, 1);

	self->repo = g_object_ref(repo);
	self->links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->metadata = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					       (GDestroyNotify) g_bytes_unref, g_free);
	if (contents == NULL) {
		self->root = ostree_mutable_tree_new();
		return self;
	}
	self->root = ostree_mutable_tree_new_from_checksum(repo, contents, metadata);
	self->lower = ostree_mutable_tree_new_from_checksum(repo, contents, metadata);
	return self;
}

static void
forget_last(CamTreeBuilder *self)
{
	g_clear_pointer(&self->last_parent, g_free);
	g_clear_object(&self->last_directory);
}

void
cam_tree_builder_free(CamTreeBuilder *self)
{
	forget_last(self);
	g_clear_object(&self->root);
	g_clear_object(&self->lower);
	g_object_unref(self->repo);
	g_hash_table_unref(self->links);
	g_hash_table_unref(self->metadata);
	g_free(self);
}

void
cam_tree_builder_set_lenient(CamTreeBuilder *self)
{
	self->lenient = TRUE;
}

guint64
cam_tree_builder_get_unresolved(CamTreeBuilder *self)
{
	return self->unresolved;
}

/* ---- directories' metadata ---- */

/* Few directories differ in owner, mode and attributes: each kind is written once. */
static const char *
write_metadata(CamTreeBuilder *self, guint32 uid, guint32 gid, guint32 mode, GVariant *xattrs,
	       GError **error)
{
	g_autoptr(GVariant) variant = g_variant_ref_sink(
		g_variant_new("(uuu@a(ayay))", GUINT32_TO_BE(uid), GUINT32_TO_BE(gid),
			      GUINT32_TO_BE(S_IFDIR | mode), xattrs));
	g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(variant);
	const char *known = g_hash_table_lookup(self->metadata, bytes);
	g_autofree guchar *binary = NULL;

	if (known != NULL)
		return known;
	if (!ostree_repo_write_metadata(self->repo, OSTREE_OBJECT_TYPE_DIR_META, NULL, variant,
					&binary, NULL, error)) {
		cam_repo_error(error, "cannot write a directory's metadata");
		return NULL;
	}
	char *checksum = ostree_checksum_from_bytes(binary);
	g_hash_table_insert(self->metadata, g_steal_pointer(&bytes), checksum);
	return checksum;
}

static gboolean
set_default_metadata(CamTreeBuilder *self, OstreeMutableTree *directory, GError **error)
{
	const char *checksum = write_metadata(
		self, 0, 0, 0755, g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0), error);

	if (checksum == NULL)
		return FALSE;
	ostree_mutable_tree_set_metadata_checksum(directory, checksum);
	return TRUE;
}

/* ---- finding the way ---- */

static OstreeMutableTree *
get_directory(OstreeMutableTree *parent, const char *name)
{
	return g_hash_table_lookup(ostree_mutable_tree_get_subdirs(parent), name);
}

static const char *
get_file(OstreeMutableTree *parent, const char *name)
{
	return g_hash_table_lookup(ostree_mutable_tree_get_files(parent), name);
}

/* The target if the object is a symbolic link, else "". NULL on error. */
static const char *
read_link(CamTreeBuilder *self, const char *checksum, GError **error)
{
	const char *known = g_hash_table_lookup(self->links, checksum);
	g_auto(CamStat) stat = { .type = CAM_NODE_REGULAR };
	g_autoptr(GFileInfo) info = NULL;

	if (known != NULL)
		return known;
	if (!ostree_repo_load_file(self->repo, checksum, NULL, &info, &stat.xattrs, NULL, error)) {
		cam_repo_error(error, "cannot read object %s", checksum);
		return NULL;
	}
	if (g_file_info_get_file_type(info) == G_FILE_TYPE_SYMBOLIC_LINK)
		stat.link_target = g_strdup(g_file_info_get_symlink_target(info));
	else if (!cam_layer_node_decode(&stat, error))
		return NULL;
	g_hash_table_insert(self->links, g_strdup(checksum),
			    g_strdup(stat.link_target != NULL ? stat.link_target : ""));
	return g_hash_table_lookup(self->links, checksum);
}

/* Where a walk stands: links seen, what is still to go, and the directories passed. */
typedef struct {
	CamTreeBuilder *builder;
	GPtrArray *stack; /* OstreeMutableTree, root first; `..` pops */
	GQueue rest;	  /* components (char *) to go */
	guint n_links;
	gboolean make; /* missing directories are made */
} Walk;

static void
walk_clear(Walk *walk)
{
	g_queue_clear_full(&walk->rest, g_free);
	g_clear_pointer(&walk->stack, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static void
push_components(Walk *walk, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (guint i = g_strv_length(parts); i > 0; i--)
		if (*parts[i - 1] != '\0' && !g_str_equal(parts[i - 1], "."))
			g_queue_push_head(&walk->rest, g_strdup(parts[i - 1]));
}

static gboolean
follow_link(Walk *walk, const char *target, const char *path, GError **error)
{
	if (++walk->n_links > MAX_LINKS)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "too many symbolic links on the way to %s", path);
	if (*target == '/')
		g_ptr_array_set_size(walk->stack, 1);
	push_components(walk, target);
	return TRUE;
}

/* One component. *@found is FALSE if there is nothing and nothing is to be made. */
static gboolean
step(Walk *walk, const char *component, const char *path, gboolean *found, GError **error)
{
	OstreeMutableTree *here = g_ptr_array_index(walk->stack, walk->stack->len - 1);
	g_autofree char *name = NULL;
	OstreeMutableTree *next;
	const char *file;

	*found = TRUE;
	if (g_str_equal(component, "..")) {
		if (walk->stack->len > 1)
			g_ptr_array_set_size(walk->stack, (int) walk->stack->len - 1);
		return TRUE;
	}
	name = cam_name_escape(component);
	if ((next = get_directory(here, name)) != NULL) {
		g_ptr_array_add(walk->stack, g_object_ref(next));
		return TRUE;
	}
	if ((file = get_file(here, name)) != NULL) {
		const char *target = read_link(walk->builder, file, error);

		if (target == NULL)
			return FALSE;
		if (*target != '\0')
			return follow_link(walk, target, path, error);
		*found = FALSE;
		return !walk->make || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
						    "%s lies below a file, not a directory", path);
	}
	*found = walk->make;
	if (!walk->make)
		return TRUE;
	if (!ostree_mutable_tree_ensure_dir(here, name, &next, error))
		return cam_repo_error(error, "cannot make the directory of %s", path);
	g_ptr_array_add(walk->stack, next);
	return set_default_metadata(walk->builder, next, error);
}

/* The directory @directory, links followed. *@out is NULL without error where there is none. */
static gboolean
find_directory(CamTreeBuilder *self, OstreeMutableTree *root, const char *directory, gboolean make,
	       const char *path, OstreeMutableTree **out, GError **error)
{
	g_auto(Walk) walk = { .builder = self, .make = make, .rest = G_QUEUE_INIT };
	gboolean found = TRUE;

	*out = NULL;
	walk.stack = g_ptr_array_new_with_free_func(g_object_unref);
	g_ptr_array_add(walk.stack, g_object_ref(root));
	push_components(&walk, directory);
	while (found && !g_queue_is_empty(&walk.rest)) {
		g_autofree char *component = g_queue_pop_head(&walk.rest);

		if (!step(&walk, component, path, &found, error))
			return FALSE;
	}
	if (found)
		*out = g_object_ref(g_ptr_array_index(walk.stack, walk.stack->len - 1));
	return TRUE;
}

static void
split(const char *path, char **parent, char **name)
{
	const char *slash = strrchr(path, '/');

	*parent = slash != NULL ? g_strndup(path, (gsize) (slash - path)) : g_strdup("");
	*name = cam_name_escape(slash != NULL ? slash + 1 : path);
}

/* ---- whiteouts ---- */

static gboolean
remove_child(CamTreeBuilder *self, OstreeMutableTree *directory, const char *name, GError **error)
{
	forget_last(self);
	if (!ostree_mutable_tree_remove(directory, name, TRUE, error))
		return cam_repo_error(error, "cannot remove %s", name);
	return TRUE;
}

static gboolean
remove_all(CamTreeBuilder *self, OstreeMutableTree *directory, GHashTable *children, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, children);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, g_strdup(name));
	for (guint i = 0; i < names->len; i++)
		if (!remove_child(self, directory, g_ptr_array_index(names, i), error))
			return FALSE;
	return TRUE;
}

gboolean
cam_tree_builder_hide(CamTreeBuilder *self, const CamLayerEntry *entry, GError **error)
{
	g_autoptr(OstreeMutableTree) directory = NULL;
	g_autofree char *parent = NULL, *name = NULL;

	if (entry->is_opaque)
		return find_directory(self, self->root, entry->path, FALSE, entry->path, &directory,
				      error) &&
		       (directory == NULL ||
			(remove_all(self, directory, ostree_mutable_tree_get_files(directory),
				    error) &&
			 remove_all(self, directory, ostree_mutable_tree_get_subdirs(directory),
				    error)));
	split(entry->path, &parent, &name);
	return find_directory(self, self->root, parent, FALSE, entry->path, &directory, error) &&
	       (directory == NULL || remove_child(self, directory, name, error));
}

/* ---- entries ---- */

static gboolean
add_directory(CamTreeBuilder *self, OstreeMutableTree *parent, const char *name,
	      const CamLayerEntry *entry, GError **error)
{
	g_autoptr(GVariant) xattrs = cam_layer_entry_object_xattrs(entry);
	const char *metadata =
		write_metadata(self, entry->uid, entry->gid, entry->mode, xattrs, error);
	g_autoptr(OstreeMutableTree) directory = NULL;

	if (metadata == NULL)
		return FALSE;
	/* Also a link to a directory gives way: containerd keeps only real directories. */
	if (get_file(parent, name) != NULL && !remove_child(self, parent, name, error))
		return FALSE;
	if (!ostree_mutable_tree_ensure_dir(parent, name, &directory, error))
		return cam_repo_error(error, "cannot make directory %s", entry->path);
	ostree_mutable_tree_set_metadata_checksum(directory, metadata);
	return TRUE;
}

static gboolean
add_root(CamTreeBuilder *self, const CamLayerEntry *entry, GError **error)
{
	g_autoptr(GVariant) xattrs = cam_layer_entry_object_xattrs(entry);
	const char *metadata =
		write_metadata(self, entry->uid, entry->gid, entry->mode, xattrs, error);

	if (metadata == NULL)
		return FALSE;
	ostree_mutable_tree_set_metadata_checksum(self->root, metadata);
	return TRUE;
}

static gboolean
replace_file(CamTreeBuilder *self, OstreeMutableTree *parent, const char *name,
	     const char *checksum, GError **error)
{
	if (get_directory(parent, name) != NULL && !remove_child(self, parent, name, error))
		return FALSE;
	if (!ostree_mutable_tree_replace_file(parent, name, checksum, error))
		return cam_repo_error(error, "cannot add %s", name);
	return TRUE;
}

/* The object of the file at @path in @root; NULL without error where there is none. */
static gboolean
find_file(CamTreeBuilder *self, OstreeMutableTree *root, const char *path, char **checksum,
	  GError **error)
{
	g_autoptr(OstreeMutableTree) directory = NULL;
	g_autofree char *parent = NULL, *name = NULL;

	*checksum = NULL;
	split(path, &parent, &name);
	if (!find_directory(self, root, parent, FALSE, path, &directory, error))
		return FALSE;
	if (directory != NULL)
		*checksum = g_strdup(get_file(directory, name));
	return TRUE;
}

static gboolean
add_hardlink(CamTreeBuilder *self, OstreeMutableTree *parent, const char *name,
	     const CamLayerEntry *entry, GError **error)
{
	g_autofree char *checksum = NULL;

	if (!find_file(self, self->root, entry->link_target, &checksum, error))
		return FALSE;
	/* What a whiteout of this layer hid may still have been linked before. */
	if (checksum == NULL && self->lower != NULL &&
	    !find_file(self, self->lower, entry->link_target, &checksum, error))
		return FALSE;
	if (checksum != NULL)
		return replace_file(self, parent, name, checksum, error);
	self->unresolved++;
	return self->lenient || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					      "hard link %s: there is no file %s to link to",
					      entry->path, entry->link_target);
}

static gboolean
find_parent(CamTreeBuilder *self, const char *parent, const char *path, GError **error)
{
	OstreeMutableTree *directory;

	if (self->last_parent != NULL && g_str_equal(self->last_parent, parent))
		return TRUE;
	if (!find_directory(self, self->root, parent, TRUE, path, &directory, error))
		return FALSE;
	forget_last(self);
	self->last_parent = g_strdup(parent);
	self->last_directory = directory;
	return TRUE;
}

gboolean
cam_tree_builder_add(CamTreeBuilder *self, const CamLayerEntry *entry, GError **error)
{
	g_autofree char *parent = NULL, *name = NULL;
	g_autoptr(OstreeMutableTree) directory = NULL;
	char checksum[65];

	if (*entry->path == '\0')
		return add_root(self, entry, error);
	split(entry->path, &parent, &name);
	if (!find_parent(self, parent, entry->path, error))
		return FALSE;
	directory = g_object_ref(self->last_directory);
	if (entry->is_hardlink)
		return add_hardlink(self, directory, name, entry, error);
	if (entry->type == CAM_NODE_DIRECTORY)
		return add_directory(self, directory, name, entry, error);
	g_return_val_if_fail(entry->object != NULL, FALSE);
	cam_sha256_to_hex(entry->object, checksum);
	if (entry->type == CAM_NODE_SYMLINK)
		g_hash_table_replace(self->links, g_strdup(checksum), g_strdup(entry->link_target));
	return replace_file(self, directory, name, checksum, error);
}

gboolean
cam_tree_builder_write(CamTreeBuilder *self, char **contents, char **metadata,
		       GCancellable *cancellable, GError **error)
{
	g_autoptr(GFile) root = NULL;

	if (ostree_mutable_tree_get_metadata_checksum(self->root) == NULL &&
	    !set_default_metadata(self, self->root, error))
		return FALSE;
	if (!ostree_repo_write_mtree(self->repo, self->root, &root, cancellable, error))
		return cam_repo_error(error, "cannot write the tree");
	*contents = g_strdup(ostree_mutable_tree_get_contents_checksum(self->root));
	*metadata = g_strdup(ostree_mutable_tree_get_metadata_checksum(self->root));
	return TRUE;
}
