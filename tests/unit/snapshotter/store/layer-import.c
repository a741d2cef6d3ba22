/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of a layer's way into the store and back, and of what is refused on the way. */
#include "snapshotter/snapshotter.h"

#include <sys/xattr.h>
#include <unistd.h>

#include "layer-fixture.h"

static GBytes *
compress(GBytes *plain, CamCompression compression)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) base = g_memory_input_stream_new_from_bytes(plain);
	g_autoptr(GInputStream) stream = cam_compress_stream_new(base, compression, &error);
	GBytes *packed;

	g_assert_no_error(error);
	packed = read_to_end(stream, &error);
	g_assert_no_error(error);
	return packed;
}

static void
assert_no_leftovers(TemporaryStore *store)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *staging = g_build_filename(store->path, "repo", "tmp", NULL);
	g_autoptr(GDir) dir = g_dir_open(staging, 0, NULL);
	g_auto(CamVerifyResult) result = { 0 };
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(staging, name, NULL);
		g_autoptr(GDir) inside = NULL;

		if (g_str_has_prefix(name, "staging-") && !g_str_has_suffix(name, "-lock") &&
		    (inside = g_dir_open(path, 0, NULL)) != NULL)
			g_error("%s was left behind", path);
	}
	g_assert_true(cam_store_verify(store->store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < result.problems->len; i++) {
		CamVerifyProblem *problem = g_ptr_array_index(result.problems, i);

		g_error("%s: %s", problem->subject, problem->problem);
	}
}

static void
test_lossless(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GBytes) tar = tar_with_everything();
	g_autofree char *digest = cam_digest_for_bytes(tar);

	for (guint i = 0; i < 3; i++) {
		static const CamCompression forms[] = { CAM_COMPRESSION_NONE, CAM_COMPRESSION_GZIP,
							CAM_COMPRESSION_ZSTD };
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) packed = compress(tar, forms[i]);
		g_autofree char *diff_id = import_bytes(store->store, packed, NULL, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(diff_id, ==, digest);
		assert_exports_as(store->store, diff_id, tar);
	}
	g_assert_true(cam_store_has_layer(store->store, digest));
	assert_no_leftovers(store);
}

static void
test_info_and_blobs(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	GByteArray *array = g_byte_array_new();

	tar_file(array, "a", "same");
	tar_file(array, "b", "same");
	tar_file(array, "c", "other");
	tar_symlink(array, "l", "a");
	g_autoptr(GBytes) tar = tar_end(array);
	g_autoptr(GBytes) packed = compress(tar, CAM_COMPRESSION_GZIP);
	g_autofree char *digest = cam_digest_for_bytes(packed);
	g_autofree char *diff_id = cam_digest_for_bytes(tar);
	g_autoptr(CamDescriptor) descriptor = cam_descriptor_new(
		CAM_MEDIA_TYPE_OCI_LAYER_GZIP, digest, (gint64) g_bytes_get_size(packed));

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(packed);
		g_autoptr(CamLayerInfo) info = cam_store_import_layer(
			store->store, stream, descriptor, diff_id, NULL, NULL, NULL, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(info->entries, ==, 4);
		g_assert_cmpuint(info->files, ==, 3);
		g_assert_cmpuint(info->size, ==, g_bytes_get_size(tar));
		/* What is there is not written again. */
		if (i == 1)
			g_assert_cmpuint(info->new_objects, ==, 0);
		else
			g_assert_cmpuint(info->new_objects, >=, 3);
	}
	g_autofree char *known = cam_store_layer_for_blob(store->store, digest);
	g_assert_cmpstr(known, ==, diff_id);
	g_autoptr(GPtrArray) blobs = cam_store_blobs_for_layer(store->store, diff_id, &error);
	g_assert_cmpuint(blobs->len, ==, 1);
}

static void
test_wrong_digests(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GBytes) tar = tar_with_everything();
	g_autofree char *digest = cam_digest_for_bytes(tar);
	g_autofree char *other = cam_digest_for_data("x", 1);
	gint64 size = (gint64) g_bytes_get_size(tar);
	const struct {
		const char *digest, *diff_id;
		gint64 size;
	} wrong[] = { { other, digest, size },
		      { digest, other, size },
		      { digest, digest, size + 1 } };

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamDescriptor) descriptor = cam_descriptor_new(
			CAM_MEDIA_TYPE_OCI_LAYER, wrong[i].digest, wrong[i].size);
		g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(tar);

		g_assert_null(cam_store_import_layer(store->store, stream, descriptor,
						     wrong[i].diff_id, NULL, NULL, NULL, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		g_assert_false(cam_store_has_layer(store->store, digest));
	}
	assert_no_leftovers(store);
}

static void
test_truncated(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GBytes) tar = tar_with_everything();
	g_autoptr(GBytes) packed = compress(tar, CAM_COMPRESSION_GZIP);

	for (gsize size = 1; size < g_bytes_get_size(packed); size += 97) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) part = g_bytes_new_from_bytes(packed, 0, size);

		g_assert_null(import_bytes(store->store, part, NULL, &error));
		g_assert_nonnull(error);
		g_assert_cmpint(error->domain, ==, CAM_ERROR);
	}
	assert_no_leftovers(store);
}

static void
test_limits(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *zeros = g_malloc0(80 * 1024 * 1024);
	GByteArray *tar = g_byte_array_new();
	CamLayerLimits limits = { .max_entries = 1 };

	tar_file(tar, "a", "1");
	tar_file(tar, "b", "2");
	g_autoptr(GBytes) two = tar_end(tar);
	g_assert_null(import_bytes(store->store, two, &limits, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);
	limits = (CamLayerLimits){ .max_size = 1024 };
	g_assert_null(import_bytes(store->store, two, &limits, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);

	/* A hole that is larger than all that may be. */
	tar = g_byte_array_new();
	tar_pax(tar, 'x', "GNU.sparse.size", "9000000000000000000", "GNU.sparse.numblocks", "1",
		"GNU.sparse.map", "0,1", NULL);
	tar_file(tar, "hole", "x");
	g_autoptr(GBytes) hole = tar_end(tar);
	g_assert_null(import_bytes(store->store, hole, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);

	/* A bomb: 80 MiB of zeros in some kilobytes. */
	tar = g_byte_array_new();
	tar_add(tar, &(TarSample){ .name = "zeros",
				   .type = '0',
				   .content = zeros,
				   .content_size = 80 * 1024 * 1024 });
	g_autoptr(GBytes) bomb = tar_end(tar);
	g_autoptr(GBytes) packed = compress(bomb, CAM_COMPRESSION_ZSTD);
	g_autofree char *digest = cam_digest_for_bytes(packed);
	g_autoptr(CamDescriptor) descriptor = cam_descriptor_new(
		CAM_MEDIA_TYPE_OCI_LAYER_ZSTD, digest, (gint64) g_bytes_get_size(packed));
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(packed);
	g_assert_null(cam_store_import_layer(store->store, stream, descriptor, NULL, NULL, NULL,
					     NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	assert_no_leftovers(store);
}

static void
test_tree_of_everything(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) tar = tar_with_everything();
	g_autofree char *diff_id = import_bytes(store->store, tar, NULL, &error);
	g_autofree char *n = g_strnfill(180, 'n');
	g_autofree char *expected = g_strdup_printf("big-uid 0 []\n"
						    "dir/ 750\n"
						    "dir/file 644 [content\n]\n"
						    "dir/%s 600 [gnu\n]\n"
						    "dir/set-uid 4755 [#!/bin/sh\n]\n"
						    "disk b 8 1\n"
						    "empty 644 []\n"
						    "fifo p 0 0\n"
						    "hard 644 [content\n]\n"
						    "link -> dir/file\n"
						    "null c 1 3\n"
						    "prefix/ 755\n"
						    "prefix/of/ 755\n"
						    "prefix/of/a/ 755\n"
						    "prefix/of/a/ustar/ 755\n"
						    "prefix/of/a/ustar/header/ 755\n"
						    "prefix/of/a/ustar/header/file 644 [x]\n",
						    n);

	g_assert_no_error(error);
	assert_merged(store->store, expected, diff_id, NULL);
	g_autoptr(CamRootfs) tree = cam_store_open_layer_tree(store->store, diff_id, &error);
	g_autofree char *text = tree_text(tree);
	g_assert_cmpstr(text, ==, expected);
}

/* Names and targets that are no UTF-8, attributes that would lie, capabilities. */
static void
test_odd_things(void)
{
	static const char capability[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) records = g_string_new(NULL);
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, "caf\xe9", "latin");
	tar_symlink(tar, "to-latin", "caf\xe9");
	pax_record(records, "SCHILY.xattr.security.capability", capability, 20);
	pax_record(records, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	pax_record(records, "SCHILY.xattr.user.cambium.node", "c 1 3", 5);
	pax_record(records, "SCHILY.xattr.user.ostreemeta", "lie", 3);
	pax_record(records, "SCHILY.xattr.user.kept", "yes", 3);
	tar_add(tar, &(TarSample){ .name = "pax",
				   .type = 'x',
				   .content = records->str,
				   .content_size = records->len });
	tar_file(tar, "ping", "capable");
	g_autoptr(GBytes) bytes = tar_end(tar);
	g_autofree char *diff_id = import_bytes(store->store, bytes, NULL, &error);
	g_assert_no_error(error);
	assert_exports_as(store->store, diff_id, bytes);
	assert_merged(store->store,
		      "caf\xe9 644 [latin]\nping 644 [capable]\nto-latin -> caf\xe9\n", diff_id,
		      NULL);

	const char *const chain[] = { diff_id, NULL };
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store->store, chain, NULL, &error);
	g_autoptr(GBytes) followed = cam_rootfs_read(rootfs, "to-latin", 100, &error);
	g_assert_no_error(error);
	CamEntry entry;
	g_auto(CamStat) stat = { 0 };
	g_assert_true(cam_rootfs_lookup(rootfs, "ping", FALSE, NULL, &entry, &error));
	g_assert_true(cam_rootfs_stat(rootfs, &entry, &stat, &error));
	g_assert_cmpuint(g_variant_n_children(stat.xattrs), ==, 2);
	g_autofree char *printed = g_variant_print(stat.xattrs, FALSE);
	g_assert_nonnull(strstr(printed, "security.capability"));
	g_assert_nonnull(strstr(printed, "user.kept"));
	CamSha256 sha256;
	g_assert_true(cam_rootfs_content_sha256(rootfs, &entry, &sha256, &error));
	g_autofree char *content = cam_sha256_to_digest(&sha256);
	g_autofree char *expected = cam_digest_for_data("capable", 7);
	g_assert_cmpstr(content, ==, expected);
}

static void
test_sparse(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	GByteArray *tar = g_byte_array_new();

	tar_pax(tar, 'x', "GNU.sparse.size", "5000", "GNU.sparse.numblocks", "2", "GNU.sparse.map",
		"10,3,4000,2", NULL);
	tar_file(tar, "small", "abcde");
	/* Large enough to be spooled. */
	tar_pax(tar, 'x', "GNU.sparse.size", "5000001", "GNU.sparse.numblocks", "1",
		"GNU.sparse.map", "5000000,1", NULL);
	tar_file(tar, "large", "x");
	g_autoptr(GBytes) bytes = tar_end(tar);
	g_autofree char *diff_id = import_bytes(store->store, bytes, NULL, &error);
	g_assert_no_error(error);
	assert_exports_as(store->store, diff_id, bytes);

	const char *const chain[] = { diff_id, NULL };
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store->store, chain, NULL, &error);
	g_autoptr(GBytes) small = cam_rootfs_read(rootfs, "small", 10000, &error);
	g_assert_cmpuint(g_bytes_get_size(small), ==, 5000);
	const char *data = g_bytes_get_data(small, NULL);
	g_assert_cmpmem(data + 9, 5, "\0abc\0", 5);
	g_assert_cmpmem(data + 3999, 4, "\0de\0", 4);
	g_autoptr(GBytes) large = cam_rootfs_read(rootfs, "large", 10000000, &error);
	g_assert_cmpuint(g_bytes_get_size(large), ==, 5000001);
	g_assert_cmpint(((const char *) g_bytes_get_data(large, NULL))[5000000], ==, 'x');
	assert_no_leftovers(store);
}

/* Read as containerd does where that was asked for, and lossless then. */
static void
test_ambiguous(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	GByteArray *tar = g_byte_array_new();
	CamLayerLimits limits = { .allow_ambiguous = TRUE };

	tar_file(tar, "d/../f", "content");
	tar_add(tar, &(TarSample){ .name = "status",
				   .type = '0',
				   .magic = "ustar  \0",
				   .prefix = "var/lib/dpkg",
				   .mode = 0644,
				   .content = "x" });
	g_autoptr(GBytes) bytes = tar_end(tar);
	g_assert_null(import_bytes(store->store, bytes, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "ambiguous (parent-name)"));
	g_clear_error(&error);
	g_autofree char *allowed = import_bytes(store->store, bytes, &limits, &error);
	g_assert_no_error(error);
	assert_exports_as(store->store, allowed, bytes);
	assert_merged(store->store,
		      "f 644 [content]\nvar/ 755\nvar/lib/ 755\nvar/lib/dpkg/ 755\n"
		      "var/lib/dpkg/status 644 [x]\n",
		      allowed, NULL);
	assert_no_leftovers(store);
}

/* No tree holds these bytes: the layer does. */
static void
test_bytes_without_node(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	GByteArray *tar = g_byte_array_new();
	static const guint8 zeros[1024];
	g_autofree char *large = g_strnfill(700000, 'c');

	tar_file(tar, ".wh.gone", large);
	tar_file(tar, "./", "what is the root cannot be a file");
	tar_file(tar, "f", "content");
	g_byte_array_append(tar, zeros, sizeof zeros);
	g_byte_array_append(tar, (const guint8 *) large, 700000);
	g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(tar);
	g_autofree char *diff_id = import_bytes(store->store, bytes, NULL, &error);
	g_assert_no_error(error);
	assert_exports_as(store->store, diff_id, bytes);
	assert_merged(store->store, "f 644 [content]\n", diff_id, NULL);
	assert_no_leftovers(store);
}

static void
test_other_compressions(void)
{
	static const struct {
		const char *name, *bytes;
	} samples[] = {
		{ "xz", "\xfd"
			"7zXZ\0\0\4\xe6\xd6\xb4\x46" },
		{ "bzip2", "BZh91AY&SY\1\2" },
		{ "lz4", "\4\x22\x4d\x18\x64\x40\xa7\0\0\0\0\0" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(samples); i++) {
		g_autoptr(TemporaryStore) store = temporary_store_new();
		g_autoptr(GError) error = NULL;
		g_autofree char *data = g_malloc0(2000);

		memcpy(data, samples[i].bytes, 12);
		g_autoptr(GBytes) bytes = g_bytes_new(data, 2000);
		g_assert_null(import_bytes(store->store, bytes, NULL, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_UNIMPLEMENTED);
		g_assert_nonnull(strstr(error->message, samples[i].name));
	}
}

static gboolean
print_entry(const CamLayerEntry *entry, gpointer user_data, GError **error)
{
	g_string_append_printf(user_data, "%s%s%s%s %" G_GINT64_FORMAT "%s\n", entry->path,
			       entry->is_whiteout   ? " (whiteout)"
			       : entry->is_opaque   ? " (opaque)"
			       : entry->is_hardlink ? " = "
						    : "",
			       entry->is_hardlink ? entry->link_target : "",
			       entry->object != NULL ? " object" : "", entry->mtime,
			       entry->content != NULL ? " content" : "");
	return TRUE;
}

static void
test_entries(void)
{
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	GByteArray *tar = g_byte_array_new();

	tar_add(tar, &(TarSample){ .name = "d/", .type = '5', .mode = 0755, .mtime = 7 });
	tar_file(tar, "d/.wh..wh..opq", "");
	tar_file(tar, "d/.wh.gone", "");
	tar_file(tar, ".wh..wh.plnk", "");
	tar_file(tar, "d/f", "content");
	tar_hardlink(tar, "d/h", "d/f");
	tar_symlink(tar, "l", "d");
	g_autofree char *diff_id = import_tar(store->store, tar);
	g_assert_true(
		cam_store_foreach_layer_entry(store->store, diff_id, print_entry, text, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(text->str, ==,
			"d 7000000000\n"
			"d (opaque) 0\n"
			"d/gone (whiteout) 0\n"
			".wh.plnk (whiteout) 0\n" /* to all but AUFS */
			"d/f object 0 content\n"
			"d/h = d/f 0\n"
			"l object 0\n");
	g_assert_false(cam_store_foreach_layer_entry(store->store, "sha256:00", print_entry, text,
						     &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

/* Puts things that tars write in different ways below @path. */
static void
make_tree(const char *path)
{
	g_autofree char *name = g_strnfill(200, 'n');
	g_autofree char *latin = g_build_filename(path, "latin\xe9", NULL);
	g_autofree char *longest = g_build_filename(path, name, NULL);
	g_autofree char *hard = g_build_filename(path, "hard", NULL);
	g_autofree char *link = g_build_filename(path, "link", NULL);
	g_autofree char *hole = g_build_filename(path, "hole", NULL);
	g_autofree char *sparse = g_build_filename(path, "sparse", NULL);

	g_assert_true(g_file_set_contents(latin, "bytes", -1, NULL));
	g_assert_true(g_file_set_contents(longest, "long", -1, NULL));
	g_assert_cmpint(linkat(AT_FDCWD, longest, AT_FDCWD, hard, 0), ==, 0);
	g_assert_cmpint(symlink(name, link), ==, 0);
	g_assert_true(g_file_set_contents(sparse, "begin", -1, NULL));
	g_assert_true(g_file_set_contents(hole, "", 0, NULL));
	g_assert_cmpint(truncate(sparse, 3000000), ==, 0);
	g_assert_cmpint(truncate(hole, 100000), ==, 0);
}

/* What GNU tar writes, in all its forms, is read and comes out again as it was. */
static void
test_forms(void)
{
	static const char *const forms[][2] = {
		{ "--format=gnu", "--no-xattrs" },
		{ "--format=gnu", "--sparse" },
		{ "--format=oldgnu", "--sparse" },
		{ "--format=pax", "--no-xattrs" },
		{ "--format=pax", "--sparse-version=0.0" },
		{ "--format=pax", "--sparse-version=0.1" },
		{ "--format=pax", "--sparse-version=1.0" },
	};
	g_autoptr(TemporaryStore) store = temporary_store_new();
	g_autofree char *tree = g_dir_make_tmp("cambium-tree-XXXXXX", NULL);

	make_tree(tree);
	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autoptr(GError) error = NULL;
		gboolean sparse = g_str_has_prefix(forms[i][1], "--sparse");
		g_autoptr(GSubprocess) tar = g_subprocess_new(
			G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "tar", forms[i][0], forms[i][1],
			"-C", tree, "-c", sparse ? "-S" : ".", sparse ? "." : NULL, NULL);
		g_autoptr(GBytes) bytes = NULL;
		g_autofree char *diff_id = NULL;

		g_assert_no_error(error);
		g_assert_true(g_subprocess_communicate(tar, NULL, NULL, &bytes, NULL, &error));
		g_assert_true(g_subprocess_get_successful(tar));
		diff_id = import_bytes(store->store, bytes, NULL, &error);
		g_assert_no_error(error);
		assert_exports_as(store->store, diff_id, bytes);
	}
	g_assert_true(cam_remove_tree_at(AT_FDCWD, tree, NULL));
}

/* Layers that others made to attack: refused with a clear error, or harmless and lossless. */
static void
test_shared_samples(void)
{
	const char *shared = g_getenv("CAM_SHARED");
	g_autofree char *path =
		g_build_filename(shared != NULL ? shared : "/nonexistent", "data", "layers", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_autoptr(TemporaryStore) store = NULL;
	const char *name;

	if (dir == NULL) {
		g_test_skip("no shared samples");
		return;
	}
	store = temporary_store_new();
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autoptr(GError) error = NULL;
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *diff_id = NULL, *data = NULL;
		gsize size;

		g_assert_true(g_file_get_contents(file, &data, &size, NULL));
		g_autoptr(GBytes) bytes = g_bytes_new(data, size);
		diff_id = import_bytes(store->store, bytes, NULL, &error);
		g_test_message("%s: %s", name, diff_id != NULL ? diff_id : error->message);
		if (diff_id != NULL)
			assert_exports_as(store->store, diff_id, bytes);
		else
			g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	}
	assert_no_leftovers(store);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/layer-import/lossless", test_lossless);
	g_test_add_func("/store/layer-import/info-and-blobs", test_info_and_blobs);
	g_test_add_func("/store/layer-import/wrong-digests", test_wrong_digests);
	g_test_add_func("/store/layer-import/truncated", test_truncated);
	g_test_add_func("/store/layer-import/limits", test_limits);
	g_test_add_func("/store/layer-import/tree-of-everything", test_tree_of_everything);
	g_test_add_func("/store/layer-import/odd-things", test_odd_things);
	g_test_add_func("/store/layer-import/sparse", test_sparse);
	g_test_add_func("/store/layer-import/ambiguous", test_ambiguous);
	g_test_add_func("/store/layer-import/bytes-without-node", test_bytes_without_node);
	g_test_add_func("/store/layer-import/other-compressions", test_other_compressions);
	g_test_add_func("/store/layer-import/entries", test_entries);
	g_test_add_func("/store/layer-import/forms", test_forms);
	g_test_add_func("/store/layer-import/shared-samples", test_shared_samples);
	return g_test_run();
}
