/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "plugin/containerd/containerd-transport.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"

static GHashTable *
labels_of(const char *document, const char *media_type)
{
	g_autoptr(GBytes) bytes = g_bytes_new(document, strlen(document));
	g_autoptr(GError) error = NULL;
	GHashTable *labels = cam_containerd_child_labels(bytes, media_type, &error);

	g_assert_no_error(error);
	return labels;
}

/* The labels that `ctr images import` gave such a manifest. */
static void
test_manifest(void)
{
	g_autoptr(GHashTable) labels = labels_of(
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG
		"\",\"digest\":\"" D1
		"\",\"size\":2},\"layers\":[{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER_GZIP
		"\",\"digest\":\"" D2 "\",\"size\":2},"
		"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER_ZSTD "\",\"digest\":\"" D3
		"\",\"size\":2}]}",
		CAM_MEDIA_TYPE_OCI_MANIFEST);

	g_assert_cmpuint(g_hash_table_size(labels), ==, 3);
	g_assert_cmpstr(g_hash_table_lookup(labels, "containerd.io/gc.ref.content.config"), ==, D1);
	g_assert_cmpstr(g_hash_table_lookup(labels, "containerd.io/gc.ref.content.l.0"), ==, D2);
	g_assert_cmpstr(g_hash_table_lookup(labels, "containerd.io/gc.ref.content.l.1"), ==, D3);
}

static void
test_index(void)
{
	g_autoptr(GHashTable) labels = labels_of(
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST
		"\",\"digest\":\"" D1 "\",\"size\":2},"
		"{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_INDEX "\",\"digest\":\"" D2
		"\",\"size\":2},{\"mediaType\":\"" CAM_MEDIA_TYPE_DOCKER_MANIFEST
		"\",\"digest\":\"" D3 "\",\"size\":2}]}",
		CAM_MEDIA_TYPE_OCI_INDEX);

	g_assert_cmpuint(g_hash_table_size(labels), ==, 3);
	g_assert_cmpstr(g_hash_table_lookup(labels, "containerd.io/gc.ref.content.m.0"), ==, D1);
	g_assert_cmpstr(g_hash_table_lookup(labels, "containerd.io/gc.ref.content.m.1"), ==, D3);
	g_assert_cmpstr(g_hash_table_lookup(labels, "containerd.io/gc.ref.content.0"), ==, D2);
}

static void
test_rubbish(void)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("[]", 2);
	g_autoptr(GError) error = NULL;

	g_assert_null(cam_containerd_child_labels(bytes, CAM_MEDIA_TYPE_OCI_INDEX, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/child-labels/manifest", test_manifest);
	g_test_add_func("/child-labels/index", test_index);
	g_test_add_func("/child-labels/rubbish", test_rubbish);
	return g_test_run();
}
