/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merged tree of a layer and what lies below it: one rule, overlayfs's, name by name.
 *
 * - a whiteout hides the name below it, an opaque directory all names that the directory below
 *   has; neither reaches further than its own directory, for nothing is followed here;
 * - directories of both are merged, with the metadata of the layer's;
 * - anything else of the layer replaces what is below.
 *
 * What a layer's entries make is layer-tree.c's. A directory that no entry names takes owner, mode
 * and attributes from the layers below, as containerd copies them: from the nearest one that has
 * something at that path when that layer's own links are followed.
 */
#include "snapshotter/store/tree-builder.h"

#include <string.h>
#include <sys/stat.h>

#include "snapshotter/store/layer-entry.h"
#include "snapshotter/store/name-escape.h"
#include "snapshotter/store/repo.h"

#define ROOT_MODE 0755 /* of every root, and of directories that nothing describes */

struct _CamTreeBuilder {
	OstreeRepo *repo;
	CamTreeParentFunc parent;
	gpointer user_data;
	GHashTable *metadata; /* directory's metadata (bytes) → checksum */
	GString *path;	      /* of the directory at hand */
};

/* A directory of the tree below. */
typedef struct {
	char *contents, *metadata; /* NULL: there is none */
	gboolean hidden;	   /* by an opaque directory: only its metadata matter */
} Lower;

static void
lower_clear(Lower *self)
{
	g_free(self->contents);
	g_free(self->metadata);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lower, lower_clear)

typedef struct {
	char *name; /* as OSTree has it */
	const char *plain;
	CamLayerNode *node;
} Child;

static void
child_free(gpointer data)
{
	g_free(((Child *) data)->name);
	g_free(data);
}

CamTreeBuilder *
cam_tree_builder_new(OstreeRepo *repo, CamTreeParentFunc parent, gpointer user_data)
{
	CamTreeBuilder *self = g_new0(CamTreeBuilder, 1);

	self->repo = g_object_ref(repo);
	self->parent = parent;
	self->user_data = user_data;
	self->metadata = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					       (GDestroyNotify) g_bytes_unref, g_free);
	self->path = g_string_new(NULL);
	return self;
}

void
cam_tree_builder_free(CamTreeBuilder *self)
{
	g_object_unref(self->repo);
	g_hash_table_unref(self->metadata);
	g_string_free(self->path, TRUE);
	g_free(self);
}

/* ---- directories' metadata ---- */

/* (transfer full). Few directories differ in owner, mode and attributes: each kind is written
 * once. */
static char *
write_metadata(CamTreeBuilder *self, const CamStat *stat, GError **error)
{
	const CamLayerEntry entry = { .type = CAM_NODE_DIRECTORY, .xattrs = stat->xattrs };
	g_autoptr(GVariant) xattrs = cam_layer_entry_object_xattrs(&entry);
	g_autoptr(GVariant) variant = g_variant_ref_sink(
		g_variant_new("(uuu@a(ayay))", GUINT32_TO_BE(stat->uid), GUINT32_TO_BE(stat->gid),
			      GUINT32_TO_BE(S_IFDIR | stat->mode), xattrs));
	g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(variant);
	const char *known = g_hash_table_lookup(self->metadata, bytes);
	g_autofree guchar *binary = NULL;

	if (known != NULL)
		return g_strdup(known);
	if (!ostree_repo_write_metadata(self->repo, OSTREE_OBJECT_TYPE_DIR_META, NULL, variant,
					&binary, NULL, error)) {
		cam_repo_error(error, "cannot write a directory's metadata");
		return NULL;
	}
	char *checksum = ostree_checksum_from_bytes(binary);
	g_hash_table_insert(self->metadata, g_steal_pointer(&bytes), checksum);
	return g_strdup(checksum);
}

/* The attributes of a directory below. */
static gboolean
read_xattrs(CamTreeBuilder *self, const char *metadata, GVariant **xattrs, GError **error)
{
	g_autoptr(GVariant) variant = NULL;

	if (!ostree_repo_load_variant(self->repo, OSTREE_OBJECT_TYPE_DIR_META, metadata, &variant,
				      error))
		return cam_repo_error(error, "cannot read a directory's metadata");
	*xattrs = g_variant_get_child_value(variant, 3);
	return TRUE;
}

/* What the layers from @index on give a directory at @path that no entry of theirs names. */
static gboolean
find_metadata(CamTreeBuilder *self, guint index, const char *path, CamStat *stat, GError **error)
{
	g_autofree char *at = g_strdup(path);

	while (self->parent != NULL) {
		g_autoptr(GError) local = NULL;
		g_autofree char *real = NULL;
		CamLayerTree *parent = self->parent(self->user_data, index++, &local);
		CamLayerNode *node = NULL;

		if (parent != NULL)
			cam_layer_tree_find(parent, at, &node, &real, &local);
		if (local != NULL) {
			g_propagate_error(error, g_steal_pointer(&local));
			return cam_error_translate(error, "no entry describes directory %s", path);
		}
		if (parent == NULL || (node != NULL && !node->is_directory))
			break;
		if (node != NULL && node->record != NULL) {
			*stat = node->record->stat;
			break;
		}
		/* Made there in the same way: from the layers below that one. */
		if (node != NULL) {
			g_free(at);
			at = g_steal_pointer(&real);
		}
	}
	return TRUE;
}

/* As containerd copies them when it makes the directory at hand. */
static gboolean
find_below(CamTreeBuilder *self, const Lower *lower, CamStat *stat, GVariant **xattrs,
	   GError **error)
{
	*stat = (CamStat){ .mode = ROOT_MODE };
	*xattrs = NULL;
	if (lower->metadata == NULL)
		return find_metadata(self, 0, self->path->str, stat, error);
	if (!read_xattrs(self, lower->metadata, xattrs, error))
		return FALSE;
	stat->xattrs = *xattrs;
	return TRUE;
}

static char *
make_metadata(CamTreeBuilder *self, const CamLayerNode *node, const Lower *lower, GError **error)
{
	g_autoptr(GVariant) below = NULL, united = NULL;
	CamStat stat, own;

	if (node->record == NULL && lower->metadata != NULL)
		return g_strdup(lower->metadata);
	if (node->record != NULL && !node->is_implied)
		return write_metadata(self, &node->record->stat, error);
	if (!find_below(self, lower, &stat, &below, error))
		return NULL;
	if (node->record == NULL)
		return write_metadata(self, &stat, error);
	/* The entry came later: attributes are set beside those that were copied. */
	own = node->record->stat;
	if (stat.xattrs != NULL && own.xattrs != NULL)
		own.xattrs = united = cam_layer_xattrs_unite(stat.xattrs, own.xattrs);
	else if (stat.xattrs != NULL)
		own.xattrs = stat.xattrs;
	return write_metadata(self, &own, error);
}

/* ---- files ---- */

/* The object of a file whose owner, mode or attributes a hard link changed. */
static gboolean
write_changed(CamTreeBuilder *self, CamLayerRecord *record, GError **error)
{
	const CamLayerEntry entry = {
		.type = record->stat.type,
		.mode = record->stat.mode,
		.link_target = record->stat.link_target,
		.rdev_major = record->stat.rdev_major,
		.rdev_minor = record->stat.rdev_minor,
		.xattrs = record->stat.xattrs,
	};
	g_autoptr(GVariant) xattrs = cam_layer_entry_object_xattrs(&entry);
	g_autoptr(GInputStream) content = NULL, object = NULL;
	g_autoptr(GFileInfo) info = NULL;
	g_autofree guchar *binary = NULL;
	guint64 size;
	char hex[65];

	cam_sha256_to_hex(&record->object, hex);
	if (!ostree_repo_load_file(self->repo, hex, &content, &info, NULL, NULL, error))
		return cam_repo_error(error, "cannot read object %s", hex);
	g_file_info_set_attribute_uint32(info, "unix::uid", record->stat.uid);
	g_file_info_set_attribute_uint32(info, "unix::gid", record->stat.gid);
	g_file_info_set_attribute_uint32(info, "unix::mode", cam_layer_entry_object_mode(&entry));
	if (!ostree_raw_file_to_content_stream(content, info, xattrs, &object, &size, NULL,
					       error) ||
	    !ostree_repo_write_content(self->repo, NULL, object, size, &binary, NULL, error))
		return cam_repo_error(error, "cannot write a changed copy of object %s", hex);
	memcpy(record->object.bytes, binary, CAM_SHA256_SIZE);
	record->is_changed = FALSE;
	return TRUE;
}

static GVariant *
bytes_of(const char *checksum)
{
	return ostree_checksum_to_bytes_v(checksum);
}

static gboolean
add_child_file(CamTreeBuilder *self, const Child *child, GVariantBuilder *files, GError **error)
{
	CamLayerRecord *record = child->node->record;
	char hex[65];

	if (child->node->is_directory || child->node->is_whiteout)
		return TRUE;
	if (record->is_changed && !write_changed(self, record, error))
		return cam_error_translate(error, "%s", child->plain);
	cam_sha256_to_hex(&record->object, hex);
	g_variant_builder_add(files, "(s@ay)", child->name, bytes_of(hex));
	return TRUE;
}

/* ---- directories ---- */

static gboolean lay_over(CamTreeBuilder *self, const CamLayerNode *node, const Lower *lower,
			 char **contents, GError **error);

static int
compare_children(gconstpointer a, gconstpointer b)
{
	const Child *x = *(const Child *const *) a, *y = *(const Child *const *) b;

	return strcmp(x->name, y->name);
}

static GPtrArray *
sort_children(const CamLayerNode *node)
{
	GPtrArray *children = g_ptr_array_new_with_free_func(child_free);
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, node->children);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		Child *child = g_new(Child, 1);

		*child = (Child){ cam_name_escape(name), name, value };
		g_ptr_array_add(children, child);
	}
	g_ptr_array_sort(children, compare_children);
	return children;
}

static gboolean
add_child_directory(CamTreeBuilder *self, const Child *child, const Lower *lower,
		    GVariantBuilder *directories, GError **error)
{
	g_autofree char *contents = NULL, *metadata = NULL;
	gsize length = self->path->len;
	gboolean ok;

	if (!child->node->is_directory)
		return TRUE;
	g_string_append_printf(self->path, "%s%s", length > 0 ? "/" : "", child->plain);
	metadata = make_metadata(self, child->node, lower, error);
	ok = metadata != NULL && lay_over(self, child->node, lower, &contents, error);
	g_string_truncate(self->path, length);
	if (ok)
		g_variant_builder_add(directories, "(s@ay@ay)", child->name, bytes_of(contents),
				      bytes_of(metadata));
	return ok;
}

/* The children from *@next on that come before @name; whether one has that very name. */
static gboolean
take_before(GPtrArray *children, guint *next, const char *name, const Child **child)
{
	int order;

	*child = *next < children->len ? g_ptr_array_index(children, *next) : NULL;
	order = *child == NULL ? 1 : name == NULL ? -1 : strcmp((*child)->name, name);
	if (order <= 0)
		(*next)++;
	else
		*child = NULL;
	return order == 0;
}

static gboolean
merge_files(CamTreeBuilder *self, GPtrArray *children, GVariant *lower, gboolean hidden,
	    GVariantBuilder *files, GError **error)
{
	gsize n = lower != NULL && !hidden ? g_variant_n_children(lower) : 0;
	const Child *child;
	guint next = 0;

	for (gsize i = 0; i <= n; i++) {
		g_autoptr(GVariant) file = i < n ? g_variant_get_child_value(lower, i) : NULL;
		const char *name = NULL;
		gboolean same = FALSE;

		if (file != NULL)
			g_variant_get_child(file, 0, "&s", &name);
		do {
			same = take_before(children, &next, name, &child);
			if (child != NULL && !add_child_file(self, child, files, error))
				return FALSE;
		} while (child != NULL && !same);
		if (file != NULL && !same)
			g_variant_builder_add_value(files, file);
	}
	return TRUE;
}

static void
set_lower(Lower *lower, GVariant *directory, gboolean hidden)
{
	g_autoptr(GVariant) contents = g_variant_get_child_value(directory, 1);
	g_autoptr(GVariant) metadata = g_variant_get_child_value(directory, 2);

	lower->contents = ostree_checksum_from_bytes_v(contents);
	lower->metadata = ostree_checksum_from_bytes_v(metadata);
	lower->hidden = hidden;
}

static gboolean
merge_directories(CamTreeBuilder *self, GPtrArray *children, GVariant *lower, gboolean hidden,
		  GVariantBuilder *directories, GError **error)
{
	static const Lower none = { 0 };
	gsize n = lower != NULL ? g_variant_n_children(lower) : 0;
	const Child *child;
	guint next = 0;

	for (gsize i = 0; i <= n; i++) {
		g_autoptr(GVariant) directory = i < n ? g_variant_get_child_value(lower, i) : NULL;
		g_auto(Lower) below = { 0 };
		const char *name = NULL;
		gboolean same = FALSE;

		if (directory != NULL)
			g_variant_get_child(directory, 0, "&s", &name);
		do {
			same = take_before(children, &next, name, &child);
			if (same && child->node->is_directory)
				set_lower(&below, directory, hidden);
			if (child != NULL &&
			    !add_child_directory(self, child, same ? &below : &none, directories,
						 error))
				return FALSE;
		} while (child != NULL && !same);
		if (directory != NULL && !same && !hidden)
			g_variant_builder_add_value(directories, directory);
	}
	return TRUE;
}

static gboolean
write_directory(CamTreeBuilder *self, GVariant *files, GVariant *directories, char **contents,
		GError **error)
{
	g_autoptr(GVariant) tree =
		g_variant_ref_sink(g_variant_new("(@a(say)@a(sayay))", files, directories));
	g_autofree guchar *binary = NULL;

	if (!ostree_repo_write_metadata(self->repo, OSTREE_OBJECT_TYPE_DIR_TREE, NULL, tree,
					&binary, NULL, error))
		return cam_repo_error(error, "cannot write a directory");
	*contents = ostree_checksum_from_bytes(binary);
	return TRUE;
}

/* The contents of the directory @node over those of @lower. */
static gboolean
lay_over(CamTreeBuilder *self, const CamLayerNode *node, const Lower *lower, char **contents,
	 GError **error)
{
	gboolean hidden = lower->hidden || node->is_opaque;
	g_autoptr(GPtrArray) children = NULL;
	g_autoptr(GVariant) tree = NULL, lower_files = NULL, lower_directories = NULL;
	g_auto(GVariantBuilder) files = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(say)"));
	g_auto(GVariantBuilder) directories = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(sayay)"));

	if (node->children == NULL && lower->contents != NULL && !hidden) {
		*contents = g_strdup(lower->contents);
		return TRUE;
	}
	children = node->children != NULL ? sort_children(node) : g_ptr_array_new();
	if (lower->contents != NULL) {
		if (!ostree_repo_load_variant(self->repo, OSTREE_OBJECT_TYPE_DIR_TREE,
					      lower->contents, &tree, error))
			return cam_repo_error(error, "cannot read the directory /%s",
					      self->path->str);
		lower_files = g_variant_get_child_value(tree, 0);
		lower_directories = g_variant_get_child_value(tree, 1);
	}
	return merge_files(self, children, lower_files, hidden, &files, error) &&
	       merge_directories(self, children, lower_directories, hidden, &directories, error) &&
	       write_directory(self, g_variant_builder_end(&files),
			       g_variant_builder_end(&directories), contents, error);
}

gboolean
cam_tree_builder_lay_over(CamTreeBuilder *self, CamLayerTree *layer, const char *lower_contents,
			  const char *lower_metadata, char **contents, char **metadata,
			  GError **error)
{
	static const CamStat root = { .mode = ROOT_MODE };
	GPtrArray *removed = cam_layer_tree_get_removed(layer);
	g_auto(Lower) lower = { g_strdup(lower_contents), g_strdup(lower_metadata), FALSE };

	for (guint i = 0; i < removed->len; i++) {
		CamStat ignored;

		if (!find_metadata(self, 0, removed->pdata[i], &ignored, error))
			return FALSE;
	}
	/* containerd makes the root itself, and passes over what a layer says of it. */
	*metadata = write_metadata(self, &root, error);
	return *metadata != NULL &&
	       lay_over(self, cam_layer_tree_get_root(layer), &lower, contents, error);
}
