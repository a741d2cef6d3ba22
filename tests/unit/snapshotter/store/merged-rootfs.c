/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of merged trees against OCI image-spec layer.md and containerd's reading of it. */
#include "snapshotter/store/store.h"

#include "layer-fixture.h"

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

	/* The order in the layer does not matter: a whiteout hides lower layers only. */
	tar_file(tar, "bin/tool", "new");
	tar_file(tar, "bin/.wh.tool", "");
	tar_file(tar, "bin/.wh.other", "");
	tar_file(tar, "etc/.wh.sub", "");
	tar_file(tar, "nowhere/.wh.nothing", "");
	top = import_tar(store->store, tar);
	assert_merged(store->store, BASE_BIN BASE_ETC BASE_LIB, base, NULL);
	assert_merged(store->store,
		      "bin/ 755\nbin/tool 644 [new]\netc/ 711\netc/file 644 [4]\n" BASE_LIB, base,
		      top, NULL);
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

static void
test_parents(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	/* Through a link of the lower layer, into what is missing, and never out of the tree. */
	tar_file(tar, "lib/more", "6");
	tar_file(tar, "var/new/f", "7");
	tar_symlink(tar, "out", "../../../../bin");
	tar_file(tar, "out/tool", "8");
	tar_symlink(tar, "absolute", "/etc/sub/../sub");
	tar_file(tar, "absolute/deep", "9");
	top = import_tar(store->store, tar);
	assert_merged(store->store,
		      "absolute -> /etc/sub/../sub\n"
		      "bin/ 755\nbin/other 644 [2]\nbin/tool 644 [8]\n"
		      "etc/ 711\netc/file 644 [4]\netc/sub/ 700\netc/sub/deep 644 [9]\n"
		      "lib -> usr/lib\nout -> ../../../../bin\n"
		      "usr/ 755\nusr/lib/ 755\nusr/lib/more 644 [6]\nusr/lib/so 644 [5]\n"
		      "var/ 755\nvar/new/ 755\nvar/new/f 644 [7]\n",
		      base, top, NULL);
}

static void
test_hard_links(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_hardlink(tar, "bin/tool2", "bin/tool");
	tar_file(tar, "bin/.wh.tool", "");
	tar_hardlink(tar, "so", "lib/so");
	top = import_tar(store->store, tar);
	assert_merged(store->store,
		      "bin/ 755\nbin/other 644 [2]\nbin/tool2 644 [1]\n" BASE_ETC
		      "lib -> usr/lib\nso 644 [5]\nusr/ 755\nusr/lib/ 755\nusr/lib/so 644 [5]\n",
		      base, top, NULL);
}

static void
assert_cannot_merge(CamStore *store, const char *base, const char *top)
{
	g_autoptr(GError) error = NULL;
	const char *chain[] = { base, top, NULL };

	g_assert_null(cam_store_open_rootfs(store, chain, NULL, &error));
	g_assert_nonnull(error);
	g_assert_cmpint(error->domain, ==, CAM_ERROR);
}

static void
test_what_cannot_be(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *base = base_layer(store->store), *top = NULL, *loop = NULL, *file = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_hardlink(tar, "h", "is/nowhere");
	top = import_tar(store->store, tar);
	assert_cannot_merge(store->store, base, top);
	assert_cannot_merge(store->store, top, NULL);

	tar = g_byte_array_new();
	tar_file(tar, "etc/file/below", "x");
	file = import_tar(store->store, tar);
	assert_cannot_merge(store->store, base, file);

	tar = g_byte_array_new();
	tar_symlink(tar, "a", "b");
	tar_symlink(tar, "b", "a");
	g_autoptr(GBytes) lower = tar_end(tar);
	g_autoptr(GError) error = NULL;
	loop = import_bytes(store->store, lower, NULL, &error);
	g_assert_no_error(error);
	tar = g_byte_array_new();
	tar_file(tar, "a/x", "x");
	g_free(top);
	top = import_tar(store->store, tar);
	assert_cannot_merge(store->store, loop, top);
	/* All of that left the store as it was. */
	assert_merged(store->store, BASE_BIN BASE_ETC BASE_LIB, base, NULL);
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
	g_test_add_func("/store/merged-rootfs/parents", test_parents);
	g_test_add_func("/store/merged-rootfs/hard-links", test_hard_links);
	g_test_add_func("/store/merged-rootfs/what-cannot-be", test_what_cannot_be);
	g_test_add_func("/store/merged-rootfs/identities", test_identities);
	return g_test_run();
}
