/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of merged trees against OCI image-spec layer.md and containerd's reading of it. */
#include "snapshotter/store/store.h"

#include "layer-fixture.h"
#include "snapshotter/store/repo.h"
#include "snapshotter/store/store-private.h"

static char *
base_layer(CamStore *store)
{
	GByteArray *tar = g_byte_array_new();

	tar_directory(tar, "bin/", 0755);
	tar_file(tar, "bin/tool", "1");
	tar_file(tar, "bin/other", "2");
	tar_directory(tar, "etc/", 0711);
	tar_directory(tar, "etc/sub/", 0700);
	tar_file(tar, "etc/sub/deep", "3");
	tar_file(tar, "etc/file", "4");
	tar_symlink(tar, "lib", "usr/lib");
	tar_directory(tar, "usr/", 0755);
	tar_directory(tar, "usr/lib/", 0755);
	tar_file(tar, "usr/lib/so", "5");
	return import_tar(store, tar);
}

#define BASE_BIN "bin/ 755\nbin/other 644 [2]\nbin/tool 644 [1]\n"
#define BASE_ETC "etc/ 711\netc/file 644 [4]\netc/sub/ 700\netc/sub/deep 644 [3]\n"
#define BASE_LIB "lib -> usr/lib\nusr/ 755\nusr/lib/ 755\nusr/lib/so 644 [5]\n"

static void
test_whiteouts(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "bin/.wh.tool", "");
	tar_file(tar, "bin/tool", "new");
	tar_file(tar, "bin/.wh.other", "");
	tar_file(tar, "etc/.wh.sub", "");
	tar_file(tar, "nowhere/.wh.nothing", "");
	tar_file(tar, ".wh.usr", "");
	tar_directory(tar, "usr/", 0700); /* takes the place of the whiteout, and hides nothing */
	top = import_tar(store->store, tar);
	assert_merged(store->store, BASE_BIN BASE_ETC BASE_LIB, base, NULL);
	assert_merged(store->store,
		      "bin/ 755\nbin/tool 644 [new]\netc/ 711\netc/file 644 [4]\n"
		      "lib -> usr/lib\nnowhere/ 755\nusr/ 700\nusr/lib/ 755\n"
		      "usr/lib/so 644 [5]\n",
		      base, top, NULL);
}

static void
test_opaque(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_directory(tar, "etc/", 0755);
	tar_file(tar, "etc/kept", "own");
	tar_file(tar, "etc/.wh..wh..opq", "");
	top = import_tar(store->store, tar);
	assert_merged(store->store, BASE_BIN "etc/ 755\netc/kept 644 [own]\n" BASE_LIB, base, top,
		      NULL);
}

static void
test_kinds_change(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "etc", "a file now");
	tar_directory(tar, "bin/tool/", 0700);
	tar_file(tar, "bin/tool/x", "below");
	tar_directory(tar, "lib/", 0755);
	tar_symlink(tar, "usr", "bin");
	top = import_tar(store->store, tar);
	assert_merged(store->store,
		      "bin/ 755\nbin/other 644 [2]\nbin/tool/ 700\nbin/tool/x 644 [below]\n"
		      "etc 644 [a file now]\nlib/ 755\nusr -> bin\n",
		      base, top, NULL);
}

/* Links of the layers below lead nowhere: what seems to lie behind one lies in a directory that
 * takes its place. */
static void
test_lower_links(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *file = NULL, *whiteout = NULL;
	g_autofree char *opaque = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "lib/more", "6");
	file = import_tar(store->store, tar);
	assert_merged(store->store,
		      BASE_BIN BASE_ETC "lib/ 755\nlib/more 644 [6]\nusr/ 755\nusr/lib/ 755\n"
					"usr/lib/so 644 [5]\n",
		      base, file, NULL);
	tar = g_byte_array_new();
	tar_file(tar, "lib/.wh.so", "");
	whiteout = import_tar(store->store, tar);
	assert_merged(store->store,
		      BASE_BIN BASE_ETC "lib/ 755\nusr/ 755\nusr/lib/ 755\nusr/lib/so 644 [5]\n",
		      base, whiteout, NULL);
	tar = g_byte_array_new();
	tar_file(tar, "lib/.wh..wh..opq", "");
	tar_file(tar, ".wh..wh..opq", ""); /* nothing to an overlay */
	opaque = import_tar(store->store, tar);
	assert_merged(store->store,
		      BASE_BIN BASE_ETC "lib/ 755\nusr/ 755\nusr/lib/ 755\nusr/lib/so 644 [5]\n",
		      base, opaque, NULL);
}

/* Links of the layer itself are followed, and never out of the tree. */
static void
test_own_links(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_symlink(tar, "out", "../../../../bin");
	tar_file(tar, "out/tool", "8");
	tar_symlink(tar, "absolute", "/etc/sub/../sub");
	tar_file(tar, "absolute/.wh.deep", "");
	tar_file(tar, "etc/file/below", "9"); /* what was a file */
	top = import_tar(store->store, tar);
	assert_merged(store->store,
		      "absolute -> /etc/sub/../sub\n"
		      "bin/ 755\nbin/other 644 [2]\nbin/tool 644 [8]\n"
		      "etc/ 711\netc/file/ 755\netc/file/below 644 [9]\netc/sub/ 700\n"
		      "lib -> usr/lib\nout -> ../../../../bin\nusr/ 755\nusr/lib/ 755\n"
		      "usr/lib/so 644 [5]\n",
		      base, top, NULL);
}

/* A directory that no entry describes is as the nearest layer below has it, also where another
 * hides it. */
static void
test_implied(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *middle = NULL, *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "etc/.wh..wh..opq", "");
	tar_file(tar, "etc/kept", "k");
	middle = import_tar(store->store, tar);
	tar = g_byte_array_new();
	tar_file(tar, "etc/sub/new", "n");
	top = import_tar(store->store, tar);
	assert_merged(store->store,
		      BASE_BIN
		      "etc/ 711\netc/kept 644 [k]\netc/sub/ 700\netc/sub/new 644 [n]\n" BASE_LIB,
		      base, middle, top, NULL);
}

static void
test_hard_links(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_directory(tar, "d/", 0755);
	tar_file(tar, "d/f", "1");
	tar_symlink(tar, "l", "d");
	tar_hardlink(tar, "same", "l/f");
	tar_file(tar, "bin/.wh.tool", "");
	tar_hardlink(tar, "etc/file", "bin/tool"); /* of what hides: hides too */
	/* The header of a link is the file's. */
	tar_file(tar, "shell", "#!");
	tar_add(tar, &(TarSample){ .name = "root", .type = '1', .mode = 04755, .link = "shell" });
	top = import_tar(store->store, tar);
	assert_merged(store->store,
		      "bin/ 755\nbin/other 644 [2]\nd/ 755\nd/f 644 [1]\n"
		      "etc/ 711\netc/sub/ 700\netc/sub/deep 644 [3]\nl -> d\nlib -> usr/lib\n"
		      "root 4755 [#!]\nsame 644 [1]\nshell 4755 [#!]\n"
		      "usr/ 755\nusr/lib/ 755\nusr/lib/so 644 [5]\n",
		      base, top, NULL);
}

static void
assert_cannot_merge(CamStore *store, const char *message, const char *base, const char *top)
{
	g_autoptr(GError) error = NULL;
	const char *chain[] = { base, top, NULL };

	g_assert_null(cam_store_open_rootfs(store, chain, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, message));
}

static void
test_what_cannot_be(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *link = NULL, *twice = NULL, *gone = NULL;
	g_autofree char *below = NULL;
	GByteArray *tar = g_byte_array_new();

	/* The files of lower layers are not there to link to. */
	tar_hardlink(tar, "h", "bin/tool");
	link = import_tar(store->store, tar);
	assert_cannot_merge(store->store, "no file bin/tool", base, link);
	assert_cannot_merge(store->store, "no file bin/tool", link, NULL);

	tar = g_byte_array_new();
	tar_file(tar, "bin/tool", "x");
	tar_file(tar, "bin/.wh.tool", "");
	twice = import_tar(store->store, tar);
	assert_cannot_merge(store->store, "bin/tool: a whiteout of what", base, twice);
	assert_merged(store->store, "bin/ 755\n", twice, NULL); /* the lowest layer removes it */

	tar = g_byte_array_new();
	tar_file(tar, ".wh.etc", "");
	gone = import_tar(store->store, tar);
	tar = g_byte_array_new();
	tar_file(tar, "etc/sub/f", "x");
	below = import_tar(store->store, tar);
	const char *chain[] = { base, gone, below, NULL };
	g_autoptr(GError) error = NULL;
	g_assert_null(cam_store_open_rootfs(store->store, chain, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	/* All of that left the store as it was. */
	assert_merged(store->store, BASE_BIN BASE_ETC BASE_LIB, base, NULL);
}

/* Entries that the layer replaces are in no tree, but export needs them also after a collection. */
static void
test_replaced_entries(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	CamGcResult result = { 0 };
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "d/f", "content that is replaced");
	tar_symlink(tar, "d", "elsewhere");
	tar_file(tar, "e/f", "content that is removed");
	tar_file(tar, ".wh.e", "");
	tar_hardlink(tar, "h", "is/nowhere");
	tar_file(tar, "behind", "what cannot be unpacked");
	g_autoptr(GBytes) bytes = tar_end(tar);
	g_autofree char *diff_id = import_bytes(store->store, bytes, NULL, &error);
	g_assert_no_error(error);
	const char *needed[] = { diff_id, NULL };
	cam_store_add_lease(store->store, "test", needed, 0, &error);
	g_assert_no_error(error);
	cam_store_gc(store->store, FALSE, NULL, &result, NULL, &error);
	g_assert_no_error(error);
	assert_exports_as(store->store, diff_id, bytes);
}

/* Lets @ref name a commit as code of before wrote it: without a rule, and with another tree. */
static void
write_old_commit(CamStore *store, const char *ref, gboolean is_layer)
{
	g_autoptr(GError) error = NULL;
	OstreeRepo *shared = cam_store_get_repo(store, &error);
	g_autoptr(OstreeRepo) repo = cam_repo_begin(shared, NULL, &error);
	g_autofree char *contents = NULL, *metadata = NULL, *skeleton = NULL;
	g_autoptr(OstreeMutableTree) root = NULL, empty = NULL, directory = NULL;

	g_assert_no_error(error);
	cam_repo_read_commit(repo, ref, &contents, &metadata, NULL, &error);
	g_assert_no_error(error);
	root = ostree_mutable_tree_new();
	ostree_mutable_tree_set_metadata_checksum(root, metadata);
	if (is_layer) {
		g_autoptr(OstreeMutableTree) now =
			ostree_mutable_tree_new_from_checksum(repo, contents, metadata);

		ostree_mutable_tree_lookup(now, "skeleton", &skeleton, &directory, &error);
		g_assert_no_error(error);
		ostree_mutable_tree_replace_file(root, "skeleton", skeleton, &error);
		ostree_mutable_tree_ensure_dir(root, "tree", &empty, &error);
		g_assert_no_error(error);
		ostree_mutable_tree_set_metadata_checksum(empty, metadata);
	}
	cam_repo_commit_tree(repo, root, ref, NULL, NULL, &error);
	g_assert_no_error(error);
	ostree_repo_commit_transaction(repo, NULL, NULL, &error);
	g_assert_no_error(error);
}

/* Trees that were made by another rule are of no use, be they of a chain or of a layer. */
static void
test_other_rule(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "bin/.wh.tool", "");
	top = import_tar(store->store, tar);
	g_autofree char *lower = cam_chain_id(NULL, base), *upper = cam_chain_id(lower, top);
	g_autofree char *lower_ref = cam_store_rootfs_ref(lower);
	g_autofree char *upper_ref = cam_store_rootfs_ref(upper);
	g_autofree char *layer_ref = cam_store_layer_ref(base);
	static const char lower_tree[] = BASE_BIN BASE_ETC BASE_LIB;
	static const char upper_tree[] = "bin/ 755\nbin/other 644 [2]\n" BASE_ETC BASE_LIB;

	assert_merged(store->store, lower_tree, base, NULL);
	assert_merged(store->store, upper_tree, base, top, NULL);
	write_old_commit(store->store, upper_ref, FALSE);
	assert_merged(store->store, upper_tree, base, top, NULL);
	write_old_commit(store->store, lower_ref, FALSE);
	write_old_commit(store->store, upper_ref, FALSE);
	write_old_commit(store->store, layer_ref, TRUE);
	assert_merged(store->store, upper_tree, base, top, NULL);
	assert_merged(store->store, lower_tree, base, NULL);
}

static CamEntry
lookup(CamRootfs *rootfs, const char *path)
{
	g_autoptr(GError) error = NULL;
	CamEntry entry;

	g_assert_true(cam_rootfs_lookup(rootfs, path, FALSE, NULL, &entry, &error));
	g_assert_no_error(error);
	return entry;
}

/* What did not change has the identity that it had, whatever the layer says. */
static void
test_identities(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "etc/file", "changed");
	tar_file(tar, "bin/tool", "1");
	top = import_tar(store->store, tar);
	const char *one[] = { base, NULL }, *two[] = { base, top, NULL };
	g_autoptr(CamRootfs) before = cam_store_open_rootfs(store->store, one, NULL, &error);
	g_autoptr(CamRootfs) after = cam_store_open_rootfs(store->store, two, NULL, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < 4; i++) {
		static const char *const paths[] = { "bin", "usr", "etc/sub", "etc" };
		CamEntry a = lookup(before, paths[i]), b = lookup(after, paths[i]);
		gboolean same = memcmp(&a.id, &b.id, sizeof a.id) == 0;

		g_assert_true(same == (i < 3));
		g_assert_cmpmem(&a.meta, sizeof a.meta, &b.meta, sizeof b.meta);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/merged-rootfs/whiteouts", test_whiteouts);
	g_test_add_func("/store/merged-rootfs/opaque", test_opaque);
	g_test_add_func("/store/merged-rootfs/kinds-change", test_kinds_change);
	g_test_add_func("/store/merged-rootfs/lower-links", test_lower_links);
	g_test_add_func("/store/merged-rootfs/own-links", test_own_links);
	g_test_add_func("/store/merged-rootfs/implied", test_implied);
	g_test_add_func("/store/merged-rootfs/replaced-entries", test_replaced_entries);
	g_test_add_func("/store/merged-rootfs/other-rule", test_other_rule);
	g_test_add_func("/store/merged-rootfs/hard-links", test_hard_links);
	g_test_add_func("/store/merged-rootfs/what-cannot-be", test_what_cannot_be);
	g_test_add_func("/store/merged-rootfs/identities", test_identities);
	return g_test_run();
}
