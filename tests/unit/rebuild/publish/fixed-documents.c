/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config, manifest and index of a fixed image: what changes, and that nothing else does. */
#include "rebuild/publish/fixed-documents.h"

#include <string.h>

#define EPOCH 1700000000 /* 2023-11-14T22:13:20Z */

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST_C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define DIGEST_D "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static CamFixedLayer *
make_layer(const char *media_type)
{
	CamFixedLayer *layer = g_new0(CamFixedLayer, 1);

	layer->diff_id = g_strdup(DIGEST_C);
	layer->blob = cam_descriptor_new(media_type, DIGEST_D, 123);
	layer->epoch = EPOCH;
	layer->created_by = g_strdup("cambium fix zlib1g=1.2");
	return layer;
}

static void
assert_text(GBytes *bytes, const char *expected)
{
	g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

	g_assert_cmpstr(text, ==, expected);
}

static CamImageConfig *
parse_config(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	CamImageConfig *config = cam_image_config_parse(bytes, &error);

	g_assert_no_error(error);
	return config;
}

static CamManifest *
parse_manifest(const char *text, const char *media_type)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	CamManifest *manifest = cam_manifest_parse(bytes, media_type, &error);

	g_assert_no_error(error);
	return manifest;
}

/* ---- config ---- */

#define CONFIG(created, diff_ids, history)                                         \
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"" created      \
	"\",\"x-foreign\":{\"deep\":[1,2.5,null]},\"config\":{\"Env\":[\"A=b\"]}," \
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" diff_ids "]}" history "}"

static void
test_config(void)
{
	g_autoptr(CamImageConfig) original = parse_config(
		CONFIG("2020-01-01T00:00:00Z", "\"" DIGEST_A "\"",
		       ",\"history\":[{\"created_by\":\"base\"},{\"empty_layer\":true}]"));
	g_autoptr(CamFixedLayer) layer = make_layer(CAM_MEDIA_TYPE_OCI_LAYER_GZIP);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) config = cam_fixed_config(original, layer, &error);

	g_assert_no_error(error);
	assert_text(config,
		    CONFIG("2023-11-14T22:13:20Z", "\"" DIGEST_A "\",\"" DIGEST_C "\"",
			   ",\"history\":[{\"created_by\":\"base\"},{\"empty_layer\":true},"
			   "{\"created\":\"2023-11-14T22:13:20Z\","
			   "\"created_by\":\"cambium fix zlib1g=1.2\",\"comment\":\"cambium\"}]"));
}

/* An entry for the last layer alone would be taken for the first layer's. */
static void
test_config_without_history(void)
{
	g_autoptr(CamImageConfig) original =
		parse_config(CONFIG("2020-01-01T00:00:00Z", "\"" DIGEST_A "\"", ""));
	g_autoptr(CamFixedLayer) layer = make_layer(CAM_MEDIA_TYPE_OCI_LAYER_GZIP);
	g_autoptr(GBytes) config = cam_fixed_config(original, layer, NULL);

	assert_text(config,
		    CONFIG("2023-11-14T22:13:20Z", "\"" DIGEST_A "\",\"" DIGEST_C "\"", ""));
}

/* ---- manifest ---- */

#define MANIFEST(type, config_type, config, layer_type, more_layers, annotations)                  \
	"{\"schemaVersion\":2,\"mediaType\":\"" type "\",\"config\":{\"mediaType\":\"" config_type \
	"\"," config "},\"layers\":[{\"mediaType\":\"" layer_type "\",\"digest\":\"" DIGEST_A      \
	"\",\"size\":7,\"urls\":[\"x\"]}" more_layers "]" annotations "}"

static void
test_oci_manifest(void)
{
	g_autoptr(CamManifest) original = parse_manifest(
		MANIFEST(CAM_MEDIA_TYPE_OCI_MANIFEST, CAM_MEDIA_TYPE_OCI_CONFIG,
			 "\"digest\":\"" DIGEST_B "\",\"size\":9,\"data\":\"b2xk\"",
			 CAM_MEDIA_TYPE_OCI_LAYER_GZIP, "",
			 ",\"annotations\":{\"a\":\"b\","
			 "\"org.opencontainers.image.base.name\":\"debian:12\","
			 "\"org.opencontainers.image.created\":\"2020-01-01T00:00:00Z\"}"),
		CAM_MEDIA_TYPE_OCI_MANIFEST);
	g_autoptr(CamFixedLayer) layer = make_layer(CAM_MEDIA_TYPE_OCI_LAYER_GZIP);
	g_autoptr(GBytes) config = g_bytes_new_static("{}", 2);
	g_autofree char *config_digest = cam_digest_for_bytes(config);
	g_autofree char *expected = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) manifest =
		cam_fixed_manifest(original, config, layer, "shop:1.0", &error);

	g_assert_no_error(error);
	expected = g_strdup_printf(
		MANIFEST(CAM_MEDIA_TYPE_OCI_MANIFEST, CAM_MEDIA_TYPE_OCI_CONFIG,
			 "\"digest\":\"%s\",\"size\":2", CAM_MEDIA_TYPE_OCI_LAYER_GZIP,
			 ",{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER_GZIP
			 "\",\"digest\":\"" DIGEST_D "\",\"size\":123}",
			 ",\"annotations\":{\"a\":\"b\","
			 "\"org.opencontainers.image.base.name\":\"shop:1.0\","
			 "\"org.opencontainers.image.created\":\"2023-11-14T22:13:20Z\","
			 "\"org.opencontainers.image.base.digest\":\"%s\"}"),
		config_digest, original->digest);
	assert_text(manifest, expected);
}

static void
test_docker_manifest(void)
{
	g_autoptr(CamManifest) original = parse_manifest(
		MANIFEST(CAM_MEDIA_TYPE_DOCKER_MANIFEST, CAM_MEDIA_TYPE_DOCKER_CONFIG,
			 "\"digest\":\"" DIGEST_B "\",\"size\":9", CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP,
			 "", ""),
		CAM_MEDIA_TYPE_DOCKER_MANIFEST);
	g_autoptr(CamFixedLayer) layer = make_layer(CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP);
	g_autoptr(GBytes) config = g_bytes_new_static("{}", 2);
	g_autoptr(GBytes) bytes = cam_fixed_manifest(original, config, layer, "shop:1.0", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamManifest) manifest =
		cam_manifest_parse(bytes, CAM_MEDIA_TYPE_DOCKER_MANIFEST, &error);
	const CamDescriptor *top;

	g_assert_no_error(error);
	g_assert_cmpuint(manifest->layers->len, ==, 2);
	top = manifest->layers->pdata[1];
	g_assert_cmpstr(top->media_type, ==, CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP);
	g_assert_cmpstr(manifest->config->media_type, ==, CAM_MEDIA_TYPE_DOCKER_CONFIG);
	g_assert_false(json_object_has_member(manifest->json, "annotations"));
}

static void
test_media_types(void)
{
	static const struct {
		const char *manifest, *config, *layer, *expected;
	} cases[] = {
		{ CAM_MEDIA_TYPE_OCI_MANIFEST, CAM_MEDIA_TYPE_OCI_CONFIG,
		  CAM_MEDIA_TYPE_OCI_LAYER_GZIP, CAM_MEDIA_TYPE_OCI_LAYER_GZIP },
		{ CAM_MEDIA_TYPE_OCI_MANIFEST, CAM_MEDIA_TYPE_OCI_CONFIG,
		  CAM_MEDIA_TYPE_OCI_LAYER_ZSTD, CAM_MEDIA_TYPE_OCI_LAYER_ZSTD },
		{ CAM_MEDIA_TYPE_OCI_MANIFEST, CAM_MEDIA_TYPE_OCI_CONFIG, CAM_MEDIA_TYPE_OCI_LAYER,
		  CAM_MEDIA_TYPE_OCI_LAYER_GZIP },
		{ CAM_MEDIA_TYPE_DOCKER_MANIFEST, CAM_MEDIA_TYPE_DOCKER_CONFIG,
		  CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP, CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP },
		{ CAM_MEDIA_TYPE_DOCKER_MANIFEST, CAM_MEDIA_TYPE_DOCKER_CONFIG,
		  CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD, CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf(
			MANIFEST("%s", "%s", "\"digest\":\"" DIGEST_B "\",\"size\":9", "%s", "",
				 ""),
			cases[i].manifest, cases[i].config, cases[i].layer);
		g_autoptr(CamManifest) manifest = parse_manifest(text, cases[i].manifest);

		g_assert_cmpstr(
			cam_fixed_layer_media_type(manifest, cam_fixed_layer_compression(manifest)),
			==, cases[i].expected);
	}
}

/* ---- index ---- */

#define CHILD(digest, size, rest)                                                 \
	"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST "\",\"digest\":\"" digest \
	"\",\"size\":" size rest "}"
#define PLATFORM(arch) ",\"platform\":{\"architecture\":\"" arch "\",\"os\":\"linux\"}"
#define ATTESTATION(of)                                                 \
	",\"annotations\":{\"vnd.docker.reference.digest\":\"" of "\"," \
	"\"vnd.docker.reference.type\":\"attestation-manifest\"}" PLATFORM("unknown")
#define INDEX(children)                                                  \
	"{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX \
	"\",\"manifests\":[" children "],\"annotations\":{\"k\":\"v\"}}"

static void
test_index(void)
{
	static const char text[] =
		INDEX(CHILD(DIGEST_A, "5", PLATFORM("amd64") ",\"x\":1") "," CHILD(
			DIGEST_B, "6",
			PLATFORM(
				"arm64")) "," CHILD(DIGEST_C, "7",
						    ATTESTATION(
							    DIGEST_A)) "," CHILD(DIGEST_D, "8",
										 ATTESTATION(
											 DIGEST_B)));
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GBytes) manifest = g_bytes_new_static("new manifest", 12);
	g_autofree char *digest = cam_digest_for_bytes(manifest);
	g_autofree char *expected = NULL;
	g_autoptr(GBytes) fixed = NULL, none = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(CamIndex) index = cam_index_parse(bytes, CAM_MEDIA_TYPE_OCI_INDEX, &error);

	g_assert_no_error(error);
	fixed = cam_fixed_index(index, DIGEST_A, manifest, &error);
	g_assert_no_error(error);
	expected = g_strdup_printf(
		INDEX(CHILD("%s", "12", PLATFORM("amd64") ",\"x\":1") "," CHILD(
			DIGEST_B, "6", PLATFORM("arm64")) "," CHILD(DIGEST_D, "8",
								    ATTESTATION(DIGEST_B))),
		digest);
	assert_text(fixed, expected);
	none = cam_fixed_index(index, digest, manifest, &error);
	g_assert_null(none);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_FAILED_PRECONDITION);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fixed-documents/config", test_config);
	g_test_add_func("/fixed-documents/config-without-history", test_config_without_history);
	g_test_add_func("/fixed-documents/oci-manifest", test_oci_manifest);
	g_test_add_func("/fixed-documents/docker-manifest", test_docker_manifest);
	g_test_add_func("/fixed-documents/media-types", test_media_types);
	g_test_add_func("/fixed-documents/index", test_index);
	return g_test_run();
}
