/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cases of containerd's snapshots/testsuite that are about what snapshots hold. */
#include "tests/conformance/case.h"

#define LAYERS 128

/* Five times, at different fractions of a second: times once decided what had changed. */
static void
layer_file_update(Case *c)
{
	static const Change first[] = {
		{ CHANGE_DIRECTORY, "etc", NULL, 0700 },
		{ CHANGE_FILE, "etc/hosts", "mydomain 10.0.0.1", 0644 },
		{ CHANGE_FILE, "etc/profile", "PATH=/usr/bin", 0644 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_FILE, "etc/hosts", "mydomain 10.0.0.2", 0644 },
		{ CHANGE_FILE, "etc/profile", "PATH=/usr/bin", 0666 },
		{ CHANGE_DIRECTORY, "root", NULL, 0700 },
		{ CHANGE_FILE, "root/.bashrc", "PATH=/usr/sbin:/usr/bin", 0644 },
		{ CHANGE_END },
	};
	static const Change *const layers[] = { first, second, NULL };

	for (guint i = 0; i < 5; i++) {
		case_check_layers(c, layers);
		g_usleep((gulong) (G_USEC_PER_SEC - g_get_real_time() % G_USEC_PER_SEC));
	}
}

static void
remove_directory_in_lower_layer(Case *c)
{
	static const Change first[] = {
		{ CHANGE_DIRECTORY, "lib", NULL, 0700 },
		{ CHANGE_FILE, "lib/hidden", "", 0644 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_REMOVE, "lib" },
		{ CHANGE_DIRECTORY, "lib", NULL, 0700 },
		{ CHANGE_FILE, "lib/not-hidden", "", 0644 },
		{ CHANGE_END },
	};
	static const Change third[] = { { CHANGE_FILE, "lib/newfile", "", 0644 }, { CHANGE_END } };
	static const Change *const layers[] = { first, second, third, NULL };

	case_check_layers(c, layers);
}

static void
chown_all(Case *c)
{
	static const Change first[] = {
		{ CHANGE_DIRECTORY, "opt", NULL, 0700 },
		{ CHANGE_DIRECTORY, "opt/a", NULL, 0700 },
		{ CHANGE_DIRECTORY, "opt/a/b", NULL, 0700 },
		{ CHANGE_FILE, "opt/a/b/file.txt", "hello", 0644 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_OWNER, "opt", NULL, 1 },
		{ CHANGE_OWNER, "opt/a", NULL, 1 },
		{ CHANGE_OWNER, "opt/a/b", NULL, 1 },
		{ CHANGE_OWNER, "opt/a/b/file.txt", NULL, 1 },
		{ CHANGE_END },
	};
	static const Change *const layers[] = { first, second, NULL };

	case_check_layers(c, layers);
}

static void
directory_permission_on_commit(Case *c)
{
	static const Change first[] = {
		{ CHANGE_DIRECTORY, "dir1", NULL, 0700 },
		{ CHANGE_DIRECTORY, "dir2", NULL, 0700 },
		{ CHANGE_DIRECTORY, "dir3", NULL, 0700 },
		{ CHANGE_DIRECTORY, "dir4", NULL, 0700 },
		{ CHANGE_FILE, "dir4/f1", "...", 0644 },
		{ CHANGE_DIRECTORY, "dir5", NULL, 0700 },
		{ CHANGE_FILE, "dir5/f1", "...", 0644 },
		{ CHANGE_OWNER, "dir1", NULL, 1 },
		{ CHANGE_OWNER, "dir2", NULL, 1 },
		{ CHANGE_OWNER, "dir3", NULL, 1 },
		{ CHANGE_OWNER, "dir5", NULL, 1 },
		{ CHANGE_OWNER, "dir5/f1", NULL, 1 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_OWNER, "dir2", NULL, 0 },
		{ CHANGE_REMOVE, "dir3" },
		{ CHANGE_OWNER, "dir4", NULL, 1 },
		{ CHANGE_OWNER, "dir4/f1", NULL, 1 },
		{ CHANGE_END },
	};
	static const Change third[] = {
		{ CHANGE_DIRECTORY, "dir3", NULL, 0700 },
		{ CHANGE_OWNER, "dir3", NULL, 1 },
		{ CHANGE_REMOVE, "dir5" },
		{ CHANGE_DIRECTORY, "dir5", NULL, 0700 },
		{ CHANGE_OWNER, "dir5", NULL, 1 },
		{ CHANGE_END },
	};
	static const Change *const layers[] = { first, second, third, NULL };

	case_check_layers(c, layers);
}

static void
deleted_files_in_child(Case *c)
{
	static const Change first[] = {
		{ CHANGE_FILE, "foo", "foo\n", 0777 },
		{ CHANGE_FILE, "foobar", "foobar\n", 0777 },
		{ CHANGE_END },
	};
	static const Change second[] = { { CHANGE_REMOVE, "foobar" }, { CHANGE_END } };
	static const Change third[] = { { CHANGE_END } };
	static const Change *const layers[] = { first, second, third, NULL };

	case_check_layers(c, layers);
}

static void
move_file_from_lower_layer(Case *c)
{
	static const Change first[] = {
		{ CHANGE_DIRECTORY, "dir1", NULL, 0700 },
		{ CHANGE_FILE, "dir1/f1", "Hello", 0644 },
		{ CHANGE_DIRECTORY, "dir2", NULL, 0700 },
		{ CHANGE_FILE, "dir2/f2", "...", 0644 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_DIRECTORY, "dir3", NULL, 0700 },
		{ CHANGE_FILE, "dir3/f1", "Hello", 0644 },
		{ CHANGE_REMOVE, "dir1" },
		{ CHANGE_LINK, "dir2/f2", "dir3/f2" },
		{ CHANGE_REMOVE, "dir2/f2" },
		{ CHANGE_END },
	};
	static const Change *const layers[] = { first, second, NULL };

	case_check_layers(c, layers);
}

/* A directory of a lower layer cannot be renamed on an overlay that was not told to allow it, which
 * containerd's own snapshotters of these names are not. */
static void
rename_all(Case *c)
{
	static const char *const without[] = { "overlayfs", "fuse-overlayfs", NULL };
	static const Change first[] = {
		{ CHANGE_DIRECTORY, "dir1", NULL, 0700 },
		{ CHANGE_DIRECTORY, "somefiles", NULL, 0700 },
		{ CHANGE_FILE, "somefiles/f1", "was here first!", 0644 },
		{ CHANGE_FILE, "somefiles/f2", "nothing interesting", 0644 },
		{ CHANGE_END },
	};
	static const Change second[] = {
		{ CHANGE_RENAME, "dir1", "dir2" },
		{ CHANGE_FILE, "somefiles/f1-overwrite", "new content 1", 0644 },
		{ CHANGE_RENAME, "somefiles/f1-overwrite", "somefiles/f1" },
		{ CHANGE_RENAME, "somefiles/f2", "somefiles/f3" },
		{ CHANGE_END },
	};
	gboolean whole = !g_strv_contains(without, c->options->snapshotter);
	const Change *const layers[] = { first, whole ? second : second + 1, NULL };

	case_check_layers(c, layers);
}

/* ---- 128 layers ---- */

static void
change_layer(const char *root, guint i)
{
	static const Change lowest[] = {
		{ CHANGE_FILE, "bottom", "way at the bottom\n", 0777 },
		{ CHANGE_FILE, "overwriteme", "FIRST!\n", 0777 },
		{ CHANGE_DIRECTORY, "addhere", NULL, 0755 },
		{ CHANGE_DIRECTORY, "onlyme", NULL, 0755 },
		{ CHANGE_FILE, "onlyme/bottom", "bye!\n", 0777 },
		{ CHANGE_END },
	};
	g_autofree char *text = g_strdup_printf("%u WAS HERE!\n", i);
	g_autofree char *added = g_strdup_printf("addhere/file-%u", i);
	g_autofree char *only = g_strdup_printf("onlyme/file-%u", i);
	const Change changes[] = {
		{ CHANGE_FILE, "overwriteme", text, 0777 },
		{ CHANGE_FILE, added, "same\n", 0755 },
		{ CHANGE_REMOVE, "onlyme" },
		{ CHANGE_DIRECTORY, "onlyme", NULL, 0755 },
		{ CHANGE_FILE, only, "only me!\n", 0777 },
		{ CHANGE_END },
	};

	tree_change(root, i == 0 ? lowest : changes);
}

static void
mount_128_layers(Case *c)
{
	g_autofree char *flat = case_folder(c);
	g_autoptr(GPtrArray) view = NULL;
	const char *parent = "";

	for (guint i = 0; i < LAYERS; i++) {
		g_autofree char *key = g_strdup_printf("%sprepare-layer-%u", c->prefix, i);
		g_autofree char *name = g_strdup_printf("committed-%u", i);
		const char *target = case_begin(c, key, parent);

		case_assert_same_tree(target, flat);
		change_layer(flat, i);
		change_layer(target, i);
		case_assert_same_tree(target, flat);
		case_unmount(c, target);
		parent = case_name(c, name);
		case_commit(c, parent, key);
	}
	view = case_view(c, case_name(c, "fullview"), parent);
	case_assert_same_tree(case_mount(c, view), flat);
}

const CaseEntry cases_trees[] = {
	{ "LayerFileUpdate", layer_file_update },
	{ "RemoveDirectoryInLowerLayer", remove_directory_in_lower_layer },
	{ "Chown", chown_all },
	{ "DirectoryPermissionOnCommit", directory_permission_on_commit },
	{ "DeletedFilesInChildSnapshot", deleted_files_in_child },
	{ "MoveFileFromLowerLayer", move_file_from_lower_layer },
	{ "Rename", rename_all },
	{ "128LayersMount", mount_128_layers },
	{ NULL },
};
