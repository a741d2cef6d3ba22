/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layer tars in a real store: our own strict reader takes what our writer writes. */
#include "rebuild/publish/fixed-layer.h"

#include <string.h>

#include "tests/unit/rebuild/publish/fixture.h"

/* One of everything that a layer may have. */
static CamLayerTar *
make_odd_tar(CamRootfs *lower)
{
	CamLayerTar *tar = fixture_tar(lower, "etc/fixed", "fixed\n");
	g_autofree char *long_name = g_strnfill(200, 'n');
	g_autofree char *deep = g_strdup_printf("%s/%s/%s", long_name, long_name, long_name);
	CamStat file = { .type = CAM_NODE_REGULAR, .mode = 04755, .uid = 3000000, .size = 4 };
	CamStat link = { .type = CAM_NODE_SYMLINK, .mode = 0777, .link_target = long_name };
	CamStat pipe = { .type = CAM_NODE_FIFO, .mode = 0600 };
	CamStat device = { .type = CAM_NODE_CHARACTER, .rdev_major = 1, .rdev_minor = 3 };
	g_autoptr(GVariant) xattrs = g_variant_ref_sink(
		g_variant_new_parsed("[(b'security.capability', @ay [0x01, 0x00, 0x0a]),"
				     " (b'user.x', @ay [])]"));

	cam_layer_tar_add(tar, deep, &file, 5, fixture_open_text, (gpointer) "deep");
	cam_layer_tar_add(tar, "gr\303\274n", &file, 5, fixture_open_text, (gpointer) "gr\303\274");
	cam_layer_tar_add(tar, "raw\377", &file, 5, fixture_open_text, (gpointer) "raw\377");
	file.xattrs = xattrs;
	cam_layer_tar_add(tar, "capable", &file, 5, fixture_open_text, (gpointer) "able");
	cam_layer_tar_add_hardlink(tar, "a-link", "capable");
	cam_layer_tar_add(tar, "link", &link, 5, NULL, NULL);
	cam_layer_tar_add(tar, "pipe", &pipe, 5, NULL, NULL);
	cam_layer_tar_add(tar, "dev/null", &device, 5, NULL, NULL);
	cam_layer_tar_add_whiteout(tar, "etc/base");
	return tar;
}

static GBytes *
read_all(GInputStream *in)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;

	g_output_stream_splice(out, in, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
	g_assert_no_error(error);
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static void
assert_holds(CamStore *store, const CamFixedLayer *layer, GBytes *tar, CamCompression compression)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *digest = cam_digest_for_bytes(tar);
	g_autoptr(GInputStream) plain = NULL, packed = NULL, unpacked = NULL;
	g_autoptr(GBytes) from_tree = NULL, from_blob = NULL;

	g_assert_cmpstr(layer->diff_id, ==, digest);
	plain = cam_store_open_layer(store, layer->diff_id, &error);
	g_assert_no_error(error);
	from_tree = read_all(plain);
	g_assert_true(g_bytes_equal(from_tree, tar));
	packed = cam_store_open_blob(store, layer->blob->digest, NULL, &error);
	g_assert_no_error(error);
	unpacked = cam_decompress_stream_new(packed, compression);
	from_blob = read_all(unpacked);
	g_assert_true(g_bytes_equal(from_blob, tar));
}

static void
test_round_trip(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamRootfs) lower = NULL;
	g_autoptr(CamLayerTar) tar = NULL;
	g_autoptr(CamFixedLayer) layer = NULL, again = NULL, reused = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&self, NULL);
	lower = fixture_rootfs(&self);
	tar = make_odd_tar(lower);
	bytes = fixture_tar_bytes(tar);
	layer = cam_fixed_layer_new(self.store, tar, self.image->manifest, "lease", NULL, NULL,
				    &error);
	g_assert_no_error(error);
	g_assert_cmpstr(layer->blob->media_type, ==, CAM_MEDIA_TYPE_OCI_LAYER_GZIP);
	assert_holds(self.store, layer, bytes, CAM_COMPRESSION_GZIP);
	again = cam_fixed_layer_new(self.store, tar, self.image->manifest, NULL, NULL, NULL,
				    &error);
	g_assert_no_error(error);
	g_assert_cmpstr(again->blob->digest, ==, layer->blob->digest);
	reused = cam_fixed_layer_reuse(self.store, layer->diff_id, self.image->manifest, NULL, NULL,
				       &error);
	g_assert_no_error(error);
	g_assert_cmpstr(reused->blob->digest, ==, layer->blob->digest);
}

/* The same layer for an image of another compression: made from the store. */
static void
test_zstd(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamRootfs) lower = NULL;
	g_autoptr(CamLayerTar) tar = NULL;
	g_autoptr(CamFixedLayer) layer = NULL, reused = NULL;
	g_autoptr(CamManifest) manifest = NULL;
	g_autoptr(GBytes) bytes = NULL, document = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	fixture_init(&self, NULL);
	lower = fixture_rootfs(&self);
	tar = make_odd_tar(lower);
	bytes = fixture_tar_bytes(tar);
	layer = cam_fixed_layer_new(self.store, tar, self.image->manifest, NULL, NULL, NULL,
				    &error);
	g_assert_no_error(error);
	text = g_strdup_printf("{\"schemaVersion\":2,\"config\":{\"mediaType\":"
			       "\"" CAM_MEDIA_TYPE_DOCKER_CONFIG "\",\"digest\":\"%s\",\"size\":1},"
			       "\"layers\":[{\"mediaType\":\"" CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD
			       "\",\"digest\":\"%s\",\"size\":1}]}",
			       layer->diff_id, layer->diff_id);
	document = g_bytes_new(text, strlen(text));
	manifest = cam_manifest_parse(document, CAM_MEDIA_TYPE_DOCKER_MANIFEST, &error);
	g_assert_no_error(error);
	reused = cam_fixed_layer_reuse(self.store, layer->diff_id, manifest, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(reused->blob->media_type, ==, CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD);
	assert_holds(self.store, reused, bytes, CAM_COMPRESSION_ZSTD);
}

static void
test_absent(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamFixedLayer) layer = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&self, NULL);
	layer = cam_fixed_layer_reuse(
		self.store,
		"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		self.image->manifest, NULL, NULL, &error);
	g_assert_null(layer);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

/* What no layer can say leaves nothing behind. */
static void
test_refused(void)
{
	g_auto(Fixture) self = { 0 };
	g_autoptr(CamRootfs) lower = NULL;
	g_autoptr(CamLayerTar) tar = NULL;
	g_autoptr(CamFixedLayer) layer = NULL;
	g_autoptr(GDir) tmp = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;

	fixture_init(&self, NULL);
	lower = fixture_rootfs(&self);
	tar = fixture_tar(lower, "../escape", "x");
	layer = cam_fixed_layer_new(self.store, tar, self.image->manifest, NULL, NULL, NULL,
				    &error);
	g_assert_null(layer);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	cam_store_get_tmp_dirfd(self.store, &path, NULL);
	tmp = g_dir_open(path, 0, NULL);
	g_assert_nonnull(tmp);
	g_assert_null(g_dir_read_name(tmp));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fixed-layer/round-trip", test_round_trip);
	g_test_add_func("/fixed-layer/zstd", test_zstd);
	g_test_add_func("/fixed-layer/absent", test_absent);
	g_test_add_func("/fixed-layer/refused", test_refused);
	return g_test_run();
}
