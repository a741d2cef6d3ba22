/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One image through every transport that lives in the file system: what goes in comes out, and
 * what is damaged does not. */
#include "snapshotter/transport/image-transport.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "snapshotter/base/archive.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest.h"

#define LAYER "not a tar, but nobody looks"

typedef struct {
	char *directory;
	CamDescriptor *layer, *config;
	GBytes *config_bytes, *manifest;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autofree char *digest = cam_digest_for_data(LAYER, strlen(LAYER));
	g_autofree char *config = g_strdup_printf(
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"%s\"]}}",
		digest);
	g_autofree char *config_digest = cam_digest_for_data(config, strlen(config));
	g_autofree char *manifest = NULL;

	f->directory = g_dir_make_tmp("cam-transport-XXXXXX", NULL);
	f->layer = cam_descriptor_new(CAM_MEDIA_TYPE_OCI_LAYER, digest, (gint64) strlen(LAYER));
	f->config = cam_descriptor_new(CAM_MEDIA_TYPE_OCI_CONFIG, config_digest,
				       (gint64) strlen(config));
	f->config_bytes = g_bytes_new(config, strlen(config));
	manifest = g_strdup_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%"
		"s\","
		"\"size\":%zu}]}",
		CAM_MEDIA_TYPE_OCI_MANIFEST, CAM_MEDIA_TYPE_OCI_CONFIG, config_digest,
		strlen(config), CAM_MEDIA_TYPE_OCI_LAYER, digest, strlen(LAYER));
	f->manifest = g_bytes_new(manifest, strlen(manifest));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_assert_true(cam_remove_tree_at(AT_FDCWD, f->directory, NULL));
	g_free(f->directory);
	cam_descriptor_free(f->layer);
	cam_descriptor_free(f->config);
	g_bytes_unref(f->config_bytes);
	g_bytes_unref(f->manifest);
}

static CamImageTransport *
open_at(Fixture *f, const char *prefix, const char *name, gboolean writable, GError **error)
{
	g_autofree char *text = g_strdup_printf("%s:%s/image%s%s", prefix, f->directory,
						name != NULL ? ":" : "", name != NULL ? name : "");
	g_autoptr(CamLocation) location = cam_location_parse(text, error);

	g_assert_no_error(*error);
	return cam_image_transport_open(location, writable, NULL, NULL, error);
}

static gboolean
put(CamImageTransport *transport, const CamDescriptor *descriptor, gconstpointer data, gsize size,
    GError **error)
{
	g_autoptr(GInputStream) content =
		g_memory_input_stream_new_from_data(data, (gssize) size, NULL);

	return cam_image_transport_put_blob(transport, descriptor, content, NULL, error);
}

static void
write_image(Fixture *f, const char *prefix, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_at(f, prefix, name, TRUE, &error);
	gboolean present = TRUE;

	g_assert_no_error(error);
	g_assert_true(
		cam_image_transport_has_blob(transport, f->layer, NULL, &present, NULL, &error));
	if (!present)
		g_assert_true(put(transport, f->layer, LAYER, strlen(LAYER), &error));
	g_assert_true(
		cam_image_transport_has_blob(transport, f->layer, NULL, &present, NULL, &error));
	g_assert_true(present);
	g_assert_true(put(transport, f->config, g_bytes_get_data(f->config_bytes, NULL),
			  g_bytes_get_size(f->config_bytes), &error));
	g_assert_true(cam_image_transport_put_manifest(
		transport, f->manifest, CAM_MEDIA_TYPE_OCI_MANIFEST, name, NULL, &error));
	g_assert_no_error(error);
	g_assert_true(cam_image_transport_commit(transport, NULL, &error));
	g_assert_no_error(error);
}

static void
assert_holds_image(Fixture *f, const char *prefix, const char *name, const char *suggested)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_at(f, prefix, name, FALSE, &error);
	g_autofree char *media_type = NULL;
	g_autofree char *called = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GBytes) layer = NULL;
	g_autoptr(CamManifest) manifest = NULL;

	g_assert_no_error(error);
	bytes = cam_image_transport_get_manifest(transport, NULL, &media_type, NULL, &error);
	g_assert_no_error(error);
	manifest = cam_manifest_parse(bytes, media_type, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(manifest->config->digest, ==, f->config->digest);
	layer = cam_image_transport_get_blob(transport, g_ptr_array_index(manifest->layers, 0),
					     1000, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(layer, NULL), g_bytes_get_size(layer), LAYER,
			strlen(LAYER));
	called = cam_image_transport_suggest_name(transport, NULL);
	g_assert_cmpstr(called, ==, suggested);
	g_assert_false(cam_image_transport_is_writable(transport));
}

static void
test_round_trip(Fixture *f, gconstpointer data)
{
	const char *prefix = data;
	gboolean docker = g_str_equal(prefix, "docker-archive");
	const char *name = docker ? "h.example/a:1.0" : "1.0";
	const char *suggested = docker ? name : "image:1.0";
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = NULL;

	write_image(f, prefix, name);
	assert_holds_image(f, prefix, name, suggested);
	assert_holds_image(f, prefix, NULL, suggested);
	assert_holds_image(f, prefix, "1.0", suggested);
	transport = open_at(f, prefix, "nope", FALSE, &error);
	g_assert_null(cam_image_transport_get_manifest(transport, NULL, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "1.0"));
}

/* Until it is committed there is nothing, and what is wrong never gets there. */
static void
test_refuses(Fixture *f, gconstpointer data)
{
	const char *prefix = data;
	g_autofree char *path = g_build_filename(f->directory, "image", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = open_at(f, prefix, "1.0", TRUE, &error);
	gboolean present = TRUE;

	g_assert_no_error(error);
	g_assert_false(put(transport, f->layer, "not a tar, but somebody looks", 29, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_clear_object(&transport);
	if (!g_str_equal(prefix, "oci"))
		g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	transport = open_at(f, prefix, "1.0", TRUE, &error);
	g_assert_true(
		cam_image_transport_has_blob(transport, f->layer, NULL, &present, NULL, &error));
	g_assert_false(present);
	g_assert_false(put(transport, f->layer, LAYER, strlen(LAYER) - 1, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_clear_object(&transport);
	transport = open_at(f, prefix, "1.0", FALSE, &error);
	g_assert_null(transport);
	g_assert_true(error->domain == CAM_ERROR);
}

/* A layout keeps other names and foreign members; a name moves. */
static void
test_layout_names(Fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->directory, "image", "index.json", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(JsonObject) json = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = NULL;
	g_autofree char *digest = NULL;

	write_image(f, "oci", "a");
	write_image(f, "oci", "b");
	write_image(f, "oci", "a");
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	bytes = g_bytes_new(text, strlen(text));
	json = cam_json_parse_object(bytes, 10000, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(json_array_get_length(cam_json_get_array(json, "manifests")), ==, 2);
	transport = open_at(f, "oci", NULL, FALSE, &error);
	g_assert_null(cam_image_transport_get_manifest(transport, NULL, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_true(cam_image_transport_resolve_tag(transport, "b", &digest, NULL, &error));
	g_assert_nonnull(digest);
	g_free(digest);
	g_assert_true(cam_image_transport_resolve_tag(transport, "c", &digest, NULL, &error));
	g_assert_null(digest);
}

/* A blob that was changed on disk is found out when it is read. */
static void
test_layout_damaged(Fixture *f, gconstpointer data)
{
	g_autofree char *blob = g_build_filename(f->directory, "image", "blobs", "sha256",
						 cam_digest_hex(f->layer->digest), NULL);
	g_autofree char *manifest_digest = cam_digest_for_bytes(f->manifest);
	g_autofree char *manifest = g_build_filename(f->directory, "image", "blobs", "sha256",
						     cam_digest_hex(manifest_digest), NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageTransport) transport = NULL;

	write_image(f, "oci", "a");
	g_assert_true(g_file_set_contents(blob, "not a tar, but nobody lOOks", -1, NULL));
	transport = open_at(f, "oci", "a", FALSE, &error);
	g_assert_null(cam_image_transport_get_blob(transport, f->layer, 1000, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_assert_null(cam_image_transport_get_blob(transport, f->layer, 10, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(manifest, "{}", -1, NULL));
	g_assert_null(
		cam_image_transport_get_manifest(transport, manifest_digest, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_assert_cmpint(g_unlink(blob), ==, 0);
	g_assert_cmpint(symlink("/etc/hostname", blob), ==, 0);
	g_assert_null(cam_image_transport_get_blob(transport, f->layer, 1000, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
}

/* Archives as docker and others write them: links to layers that stand once, compressed layers,
 * several images. */
static void
write_docker_archive(Fixture *f, const char *manifest)
{
	g_autofree char *path = g_build_filename(f->directory, "image", NULL);
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GFileOutputStream) out =
		g_file_replace(file, NULL, FALSE, G_FILE_CREATE_NONE, NULL, &error);
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(G_OUTPUT_STREAM(out), &error);
	g_autoptr(GBytes) layer = g_bytes_new_static(LAYER, strlen(LAYER));
	g_autoptr(GBytes) json = g_bytes_new(manifest, strlen(manifest));

	g_assert_no_error(error);
	g_assert_true(cam_archive_writer_add_bytes(writer, "one/layer.tar", layer, 0644, 0, NULL));
	g_assert_true(cam_archive_writer_add_symlink(writer, "two/layer.tar", "../one/layer.tar", 0,
						     NULL));
	g_assert_true(cam_archive_writer_add_symlink(writer, "loop", "loop", 0, NULL));
	g_assert_true(cam_archive_writer_add_symlink(writer, "out", "../../etc/passwd", 0, NULL));
	g_assert_true(
		cam_archive_writer_add_bytes(writer, "./c.json", f->config_bytes, 0644, 0, NULL));
	g_assert_true(cam_archive_writer_add_bytes(writer, "manifest.json", json, 0644, 0, NULL));
	g_assert_true(cam_archive_writer_finish(writer, &error));
}

static void
test_docker_archive(Fixture *f, gconstpointer data)
{
	write_docker_archive(
		f, "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"h.example/b/c:2\"],"
		   "\"Layers\":[\"two/layer.tar\"]},"
		   "{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"one/layer.tar\"]}]");
	assert_holds_image(f, "docker-archive", "a:1", "a:1");
	assert_holds_image(f, "docker-archive", "c:2", "a:1");
	assert_holds_image(f, "docker-archive", "2", "a:1");
}

static void
test_bad_docker_archives(Fixture *f, gconstpointer data)
{
	static const char *const manifests[] = {
		"",
		"{}",
		"[",
		"[7]",
		"[{}]",
		"[]",
		"[{\"Config\":7}]",
		"[{\"Config\":\"absent.json\",\"Layers\":[]}]",
		"[{\"Config\":\"c.json\",\"Layers\":[]}]",
		"[{\"Config\":\"c.json\",\"Layers\":[7]}]",
		"[{\"Config\":\"c.json\",\"Layers\":\"one/layer.tar\"}]",
		"[{\"Config\":\"c.json\",\"Layers\":[\"loop\"]}]",
		"[{\"Config\":\"c.json\",\"Layers\":[\"out\"]}]",
		"[{\"Config\":\"c.json\",\"Layers\":[\"../one/layer.tar\"]}]",
		"[{\"Config\":\"one/layer.tar\",\"Layers\":[\"one/layer.tar\"]}]",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(manifests); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamImageTransport) transport = NULL;

		g_test_message("%s", manifests[i]);
		write_docker_archive(f, manifests[i]);
		transport = open_at(f, "docker-archive", NULL, FALSE, &error);
		if (transport != NULL)
			g_assert_null(cam_image_transport_get_manifest(transport, NULL, NULL, NULL,
								       &error));
		g_assert_true(error != NULL && error->domain == CAM_ERROR);
	}
}

static void
test_not_for_images(void)
{
	static const struct {
		const char *text;
		CamError code;
	} cases[] = {
		{ "some-image:1.0", CAM_ERROR_INVALID_ARGUMENT },
		{ "oci:/nonexistent/layout", CAM_ERROR_NOT_FOUND },
		{ "oci-archive:/nonexistent.tar", CAM_ERROR_NOT_FOUND },
		{ "docker-archive:/etc/passwd", CAM_ERROR_INVALID_ARGUMENT },
		{ "oci:/etc", CAM_ERROR_NOT_FOUND },
		{ "containerd://k8s.io/a:1", CAM_ERROR_UNIMPLEMENTED },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamLocation) location = cam_location_parse(cases[i].text, &error);

		g_assert_no_error(error);
		g_assert_null(cam_image_transport_open(location, FALSE, NULL, NULL, &error));
		g_test_message("%s", error->message);
		g_assert_error(error, CAM_ERROR, (int) cases[i].code);
	}
}

int
main(int argc, char **argv)
{
	static const char *const prefixes[] = { "oci", "oci-archive", "docker-archive" };

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		g_autofree char *round_trip =
			g_strdup_printf("/transport/%s/round-trip", prefixes[i]);
		g_autofree char *refuses = g_strdup_printf("/transport/%s/refuses", prefixes[i]);

		g_test_add(round_trip, Fixture, prefixes[i], set_up, test_round_trip, tear_down);
		g_test_add(refuses, Fixture, prefixes[i], set_up, test_refuses, tear_down);
	}
	g_test_add("/transport/oci/names", Fixture, NULL, set_up, test_layout_names, tear_down);
	g_test_add("/transport/oci/damaged", Fixture, NULL, set_up, test_layout_damaged, tear_down);
	g_test_add("/transport/docker-archive/forms", Fixture, NULL, set_up, test_docker_archive,
		   tear_down);
	g_test_add("/transport/docker-archive/bad", Fixture, NULL, set_up, test_bad_docker_archives,
		   tear_down);
	g_test_add_func("/transport/open/refuses", test_not_for_images);
	return g_test_run();
}
