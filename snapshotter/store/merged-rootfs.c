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

static gboolean
hide(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	return (!entry->is_whiteout && !entry->is_opaque) ||
	       cam_tree_builder_hide(user_data, entry, error);
}

static gboolean
add(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	return entry->is_whiteout || entry->is_opaque ||
	       cam_tree_builder_add(user_data, entry, error);
}

/* The lowest layer's own tree is the merged one, unless it has links to what is nowhere. */
static gboolean
take_lowest(CamStore *store, const char *diff_id, Tree *tree, GError **error)
{
	g_autoptr(GVariant) notes = NULL;
	guint64 unresolved = 0;

	tree->contents =
		cam_layer_resolve(store, diff_id, CAM_COMMIT_TREE, &tree->metadata, &notes, error);
	if (tree->contents == NULL)
		return FALSE;
	g_variant_lookup(notes, CAM_COMMIT_UNRESOLVED, "t", &unresolved);
	if (unresolved == 0)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "layer %s has %" G_GUINT64_FORMAT
			     " hard links to files that are in no layer below it",
			     diff_id, unresolved);
}

static gboolean
lay_over(CamStore *store, OstreeRepo *repo, const char *diff_id, Tree *tree,
	 GCancellable *cancellable, GError **error)
{
	g_autoptr(CamTreeBuilder) builder =
		cam_tree_builder_new(repo, tree->contents, tree->metadata, error);
	g_auto(Tree) merged = { 0 };

	if (builder == NULL ||
	    !cam_store_foreach_layer_entry(store, diff_id, hide, builder, error) ||
	    !cam_store_foreach_layer_entry(store, diff_id, add, builder, error) ||
	    !cam_tree_builder_write(builder, &merged.contents, &merged.metadata, cancellable,
				    error))
		return FALSE;
	tree_clear(tree);
	*tree = merged;
	merged = (Tree){ 0 };
	return TRUE;
}

static gboolean
merge_layers(CamStore *store, OstreeRepo *repo, const char *const *diff_ids, Tree *tree,
	     const char *chain_id, GCancellable *cancellable, GError **error)
{
	g_autofree char *ref = cam_store_rootfs_ref(chain_id);
	g_autoptr(OstreeMutableTree) root = NULL;

	for (; *diff_ids != NULL; diff_ids++) {
		gboolean ok = tree->contents == NULL
				      ? take_lowest(store, *diff_ids, tree, error)
				      : lay_over(store, repo, *diff_ids, tree, cancellable, error);
		if (!ok)
			return FALSE;
	}
	root = ostree_mutable_tree_new_from_checksum(repo, tree->contents, tree->metadata);
	if (!cam_repo_commit_tree(repo, root, ref, NULL, cancellable, error))
		return FALSE;
	if (!ostree_repo_commit_transaction(repo, NULL, cancellable, error))
		return cam_repo_error(error, "cannot finish the tree of %s", chain_id);
	return TRUE;
}

static gboolean
make_tree(CamStore *store, const char *const *diff_ids, Tree *tree, const char *chain_id,
	  GCancellable *cancellable, GError **error)
{
	g_autoptr(CamStoreHold) hold = cam_store_hold(store, cancellable, error);
	OstreeRepo *shared = hold != NULL ? cam_store_get_repo(store, error) : NULL;
	g_autoptr(OstreeRepo) repo = NULL;

	if (shared == NULL || (repo = cam_repo_begin(shared, cancellable, error)) == NULL)
		return FALSE;
	if (merge_layers(store, repo, diff_ids, tree, chain_id, cancellable, error))
		return TRUE;
	cam_repo_abort(repo);
	return FALSE;
}

/* The longest part of the chain whose tree exists; *@n layers of it. */
static gboolean
find_tree(CamStore *store, GPtrArray *chain, Tree *tree, guint *n, GError **error)
{
	OstreeRepo *repo = cam_store_get_repo(store, error);

	if (repo == NULL)
		return FALSE;
	for (*n = chain->len; *n > 0; (*n)--) {
		g_autofree char *ref = cam_store_rootfs_ref(g_ptr_array_index(chain, *n - 1));
		g_autoptr(GError) local = NULL;

		if (cam_repo_read_commit(repo, ref, &tree->contents, &tree->metadata, NULL, &local))
			return TRUE;
		if (!g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
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
	    !make_tree(self, diff_ids + n, &tree, g_ptr_array_index(chain, chain->len - 1),
		       cancellable, error))
		return NULL;
	return cam_ostree_rootfs_new(self, tree.contents, tree.metadata, error);
}
