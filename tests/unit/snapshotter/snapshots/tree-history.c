/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/snapshots/tree-history.h"

#include "snapshotter/snapshots/lower-tree.h"
#include "snapshotter/store/memory-rootfs.h"

static void
add(CamTreeHistory *history, const char *path, CamNodeType type, gint64 mtime)
{
	CamLayerEntry entry = { .path = path, .type = type, .mtime = mtime };

	cam_tree_history_add(history, &entry);
}

static void
add_link(CamTreeHistory *history, const char *path, const char *target)
{
	CamLayerEntry entry = { .path = path, .is_hardlink = TRUE, .link_target = target };

	cam_tree_history_add(history, &entry);
}

static void
hide(CamTreeHistory *history, const char *path, gboolean opaque)
{
	CamLayerEntry entry = { .path = path, .is_whiteout = !opaque, .is_opaque = opaque };

	cam_tree_history_add(history, &entry);
}

static const CamTreeRecord *
find(CamTreeHistory *history, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	const CamTreePlace *place = cam_tree_history_get_root(history);

	for (guint i = 0; names[i]; i++)
		place = cam_tree_place_get_child(place, names[i]);
	return cam_tree_place_get_record(place);
}

static void
test_layers(void)
{
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();

	cam_tree_history_next_layer(history);
	add(history, "", CAM_NODE_DIRECTORY, 1);
	add(history, "etc", CAM_NODE_DIRECTORY, 2);
	add(history, "etc/a", CAM_NODE_REGULAR, 3);
	add(history, "etc/b", CAM_NODE_REGULAR, 4);
	cam_tree_history_next_layer(history);
	add(history, "etc/b", CAM_NODE_REGULAR, 5);
	add(history, "implied/c", CAM_NODE_REGULAR, 6);
	g_assert_cmpint(cam_tree_place_get_record(cam_tree_history_get_root(history))->mtime, ==,
			1);
	g_assert_cmpint(find(history, "etc")->mtime, ==, 2);
	g_assert_cmpint(find(history, "etc/a")->mtime, ==, 3);
	g_assert_cmpint(find(history, "etc/b")->mtime, ==, 5);
	g_assert_cmpint(find(history, "implied/c")->mtime, ==, 6);
	g_assert_null(find(history, "implied"));
	g_assert_null(find(history, "none/at/all"));
}

static void
test_whiteouts(void)
{
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();

	cam_tree_history_next_layer(history);
	add(history, "d", CAM_NODE_DIRECTORY, 1);
	add(history, "d/old", CAM_NODE_REGULAR, 2);
	add(history, "o", CAM_NODE_DIRECTORY, 3);
	add(history, "o/old", CAM_NODE_REGULAR, 4);
	cam_tree_history_next_layer(history);
	add(history, "o/new", CAM_NODE_REGULAR, 5); /* before the marker: not hidden by it */
	hide(history, "o", TRUE);
	hide(history, "d", FALSE);
	hide(history, "never/was", FALSE);
	cam_tree_history_next_layer(history);
	add(history, "d/new", CAM_NODE_REGULAR, 6); /* d comes back without saying when */
	g_assert_null(find(history, "d"));
	g_assert_null(find(history, "d/old"));
	g_assert_cmpint(find(history, "d/new")->mtime, ==, 6);
	g_assert_cmpint(find(history, "o")->mtime, ==, 3);
	g_assert_null(find(history, "o/old"));
	g_assert_cmpint(find(history, "o/new")->mtime, ==, 5);
}

static void
test_replaced(void)
{
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();

	cam_tree_history_next_layer(history);
	add(history, "x", CAM_NODE_DIRECTORY, 1);
	add(history, "x/in", CAM_NODE_REGULAR, 2);
	cam_tree_history_next_layer(history);
	add(history, "x", CAM_NODE_REGULAR, 3);
	g_assert_cmpint(find(history, "x")->mtime, ==, 3);
	g_assert_null(find(history, "x/in"));
}

static void
test_links(void)
{
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();

	cam_tree_history_next_layer(history);
	add(history, "a", CAM_NODE_REGULAR, 1);
	add_link(history, "b", "a");
	add_link(history, "c", "b");
	add_link(history, "nowhere", "missing");
	add(history, "d", CAM_NODE_REGULAR, 1);
	g_assert_true(find(history, "a") == find(history, "c"));
	g_assert_cmpuint(find(history, "a")->names, ==, 3);
	g_assert_cmpuint(find(history, "d")->inode, !=, find(history, "a")->inode);
	g_assert_null(find(history, "nowhere"));
	cam_tree_history_next_layer(history);
	add(history, "a", CAM_NODE_REGULAR, 9); /* one name gets a file of its own */
	g_assert_cmpint(find(history, "b")->mtime, ==, 1);
	g_assert_cmpuint(find(history, "b")->inode, !=, find(history, "a")->inode);
}

static void
add_symlink(CamTreeHistory *history, const char *path, const char *target)
{
	CamLayerEntry entry = { .path = path, .type = CAM_NODE_SYMLINK, .link_target = target };

	cam_tree_history_add(history, &entry);
}

/* Parents that are links are followed, as the merge of layers does. */
static void
test_symlinks(void)
{
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();

	cam_tree_history_next_layer(history);
	add(history, "usr/lib", CAM_NODE_DIRECTORY, 1);
	add_symlink(history, "lib", "usr/./lib");
	add_symlink(history, "abs", "/usr/lib/../lib");
	add_symlink(history, "out", "../../../../usr");
	add_symlink(history, "loop", "loop");
	add_symlink(history, "loop/x", "y");
	cam_tree_history_next_layer(history);
	add(history, "lib/a", CAM_NODE_REGULAR, 2);
	add(history, "abs/b", CAM_NODE_REGULAR, 3);
	add(history, "out/lib/c", CAM_NODE_REGULAR, 4);
	add_link(history, "d", "lib/a");
	g_assert_cmpint(find(history, "usr/lib/a")->mtime, ==, 2);
	g_assert_cmpint(find(history, "usr/lib/b")->mtime, ==, 3);
	g_assert_cmpint(find(history, "usr/lib/c")->mtime, ==, 4);
	g_assert_cmpuint(find(history, "d")->inode, ==, find(history, "usr/lib/a")->inode);
	cam_tree_history_next_layer(history);
	hide(history, "lib/b", FALSE);
	g_assert_null(find(history, "usr/lib/b"));
	hide(history, "lib", TRUE);
	g_assert_null(find(history, "usr/lib/a"));
	add(history, "lib", CAM_NODE_DIRECTORY, 9); /* the link itself gives way */
	add(history, "lib/a", CAM_NODE_REGULAR, 10);
	g_assert_cmpint(find(history, "lib/a")->mtime, ==, 10);
}

/* A path of a million directories must neither recurse nor fill the memory. */
static void
test_deep(void)
{
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();
	g_autoptr(GString) path = g_string_new("a");

	for (guint i = 0; i < 1000000; i++)
		g_string_append(path, "/a");
	add(history, path->str, CAM_NODE_REGULAR, 1);
	add_link(history, path->str, "a");
	hide(history, path->str, FALSE);
	g_assert_null(find(history, "a"));
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
	g_autoptr(CamTreeHistory) history = cam_tree_history_new();
	g_autoptr(GString) seen = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	cam_memory_rootfs_add_file(rootfs, "d/a", "same", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "d/b", "same", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "d/c", "other", -1, 0644);
	cam_memory_rootfs_add_file(rootfs, "e", "same", -1, 0644);
	add(history, "d", CAM_NODE_DIRECTORY, 7);
	add(history, "d/a", CAM_NODE_REGULAR, 8);
	add_link(history, "d/b", "d/a");
	/* The history says so, the tree knows better: that is another file. */
	add_link(history, "d/c", "d/a");
	cam_lower_tree_walk(CAM_ROOTFS(rootfs), history, &visitor, seen, NULL, &error);
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
	g_test_add_func("/tree-history/deep", test_deep);
	g_test_add_func("/lower-tree/walk", test_walk);
	g_test_add_func("/lower-tree/deep", test_walk_deep);
	return g_test_run();
}
