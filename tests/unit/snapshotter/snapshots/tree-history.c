/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/snapshots/tree-history.h"

#include "snapshotter/snapshots/lower-tree.h"
#include "snapshotter/store/memory-rootfs.h"

/* The layer that is being filled, and the history of those below it. */
typedef struct {
	CamTreeHistory *history;
	CamLayerTree *layer;
} Chain;

static void
chain_clear(Chain *chain)
{
	cam_tree_history_free(chain->history);
	cam_layer_tree_free(chain->layer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Chain, chain_clear)

static Chain
chain_new(void)
{
	return (Chain){ cam_tree_history_new(), cam_layer_tree_new(TRUE) };
}

static void
next_layer(Chain *chain)
{
	cam_tree_history_add_layer(chain->history, chain->layer);
	cam_layer_tree_free(chain->layer);
	chain->layer = cam_layer_tree_new(FALSE);
}

static void
add_entry(Chain *chain, const CamLayerEntry *entry)
{
	g_autoptr(GError) error = NULL;

	cam_layer_tree_add(chain->layer, entry, &error);
	g_assert_no_error(error);
}

static void
add(Chain *chain, const char *path, CamNodeType type, gint64 mtime)
{
	add_entry(chain, &(CamLayerEntry){ .path = path, .type = type, .mtime = mtime });
}

static void
add_link(Chain *chain, const char *path, const char *target, gint64 mtime)
{
	add_entry(chain, &(CamLayerEntry){ .path = path,
					   .is_hardlink = TRUE,
					   .link_target = target,
					   .mtime = mtime });
}

static void
add_symlink(Chain *chain, const char *path, const char *target)
{
	add_entry(chain, &(CamLayerEntry){
				 .path = path, .type = CAM_NODE_SYMLINK, .link_target = target });
}

static void
hide(Chain *chain, const char *path, gboolean opaque)
{
	add_entry(chain,
		  &(CamLayerEntry){ .path = path, .is_whiteout = !opaque, .is_opaque = opaque });
}

static const CamTreeRecord *
find(const Chain *chain, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	const CamTreePlace *place = cam_tree_history_get_root(chain->history);

	for (guint i = 0; names[i]; i++)
		place = cam_tree_place_get_child(place, names[i]);
	return cam_tree_place_get_record(place);
}

static void
test_layers(void)
{
	g_auto(Chain) chain = chain_new();

	add(&chain, "", CAM_NODE_DIRECTORY, 1);
	add(&chain, "etc", CAM_NODE_DIRECTORY, 2);
	add(&chain, "etc/a", CAM_NODE_REGULAR, 3);
	add(&chain, "etc/b", CAM_NODE_REGULAR, 4);
	next_layer(&chain);
	add(&chain, "etc/b", CAM_NODE_REGULAR, 5);
	add(&chain, "implied/c", CAM_NODE_REGULAR, 6);
	next_layer(&chain);
	g_assert_cmpint(cam_tree_place_get_record(cam_tree_history_get_root(chain.history))->mtime,
			==, 1);
	g_assert_cmpint(find(&chain, "etc")->mtime, ==, 2);
	g_assert_cmpint(find(&chain, "etc/a")->mtime, ==, 3);
	g_assert_cmpint(find(&chain, "etc/b")->mtime, ==, 5);
	g_assert_cmpint(find(&chain, "implied/c")->mtime, ==, 6);
	g_assert_null(find(&chain, "implied"));
	g_assert_null(find(&chain, "none/at/all"));
}

static void
test_whiteouts(void)
{
	g_auto(Chain) chain = chain_new();

	add(&chain, "d", CAM_NODE_DIRECTORY, 1);
	add(&chain, "d/old", CAM_NODE_REGULAR, 2);
	add(&chain, "o", CAM_NODE_DIRECTORY, 3);
	add(&chain, "o/old", CAM_NODE_REGULAR, 4);
	next_layer(&chain);
	add(&chain, "o/new", CAM_NODE_REGULAR, 5); /* before the marker: not hidden by it */
	hide(&chain, "o", TRUE);
	hide(&chain, "d", FALSE);
	hide(&chain, "never/was", FALSE);
	next_layer(&chain);
	g_assert_null(find(&chain, "d"));
	add(&chain, "d/new", CAM_NODE_REGULAR, 6); /* d comes back without saying when */
	next_layer(&chain);
	g_assert_null(find(&chain, "d"));
	g_assert_null(find(&chain, "d/old"));
	g_assert_cmpint(find(&chain, "d/new")->mtime, ==, 6);
	g_assert_cmpint(find(&chain, "o")->mtime, ==, 3);
	g_assert_null(find(&chain, "o/old"));
	g_assert_cmpint(find(&chain, "o/new")->mtime, ==, 5);
}

static void
test_replaced(void)
{
	g_auto(Chain) chain = chain_new();

	add(&chain, "x", CAM_NODE_DIRECTORY, 1);
	add(&chain, "x/in", CAM_NODE_REGULAR, 2);
	next_layer(&chain);
	add(&chain, "x", CAM_NODE_REGULAR, 3);
	next_layer(&chain);
	g_assert_cmpint(find(&chain, "x")->mtime, ==, 3);
	g_assert_null(find(&chain, "x/in"));
}

static void
test_links(void)
{
	g_auto(Chain) chain = chain_new();

	add(&chain, "a", CAM_NODE_REGULAR, 1);
	add_link(&chain, "b", "a", 1);
	add_link(&chain, "c", "b", 2); /* the last entry of a file gives its time */
	add(&chain, "d", CAM_NODE_REGULAR, 1);
	next_layer(&chain);
	g_assert_true(find(&chain, "a") == find(&chain, "c"));
	g_assert_cmpuint(find(&chain, "a")->names, ==, 3);
	g_assert_cmpint(find(&chain, "a")->mtime, ==, 2);
	g_assert_true(find(&chain, "d") != find(&chain, "a"));
	add(&chain, "a", CAM_NODE_REGULAR, 9); /* one name gets a file of its own */
	next_layer(&chain);
	g_assert_cmpint(find(&chain, "b")->mtime, ==, 2);
	g_assert_true(find(&chain, "b") != find(&chain, "a"));
}

/* Links of a layer lead its own entries, never those of layers above. */
static void
test_symlinks(void)
{
	g_auto(Chain) chain = chain_new();

	add(&chain, "usr/lib", CAM_NODE_DIRECTORY, 1);
	add_symlink(&chain, "lib", "usr/./lib");
	add_symlink(&chain, "abs", "/usr/lib/../lib");
	add_symlink(&chain, "out", "../../../../usr");
	add(&chain, "lib/a", CAM_NODE_REGULAR, 2);
	add(&chain, "abs/b", CAM_NODE_REGULAR, 3);
	add(&chain, "out/lib/c", CAM_NODE_REGULAR, 4);
	add_link(&chain, "d", "lib/a", 2);
	next_layer(&chain);
	g_assert_cmpint(find(&chain, "usr/lib/a")->mtime, ==, 2);
	g_assert_cmpint(find(&chain, "usr/lib/b")->mtime, ==, 3);
	g_assert_cmpint(find(&chain, "usr/lib/c")->mtime, ==, 4);
	g_assert_true(find(&chain, "d") == find(&chain, "usr/lib/a"));
	hide(&chain, "lib/b", FALSE);
	hide(&chain, "out", TRUE);
	add(&chain, "lib/a", CAM_NODE_REGULAR, 10);
	next_layer(&chain);
	g_assert_cmpint(find(&chain, "usr/lib/a")->mtime, ==, 2);
	g_assert_cmpint(find(&chain, "usr/lib/b")->mtime, ==, 3);
	g_assert_cmpint(find(&chain, "lib/a")->mtime, ==, 10);
}

/* ---- the walk of tree and history together ---- */

static gboolean
note(const CamLowerEntry *entry, gpointer user_data, GError **error)
{
	g_string_append_printf(user_data, "%s#%u%s<%u@%d ", entry->path, entry->index,
			       entry->is_link ? "=" : "", entry->parent, (int) entry->mtime);
	return TRUE;
}

static gboolean
note_leave(const CamLowerEntry *entry, gpointer user_data, GError **error)
{
	g_string_append_printf(user_data, "/%s ", entry->path);
	return TRUE;
}

static void
test_walk(void)
{
	static const CamLowerVisitor visitor = { note, note_leave };
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_auto(Chain) chain = chain_new();
	g_autoptr(GString) seen = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	cam_memory_rootfs_add_file(rootfs, "d/a", "same", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "d/b", "same", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "d/c", "other", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "e", "same", -1, 0644);
	add(&chain, "d", CAM_NODE_DIRECTORY, 7);
	add(&chain, "d/a", CAM_NODE_REGULAR, 8);
	add_link(&chain, "d/b", "d/a", 8);
	/* The history says so, the tree knows better: that is another file. */
	add_link(&chain, "d/c", "d/a", 8);
	next_layer(&chain);
	cam_lower_tree_walk(CAM_ROOTFS(rootfs), chain.history, &visitor, seen, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(seen->str, ==,
			"#0<0@0 d#1<0@7 d/a#2<1@8 d/b#2=<1@8 d/c#3<1@8 /d e#4<0@0 / ");
}

static void
test_walk_deep(void)
{
	static const CamLowerVisitor visitor = { note, NULL };
	g_autoptr(CamMemoryRootfs) rootfs = cam_memory_rootfs_new();
	g_autoptr(GString) path = g_string_new("a"), seen = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 2100; i++)
		g_string_append(path, "/a");
	cam_memory_rootfs_add_file(rootfs, path->str, "", 0, 0644);
	g_assert_false(cam_lower_tree_walk(CAM_ROOTFS(rootfs), NULL, &visitor, seen, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tree-history/layers", test_layers);
	g_test_add_func("/tree-history/whiteouts", test_whiteouts);
	g_test_add_func("/tree-history/replaced", test_replaced);
	g_test_add_func("/tree-history/links", test_links);
	g_test_add_func("/tree-history/symlinks", test_symlinks);
	g_test_add_func("/lower-tree/walk", test_walk);
	g_test_add_func("/lower-tree/deep", test_walk_deep);
	return g_test_run();
}
