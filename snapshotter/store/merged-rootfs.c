/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trees of layers and the merged trees of chains. A merged tree is made when it is first asked for,
 * from the nearest tree below that exists and the entries of the layers above it; it is then kept
 * under the chainID.
 */
#include "snapshotter/store/layer-private.h"

#include "snapshotter/store/ostree-rootfs.h"
#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"
#include "snapshotter/store/tree-builder.h"

typedef struct {
	char *contents, *metadata; /* (nullable): none yet */
} Tree;

static void
tree_clear(Tree *tree)
{
	g_clear_pointer(&tree->contents, g_free);
	g_clear_pointer(&tree->metadata, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tree, tree_clear)

CamRootfs *
cam_store_open_layer_tree(CamStore *self, const char *diff_id, GError **error)
{
	g_autofree char *metadata = NULL;
	g_autofree char *contents =
		cam_layer_resolve(self, diff_id, CAM_COMMIT_TREE, &metadata, NULL, error);

	return contents != NULL ? cam_ostree_rootfs_new(self, contents, metadata, error) : NULL;
}

/* ---- merging ---- */

/* A chain whose tree is being made. */
typedef struct {
	CamStore *store;
	OstreeRepo *repo; /* with an open transaction */
	const char *const *diff_ids;
	CamLayerTree **layers; /* read when they are needed */
	guint at;	       /* the layer that is laid over those below it */
	gboolean looked_below; /* the trees of lower layers are needed again and again */
} Merge;

static void
merge_clear(Merge *self)
{
	for (guint i = 0; self->layers != NULL && self->diff_ids[i] != NULL; i++)
		g_clear_pointer(&self->layers[i], cam_layer_tree_free);
	g_free(self->layers);
	g_clear_object(&self->repo);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_clear)

static gboolean
add_entry(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	return cam_layer_tree_add(user_data, entry, error);
}

/* What containerd makes of the layer at its place. */
static CamLayerTree *
get_layer(Merge *self, guint i, GError **error)
{
	const char *diff_id = self->diff_ids[i];
	g_autoptr(CamLayerTree) layer = NULL;

	if (self->layers[i] != NULL)
		return self->layers[i];
	layer = cam_layer_tree_new(i == 0);
	if (!cam_store_foreach_layer_entry(self->store, diff_id, add_entry, layer, error) ||
	    !cam_layer_tree_finish(layer, error)) {
		cam_error_translate(error, "layer %u (%s)", i + 1, diff_id);
		return NULL;
	}
	self->layers[i] = g_steal_pointer(&layer);
	return self->layers[i];
}

static CamLayerTree *
get_parent(gpointer user_data, guint index, GError **error)
{
	Merge *self = user_data;

	if (index >= self->at)
		return NULL;
	self->looked_below = TRUE;
	return get_layer(self, self->at - 1 - index, error);
}

static gboolean
lay_over(Merge *self, guint i, Tree *tree, GError **error)
{
	g_autoptr(CamTreeBuilder) builder = cam_tree_builder_new(self->repo, get_parent, self);
	CamLayerTree *layer = get_layer(self, i, error);
	g_auto(Tree) merged = { 0 };

	self->at = i;
	if (layer == NULL)
		return FALSE;
	if (!cam_tree_builder_lay_over(builder, layer, tree->contents, tree->metadata,
				       &merged.contents, &merged.metadata, error))
		return cam_error_translate(error, "layer %u (%s)", i + 1, self->diff_ids[i]);
	if (!self->looked_below)
		g_clear_pointer(&self->layers[i], cam_layer_tree_free);
	tree_clear(tree);
	*tree = merged;
	merged = (Tree){ 0 };
	return TRUE;
}

static gboolean
is_of_this_rule(GVariant *notes)
{
	guint32 rule;

	return g_variant_lookup(notes, CAM_COMMIT_RULE, "u", &rule) && rule == CAM_TREE_RULE;
}

/* The layer's own tree is the merged one of a chain that begins with it. */
static gboolean
take_lowest(Merge *self, Tree *tree, GError **error)
{
	const char *diff_id = self->diff_ids[0], *refused;
	g_autoptr(GVariant) notes = NULL;

	tree->contents = cam_layer_resolve(self->store, diff_id, CAM_COMMIT_TREE, &tree->metadata,
					   &notes, error);
	if (tree->contents == NULL)
		return FALSE;
	if (g_variant_lookup(notes, CAM_COMMIT_REFUSED, "&s", &refused))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "layer 1 (%s): %s", diff_id,
				     refused);
	if (is_of_this_rule(notes))
		return TRUE;
	tree_clear(tree);
	return lay_over(self, 0, tree, error);
}

static gboolean
merge_layers(Merge *self, guint from, Tree *tree, const char *chain_id, GCancellable *cancellable,
	     GError **error)
{
	g_autofree char *ref = cam_store_rootfs_ref(chain_id);
	g_autoptr(OstreeMutableTree) root = NULL;
	g_autoptr(GVariant) notes = NULL;
	GVariantDict dict;

	for (guint i = from; self->diff_ids[i] != NULL; i++)
		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		else if (!(i == 0 ? take_lowest(self, tree, error)
				  : lay_over(self, i, tree, error)))
			return FALSE;
	g_variant_dict_init(&dict, NULL);
	g_variant_dict_insert(&dict, CAM_COMMIT_RULE, "u", CAM_TREE_RULE);
	notes = g_variant_ref_sink(g_variant_dict_end(&dict));
	root = ostree_mutable_tree_new_from_checksum(self->repo, tree->contents, tree->metadata);
	if (!cam_repo_commit_tree(self->repo, root, ref, notes, cancellable, error))
		return FALSE;
	if (!ostree_repo_commit_transaction(self->repo, NULL, cancellable, error))
		return cam_repo_error(error, "cannot finish the tree of %s", chain_id);
	return TRUE;
}

static gboolean
make_tree(CamStore *store, const char *const *diff_ids, guint from, Tree *tree,
	  const char *chain_id, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamStoreHold) hold = cam_store_hold(store, cancellable, error);
	OstreeRepo *shared = hold != NULL ? cam_store_get_repo(store, error) : NULL;
	g_auto(Merge) merge = { .store = store, .diff_ids = diff_ids };

	if (shared == NULL || (merge.repo = cam_repo_begin(shared, cancellable, error)) == NULL)
		return FALSE;
	merge.layers = g_new0(CamLayerTree *, g_strv_length((char **) diff_ids));
	if (merge_layers(&merge, from, tree, chain_id, cancellable, error))
		return TRUE;
	cam_repo_abort(merge.repo);
	return FALSE;
}

/* *@found: whether there is a tree of this chain, made by the rule of today. */
static gboolean
read_tree(OstreeRepo *repo, const char *chain_id, Tree *tree, gboolean *found, GError **error)
{
	g_autofree char *ref = cam_store_rootfs_ref(chain_id);
	g_autoptr(GVariant) notes = NULL;
	g_autoptr(GError) local = NULL;

	if (!cam_repo_read_commit(repo, ref, &tree->contents, &tree->metadata, &notes, &local) &&
	    !g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*found = local == NULL && is_of_this_rule(notes);
	if (!*found)
		tree_clear(tree);
	return TRUE;
}

/* The longest part of the chain whose tree exists; *@n layers of it. */
static gboolean
find_tree(CamStore *store, GPtrArray *chain, Tree *tree, guint *n, GError **error)
{
	OstreeRepo *repo = cam_store_get_repo(store, error);

	if (repo == NULL)
		return FALSE;
	for (*n = chain->len; *n > 0; (*n)--) {
		gboolean found;

		if (!read_tree(repo, g_ptr_array_index(chain, *n - 1), tree, &found, error))
			return FALSE;
		if (found)
			return TRUE;
	}
	return TRUE;
}

CamRootfs *
cam_store_open_rootfs(CamStore *self, const char *const *diff_ids, GCancellable *cancellable,
		      GError **error)
{
	g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func(g_free);
	g_auto(Tree) tree = { 0 };
	guint n;

	for (guint i = 0; diff_ids[i] != NULL; i++) {
		CamSha256 valid;

		if (!cam_digest_to_sha256(diff_ids[i], &valid, error))
			return NULL;
		g_ptr_array_add(chain, cam_chain_id(i > 0 ? g_ptr_array_index(chain, i - 1) : NULL,
						    diff_ids[i]));
	}
	if (chain->len == 0) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "an image without layers");
		return NULL;
	}
	if (!find_tree(self, chain, &tree, &n, error))
		return NULL;
	if (n < chain->len &&
	    !make_tree(self, diff_ids, n, &tree, g_ptr_array_index(chain, chain->len - 1),
		       cancellable, error))
		return NULL;
	return cam_ostree_rootfs_new(self, tree.contents, tree.metadata, error);
}
