/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manifests, indexes and configs: the examples of OCI image-spec, and documents made to confuse. */
#include "snapshotter/oci/manifest.h"

#include <string.h>

#include "snapshotter/oci/image-config.h"
#include "snapshotter/oci/index.h"

#define D1 "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7"
#define D2 "sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"
#define CONFIG                                                                         \
	"\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG "\",\"digest\":\"" D1 \
	"\",\"size\":7023}"
#define LAYER                                                                   \
	"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER_GZIP "\",\"digest\":\"" D2 \
	"\",\"size\":32654,\"x-foreign\":[1,2]}"
#define MANIFEST                                                                         \
	"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\"," CONFIG \
	",\"layers\":[" LAYER "],\"annotations\":{\"a\":\"b\"},\"x-other\":null}"

static GBytes *
bytes_of(const char *text)
{
	return g_bytes_new(text, strlen(text));
}

static void
test_manifest(void)
{
	g_autoptr(GBytes) bytes = bytes_of(MANIFEST);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamManifest) manifest = cam_manifest_parse(bytes, NULL, &error);
	g_autofree char *digest = cam_digest_for_bytes(bytes);
	const CamDescriptor *layer;
	g_autoptr(CamDescriptor) copy = NULL;

	g_assert_no_error(error);
	g_assert_cmpstr(manifest->media_type, ==, CAM_MEDIA_TYPE_OCI_MANIFEST);
	g_assert_cmpstr(manifest->digest, ==, digest);
	g_assert_cmpstr(manifest->config->digest, ==, D1);
	g_assert_cmpint(manifest->config->size, ==, 7023);
	g_assert_cmpuint(manifest->layers->len, ==, 1);
	layer = g_ptr_array_index(manifest->layers, 0);
	g_assert_cmpint(layer->size, ==, 32654);
	g_assert_true(json_object_has_member(layer->json, "x-foreign"));
	g_assert_true(json_object_has_member(manifest->json, "x-other"));

	copy = cam_descriptor_copy(layer);
	cam_descriptor_set_annotation(copy, "k", "v");
	g_assert_cmpstr(cam_descriptor_get_annotation(copy, "k"), ==, "v");
	g_assert_null(cam_descriptor_get_annotation(layer, "k"));
}

/* The media type that it came as counts only where the document has none. */
static void
test_media_types(void)
{
	const char *plain = "{\"schemaVersion\":2," CONFIG ",\"layers\":null}";
	g_autoptr(GBytes) bytes = bytes_of(plain);
	g_autoptr(GBytes) typed = bytes_of(MANIFEST);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamManifest) docker =
		cam_manifest_parse(bytes, CAM_MEDIA_TYPE_DOCKER_MANIFEST, &error);
	g_autoptr(CamManifest) unknown = cam_manifest_parse(bytes, "text/plain", &error);
	g_autoptr(CamManifest) own =
		cam_manifest_parse(typed, CAM_MEDIA_TYPE_DOCKER_MANIFEST, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(docker->media_type, ==, CAM_MEDIA_TYPE_DOCKER_MANIFEST);
	g_assert_cmpuint(docker->layers->len, ==, 0);
	g_assert_cmpstr(unknown->media_type, ==, CAM_MEDIA_TYPE_OCI_MANIFEST);
	g_assert_cmpstr(own->media_type, ==, CAM_MEDIA_TYPE_OCI_MANIFEST);
	g_assert_null(cam_manifest_parse(bytes, CAM_MEDIA_TYPE_OCI_INDEX, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
}

/* What a registry calls a document does not count where the document says it, or shows it. */
static void
test_type_of_document(void)
{
	const char *index = "{\"schemaVersion\":2,\"manifests\":[]}";
	const char *plain = "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}";
	const struct {
		const char *document, *hint, *type;
	} cases[] = {
		{ MANIFEST, "text/html", CAM_MEDIA_TYPE_OCI_MANIFEST },
		{ MANIFEST, CAM_MEDIA_TYPE_DOCKER_INDEX, CAM_MEDIA_TYPE_OCI_MANIFEST },
		{ index, "application/octet-stream", CAM_MEDIA_TYPE_OCI_INDEX },
		{ index, CAM_MEDIA_TYPE_DOCKER_INDEX, CAM_MEDIA_TYPE_DOCKER_INDEX },
		{ index, NULL, CAM_MEDIA_TYPE_OCI_INDEX },
		{ plain, "text/plain", CAM_MEDIA_TYPE_OCI_MANIFEST },
		{ index, CAM_MEDIA_TYPE_OCI_MANIFEST, NULL },
		{ plain, CAM_MEDIA_TYPE_OCI_INDEX, NULL },
		{ "{\"schemaVersion\":2}", CAM_MEDIA_TYPE_OCI_INDEX, NULL },
		{ "{\"schemaVersion\":2," CONFIG ",\"manifests\":null}", NULL, NULL },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX
		  "\",\"layers\":[]}",
		  NULL, NULL },
		{ "{\"schemaVersion\":2,\"mediaType\":7,\"layers\":[]}", NULL, NULL },
		{ "<html>", "text/html", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes = bytes_of(cases[i].document);
		g_autoptr(GError) error = NULL;
		g_autofree char *type = cam_manifest_media_type(bytes, cases[i].hint, &error);

		g_assert_cmpstr(type, ==, cases[i].type);
		if (type == NULL)
			g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
}

static void
test_bad_manifests(void)
{
	static const char *const bad[] = {
		"{}",
		"{\"schemaVersion\":\"2\"," CONFIG ",\"layers\":[]}",
		"{\"schemaVersion\":3," CONFIG ",\"layers\":[]}",
		"{\"schemaVersion\":2,\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":[],\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":{},\"layers\":[]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":{}}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[1]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"size\":1}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" D1
		"\"}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" D1
		"\",\"size\":-1}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" D1
		"\",\"size\":99999999999999999999}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" D1
		"\",\"size\":1.0}]}",
		"{\"schemaVersion\":2," CONFIG
		",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"../x\",\"size\":1}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}",
		"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX "\"," CONFIG
		",\"layers\":[]}",
		"{\"schemaVersion\":2,\"mediaType\":\"a/b\"," CONFIG ",\"layers\":[]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"Layers\":[]}",
		"{\"schemaVersion\":2," CONFIG ",\"Layers\":[]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" D1
		"\",\"size\":1,\"Size\":2}]}",
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" D1
		"\",\"size\":1,\"platform\":{\"OS\":\"linux\"}}]}",
		"{\"schemaVersion\":2,\"mediaType\":7," CONFIG ",\"layers\":[]}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GBytes) bytes = bytes_of(bad[i]);
		g_autoptr(GError) error = NULL;

		g_test_message("%s", bad[i]);
		g_assert_null(cam_manifest_parse(bytes, NULL, &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
}

static void
test_schema_1(void)
{
	g_autoptr(GBytes) bytes = bytes_of("{\"schemaVersion\":1,\"name\":\"a\",\"fsLayers\":[]}");
	g_autoptr(GError) error = NULL;

	g_assert_null(cam_manifest_parse(bytes, NULL, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_UNIMPLEMENTED);
}

static void
test_truncated(void)
{
	for (gsize n = 0; n < strlen(MANIFEST); n++) {
		g_autofree char *cut = g_memdup2(MANIFEST, n);
		g_autoptr(GBytes) bytes = g_bytes_new_static(cut, n);
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_manifest_parse(bytes, NULL, &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
}

#define ENTRY(platform, extra)                                                \
	"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\",\"digest\":\"" D1 \
	"\",\"size\":1" platform extra "}"
#define PLATFORM(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"

static CamIndex *
index_of(const char *entries)
{
	g_autofree char *text = g_strdup_printf("{\"schemaVersion\":2,\"mediaType\":\"%s\","
						"\"manifests\":[%s]}",
						CAM_MEDIA_TYPE_OCI_INDEX, entries);
	g_autoptr(GBytes) bytes = bytes_of(text);
	g_autoptr(GError) error = NULL;
	CamIndex *index = cam_index_parse(bytes, CAM_MEDIA_TYPE_OCI_INDEX, &error);

	g_assert_no_error(error);
	return index;
}

static void
test_select(void)
{
	g_autoptr(CamIndex) index = index_of(ENTRY(
		PLATFORM("linux", "amd64"),
		",\"annotations\":{\"vnd.docker.reference.type\":"
		"\"attestation-manifest\"}") "," ENTRY(PLATFORM("linux", "arm64"),
						       "") "," ENTRY(PLATFORM("linux", "amd64"),
								     ""));
	g_autoptr(CamPlatform) amd64 = cam_platform_parse("linux/amd64", NULL);
	g_autoptr(CamPlatform) s390x = cam_platform_parse("linux/s390x", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(cam_index_select(index, amd64, &error) ==
		      g_ptr_array_index(index->manifests, 2));
	g_assert_null(cam_index_select(index, s390x, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "linux/arm64, linux/amd64"));
}

static void
test_select_without_platform(void)
{
	g_autoptr(CamIndex) one = index_of(ENTRY("", ""));
	g_autoptr(CamIndex) two = index_of(ENTRY("", "") "," ENTRY("", ""));
	g_autoptr(CamIndex) none = index_of("");
	g_autoptr(CamPlatform) amd64 = cam_platform_parse("linux/amd64", NULL);

	g_assert_nonnull(cam_index_select(one, amd64, NULL));
	g_assert_null(cam_index_select(two, amd64, NULL));
	g_assert_null(cam_index_select(none, amd64, NULL));
}

static void
test_config(void)
{
	g_autoptr(GBytes) bytes = bytes_of(
		"{\"created\":\"2015-10-31T22:22:56.015925234Z\",\"architecture\":\"amd64\","
		"\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2
		"\"]},\"history\":[{\"created_by\":\"ADD\"},{\"created_by\":\"CMD\","
		"\"empty_layer\":true},7,{\"created_by\":\"RUN\"}]}");
	g_autoptr(GError) error = NULL;
	g_autoptr(CamImageConfig) config = cam_image_config_parse(bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(config->diff_ids->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(config->diff_ids, 1), ==, D2);
	g_assert_cmpuint(config->history->len, ==, 3);
	g_assert_cmpstr(cam_image_config_layer_created_by(config, 0), ==, "ADD");
	g_assert_cmpstr(cam_image_config_layer_created_by(config, 1), ==, "RUN");
	g_assert_null(cam_image_config_layer_created_by(config, 2));
	g_assert_cmpstr(config->platform->architecture, ==, "amd64");
}

static void
test_bad_configs(void)
{
	static const char *const bad[] = {
		"{}",
		"{\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\"}}",
		"{\"architecture\":\"\",\"os\":\"\",\"rootfs\":{\"type\":\"layers\"}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\"}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"x\"}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":{}}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[7]}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"sha256:xyz\"]}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[],\"Diff_Ids\":[]}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"RootFS\":{\"type\":\"layers\"}}",
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\"},"
		"\"config\":{\"user\":\"root\"}}",
		"{\"architecture\":\"amd64\",\"os\":5,\"rootfs\":{\"type\":\"layers\"}}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GBytes) bytes = bytes_of(bad[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_image_config_parse(bytes, &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/manifest/example", test_manifest);
	g_test_add_func("/oci/manifest/media-types", test_media_types);
	g_test_add_func("/oci/manifest/type-of-document", test_type_of_document);
	g_test_add_func("/oci/manifest/bad", test_bad_manifests);
	g_test_add_func("/oci/manifest/schema-1", test_schema_1);
	g_test_add_func("/oci/manifest/truncated", test_truncated);
	g_test_add_func("/oci/index/select", test_select);
	g_test_add_func("/oci/index/select-without-platform", test_select_without_platform);
	g_test_add_func("/oci/config/example", test_config);
	g_test_add_func("/oci/config/bad", test_bad_configs);
	return g_test_run();
}
