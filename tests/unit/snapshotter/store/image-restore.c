/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bringing back what was damaged, from an OCI layout that the test can take things out of. */
#include "snapshotter/snapshotter.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "layer-fixture.h"

typedef struct {
	TemporaryStore *store;
	char *layout, *source;
	char *base, *top;	 /* diffIDs, which are the digests of the blobs too */
	char *config, *manifest; /* digests */
} Fixture;

/* ---- the layout ---- */

static char *
blob_path(const Fixture *self, const char *digest)
{
	return g_build_filename(self->layout, "blobs", "sha256", cam_digest_hex(digest), NULL);
}

static char *
add_blob(const Fixture *self, gconstpointer data, gsize size)
{
	char *digest = cam_digest_for_data(data, size);
	g_autofree char *path = blob_path(self, digest);

	g_assert_true(g_file_set_contents(path, data, (gssize) size, NULL));
	return digest;
}

static char *
add_layer(const Fixture *self, const char *path, const char *content, gsize *size)
{
	GByteArray *tar = g_byte_array_new();

	tar_file(tar, path, content);
	g_autoptr(GBytes) bytes = tar_end(tar);
	*size = g_bytes_get_size(bytes);
	return add_blob(self, g_bytes_get_data(bytes, NULL), *size);
}

static void
remove_blob(const Fixture *self, const char *digest)
{
	g_autofree char *path = blob_path(self, digest);

	g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
write_index(const Fixture *self, const char *manifest, gsize size)
{
	g_autofree char *path = g_build_filename(self->layout, "index.json", NULL);
	g_autofree char *text =
		g_strdup_printf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
				"\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\",\"digest\":\"%s\","
				"\"size\":%zu,\"annotations\":{"
				"\"org.opencontainers.image.ref.name\":\"1\"}}]}",
				manifest, size);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
make_layout(Fixture *self)
{
	g_autofree char *blobs = g_build_filename(self->layout, "blobs", "sha256", NULL);
	g_autofree char *marker = g_build_filename(self->layout, "oci-layout", NULL);
	gsize base_size, top_size;

	g_assert_cmpint(g_mkdir_with_parents(blobs, 0755), ==, 0);
	g_assert_true(g_file_set_contents(marker, "{\"imageLayoutVersion\":\"1.0.0\"}", -1, NULL));
	self->base = add_layer(self, "etc/base", "of the base", &base_size);
	self->top = add_layer(self, "etc/top", "of the top", &top_size);
	g_autofree char *config = g_strdup_printf(
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"%s\",\"%s\"]}}",
		self->base, self->top);
	self->config = add_blob(self, config, strlen(config));
	g_autofree char *manifest = g_strdup_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\","
		"\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG "\",\"digest\":\"%s\","
		"\"size\":%zu},\"layers\":["
		"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%zu},"
		"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
		self->config, strlen(config), self->base, base_size, self->top, top_size);
	self->manifest = add_blob(self, manifest, strlen(manifest));
	write_index(self, self->manifest, strlen(manifest));
}

static void
set_up(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	CamImportOptions options = { .name = "shop:1", .replace = TRUE };

	self->store = temporary_store_new();
	self->layout = g_build_filename(self->store->path, "layout", NULL);
	self->source = g_strdup_printf("oci:%s:1", self->layout);
	make_layout(self);
	g_autoptr(CamLocation) location = cam_location_parse(self->source, &error);
	g_autoptr(CamImage) image =
		cam_image_import(self->store->store, location, &options, NULL, NULL, &error);
	g_assert_no_error(error);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
	temporary_store_free(self->store);
	g_free(self->layout);
	g_free(self->source);
	g_free(self->base);
	g_free(self->top);
	g_free(self->config);
	g_free(self->manifest);
}

/* ---- damage and repair ---- */

/* Flips a byte of the content of @path, which @layer brings. */
static void
damage_file(const Fixture *self, const char *layer, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamRootfs) tree = cam_store_open_layer_tree(self->store->store, layer, &error);
	CamEntry entry;
	char hex[65];

	g_assert_true(cam_rootfs_lookup(tree, path, FALSE, NULL, &entry, &error));
	cam_sha256_to_hex(&entry.id, hex);
	g_autofree char *object =
		g_strdup_printf("%s/repo/objects/%.2s/%s.file", self->store->path, hex, hex + 2);
	g_auto(CamFd) fd = open(object, O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(pwrite(fd, "#", 1, 3), ==, 1);
}

static void
damage_document(const Fixture *self, const char *digest)
{
	g_autofree char *path = g_build_filename(self->store->path, "blobs", "sha256",
						 cam_digest_hex(digest), NULL);

	g_assert_true(g_file_set_contents(path, "{}", -1, NULL));
}

static GPtrArray *
repair(const Fixture *self)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamVerifyResult) result = { 0 };
	GPtrArray *restored;

	g_assert_true(cam_store_verify(self->store->store, TRUE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	g_assert_true(result.forgotten);
	restored = cam_store_restore(self->store->store, &result, NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	return restored;
}

static const CamRestored *
find_outcome(GPtrArray *restored, const char *subject)
{
	for (guint i = 0; i < restored->len; i++) {
		const CamRestored *outcome = g_ptr_array_index(restored, i);

		if (g_str_equal(outcome->subject, subject))
			return outcome;
	}
	g_error("nothing is said of %s", subject);
}

static void
assert_whole(const Fixture *self)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamVerifyResult) result = { 0 };

	g_assert_true(cam_store_verify(self->store->store, FALSE, NULL, &result, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(result.problems->len, ==, 0);
}

static void
assert_healed(const Fixture *self, const char *source)
{
	g_autoptr(GPtrArray) restored = repair(self);
	const CamRestored *outcome = find_outcome(restored, "image shop:1");

	g_assert_cmpuint(restored->len, ==, 1);
	g_assert_cmpstr(outcome->problem, ==, NULL);
	g_assert_cmpstr(outcome->source, ==, source);
	assert_whole(self);
}

static void
assert_not_healed(const Fixture *self, const char *text)
{
	g_autoptr(GPtrArray) restored = repair(self);
	const CamRestored *outcome = find_outcome(restored, "image shop:1");

	g_assert_nonnull(outcome->problem);
	if (strstr(outcome->problem, text) == NULL)
		g_error("\"%s\" does not say \"%s\"", outcome->problem, text);
}

/* ---- the tests ---- */

/* Nothing but what is missing is asked for. */
static void
test_layer(Fixture *self, gconstpointer data)
{
	remove_blob(self, self->base);
	remove_blob(self, self->config);
	damage_file(self, self->top, "etc/top");
	assert_healed(self, self->source);
}

static void
test_documents(Fixture *self, gconstpointer data)
{
	remove_blob(self, self->base);
	remove_blob(self, self->top);
	damage_document(self, self->manifest);
	damage_document(self, self->config);
	assert_healed(self, self->source);
}

static void
test_own_blob(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) tar = cam_store_open_layer(self->store->store, self->top, &error);
	g_autofree char *digest =
		cam_store_put_blob_stream(self->store->store, tar, self->top, NULL, NULL, &error);

	g_assert_cmpstr(digest, ==, self->top);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, self->layout, NULL));
	damage_file(self, self->top, "etc/top");
	assert_healed(self, NULL);
}

static void
test_source_gone(Fixture *self, gconstpointer data)
{
	g_assert_true(cam_remove_tree_at(AT_FDCWD, self->layout, NULL));
	damage_file(self, self->top, "etc/top");
	assert_not_healed(self, self->layout);
}

static void
test_source_moved_on(Fixture *self, gconstpointer data)
{
	g_autofree char *manifest = g_strdup_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\","
		"\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG
		"\",\"digest\":\"%s\",\"size\":2},\"layers\":[]}",
		self->config);
	g_autofree char *digest = add_blob(self, manifest, strlen(manifest));

	write_index(self, digest, strlen(manifest));
	remove_blob(self, self->manifest);
	damage_file(self, self->top, "etc/top");
	assert_not_healed(self, "another image by now");
}

static void
test_source_damaged(Fixture *self, gconstpointer data)
{
	g_autofree char *path = blob_path(self, self->top);

	damage_file(self, self->top, "etc/top");
	g_assert_true(g_file_set_contents(path, "not that layer", -1, NULL));
	assert_not_healed(self, self->top);
}

/* An image that nobody knows the source of gets what another brings; so does one whose layer
 * nobody has. */
static void
test_shared_layer(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const CamRestored *outcome;

	g_assert_true(cam_store_put_image(self->store->store, "copy:1", self->manifest, NULL, NULL,
					  NULL, TRUE, &error));
	damage_file(self, self->base, "etc/base");
	g_autoptr(GPtrArray) restored = repair(self);
	outcome = find_outcome(restored, "image copy:1");
	g_assert_cmpstr(outcome->problem, ==, NULL);
	g_assert_cmpstr(outcome->source, ==, NULL);
	g_assert_cmpstr(find_outcome(restored, "image shop:1")->source, ==, self->source);
	assert_whole(self);

	g_assert_true(cam_store_remove_image(self->store->store, "shop:1", &error));
	damage_file(self, self->base, "etc/base");
	g_autoptr(GPtrArray) again = repair(self);
	outcome = find_outcome(again, "image copy:1");
	g_assert_nonnull(strstr(outcome->problem, "nobody knows where it came from"));
}

static void
test_layer_of_no_image(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const char *digests[] = { self->top, NULL };
	g_autofree char *subject = g_strconcat("layer ", self->top, NULL);

	g_assert_true(cam_store_add_lease(self->store->store, "snapshot/7", digests, 0, &error));
	g_assert_true(cam_store_remove_image(self->store->store, "shop:1", &error));
	damage_file(self, self->top, "etc/top");
	g_autoptr(GPtrArray) restored = repair(self);
	g_assert_nonnull(strstr(find_outcome(restored, subject)->problem, "snapshot/7"));
}

/* A snapshot's layer was made of the directory that the image was unpacked into: it shares its
 * objects, and comes back with them. */
static void
test_adopted_layer(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(self->store->path, "upper", NULL);
	g_autofree char *etc = g_build_filename(path, "etc", NULL);
	g_autofree char *file = g_build_filename(etc, "top", NULL);

	g_assert_cmpint(g_mkdir_with_parents(etc, 0755), ==, 0);
	g_assert_true(g_file_set_contents(file, "of the top", -1, NULL));
	g_assert_cmpint(g_chmod(file, 0644), ==, 0);
	g_auto(CamFd) upper = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(CamLayerInfo) adopted =
		cam_store_adopt_upper(self->store->store, upper, NULL, NULL, &error);
	g_assert_no_error(error);
	if (geteuid() == 0)
		g_assert_cmpuint(adopted->new_objects, ==, 0);
	damage_file(self, adopted->diff_id, "etc/top");
	g_autofree char *subject = g_strconcat("layer ", adopted->diff_id, NULL);
	g_autoptr(GPtrArray) restored = repair(self);
	g_assert_cmpstr(find_outcome(restored, "image shop:1")->problem, ==, NULL);
	g_assert_cmpstr(find_outcome(restored, subject)->problem, ==, NULL);
	g_assert_true(cam_store_has_layer(self->store->store, adopted->diff_id));
	assert_whole(self);
}

/* What a running container may use of a damaged layer outlives a gc before the repair. */
static void
test_gc_between(Fixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_auto(CamVerifyResult) result = { 0 };
	CamGcResult collected;

	damage_file(self, self->top, "etc/top");
	g_assert_true(cam_store_verify(self->store->store, TRUE, NULL, &result, NULL, &error));
	g_assert_true(cam_store_gc(self->store->store, FALSE, NULL, &collected, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(collected.layers, ==, 0);
	g_autoptr(GPtrArray) restored =
		cam_store_restore(self->store->store, &result, NULL, NULL, NULL, NULL, &error);
	g_assert_cmpstr(find_outcome(restored, "image shop:1")->problem, ==, NULL);
	assert_whole(self);
}

#define ADD(name, func) g_test_add("/image-restore/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("layer", test_layer);
	ADD("documents", test_documents);
	ADD("own-blob", test_own_blob);
	ADD("source-gone", test_source_gone);
	ADD("source-moved-on", test_source_moved_on);
	ADD("source-damaged", test_source_damaged);
	ADD("shared-layer", test_shared_layer);
	ADD("layer-of-no-image", test_layer_of_no_image);
	ADD("adopted-layer", test_adopted_layer);
	ADD("gc-between", test_gc_between);
	return g_test_run();
}
