/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A store in a directory of its own with one small image, "shop:1.0", that stands in an OCI layout
 * too; and layers to put on top of it.
 */
#include <fcntl.h>

#include "rebuild/publish/fix-memory.h"
#include "rebuild/publish/fix-publish.h"
#include "rebuild/publish/fixed-image.h"

typedef struct {
	char *dir, *layout;
	CamStore *store;
	CamImage *image;
} Fixture;

static inline GInputStream *
fixture_open_text(const char *path, gpointer user_data, GError **error)
{
	return g_memory_input_stream_new_from_data(user_data, (gssize) strlen(user_data), NULL);
}

/* A layer of one file; the text must live on. */
static inline CamLayerTar *
fixture_tar(CamRootfs *lower, const char *path, const char *text)
{
	CamLayerTar *tar = cam_layer_tar_new(lower, NULL, NULL, 1700000000);
	CamStat stat = { .type = CAM_NODE_REGULAR, .mode = 0644, .size = strlen(text) };

	cam_layer_tar_add(tar, path, &stat, 1600000000, fixture_open_text, (gpointer) text);
	return tar;
}

static inline GBytes *
fixture_tar_bytes(CamLayerTar *tar)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;

	cam_layer_tar_write(tar, out, NULL, &error);
	g_assert_no_error(error);
	g_output_stream_close(out, NULL, NULL);
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

/* Imports a plain tar; its blob is the tar itself. */
static inline char *
fixture_import(CamStore *store, GBytes *tar)
{
	g_autoptr(GInputStream) in = g_memory_input_stream_new_from_bytes(tar);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamLayerInfo) info =
		cam_store_import_layer(store, in, NULL, NULL, NULL, NULL, NULL, &error);
	g_autofree char *digest = NULL;

	g_assert_no_error(error);
	digest = cam_store_put_blob(store, tar, &error);
	g_assert_no_error(error);
	return g_strdup(info->diff_id);
}

/* Puts the documents of an image of one layer into the store; returns the manifest. */
static inline GBytes *
fixture_documents(CamStore *store, const char *diff_id, gsize layer_size)
{
	g_autofree char *config_text =
		g_strdup_printf("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":"
				"\"layers\",\"diff_ids\":[\"%s\"]},\"history\":[{\"created_by\":"
				"\"base\"}]}",
				diff_id);
	g_autoptr(GBytes) config = g_bytes_new(config_text, strlen(config_text));
	g_autoptr(GError) error = NULL;
	g_autofree char *config_digest = cam_store_put_blob(store, config, &error);
	g_autofree char *text = NULL;
	g_autofree char *digest = NULL;
	GBytes *manifest;

	g_assert_no_error(error);
	text = g_strdup_printf("{\"schemaVersion\":2,\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_MANIFEST
			       "\",\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG
			       "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
			       "\"" CAM_MEDIA_TYPE_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
			       config_digest, strlen(config_text), diff_id, layer_size);
	manifest = g_bytes_new(text, strlen(text));
	digest = cam_store_put_blob(store, manifest, &error);
	g_assert_no_error(error);
	return manifest;
}

static inline CamImageTransport *
fixture_open(const char *text, gboolean writable)
{
	CamTransportOptions options = { .cache_dirfd = -1 };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamLocation) location = cam_location_parse(text, &error);
	CamImageTransport *transport;

	g_assert_no_error(error);
	transport = cam_image_transport_open(location, writable, &options, NULL, &error);
	g_assert_no_error(error);
	return transport;
}

static inline void
fixture_send(CamStore *store, CamImageTransport *to, const CamDescriptor *blob)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) in = cam_store_open_blob(store, blob->digest, NULL, &error);

	g_assert_no_error(error);
	cam_image_transport_put_blob(to, blob, in, NULL, &error);
	g_assert_no_error(error);
}

/* @index: (nullable): stands under the tag instead of the manifest. */
static inline void
fixture_write_layout(Fixture *self, CamManifest *manifest, GBytes *index)
{
	g_autofree char *location = g_strdup_printf("oci:%s:1.0", self->layout);
	g_autoptr(CamImageTransport) to = fixture_open(location, TRUE);
	g_autoptr(GError) error = NULL;

	fixture_send(self->store, to, manifest->config);
	for (guint i = 0; i < manifest->layers->len; i++)
		fixture_send(self->store, to, manifest->layers->pdata[i]);
	cam_image_transport_put_manifest(to, manifest->bytes, manifest->media_type,
					 index == NULL ? "1.0" : NULL, NULL, &error);
	g_assert_no_error(error);
	if (index != NULL)
		cam_image_transport_put_manifest(to, index, CAM_MEDIA_TYPE_OCI_INDEX, "1.0", NULL,
						 &error);
	g_assert_no_error(error);
	cam_image_transport_commit(to, NULL, &error);
	g_assert_no_error(error);
}

/* @make_index: (nullable): the index that the layout's tag names. */
static inline void
fixture_init(Fixture *self, GBytes *(*make_index)(const CamManifest *manifest))
{
	g_autoptr(CamRootfs) nothing = CAM_ROOTFS(cam_memory_rootfs_new());
	g_autoptr(CamLayerTar) tar = fixture_tar(nothing, "etc/base", "base\n");
	g_autoptr(GBytes) bytes = fixture_tar_bytes(tar);
	g_autoptr(GBytes) manifest_bytes = NULL, index = NULL;
	g_autoptr(CamManifest) manifest = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL, *diff_id = NULL, *source = NULL, *index_digest = NULL;

	self->dir = g_dir_make_tmp("cambium-publish-XXXXXX", &error);
	g_assert_no_error(error);
	path = g_build_filename(self->dir, "store", NULL);
	self->layout = g_build_filename(self->dir, "layout", NULL);
	source = g_strdup_printf("oci:%s:1.0", self->layout);
	self->store = cam_store_open(path, TRUE, NULL, &error);
	g_assert_no_error(error);
	diff_id = fixture_import(self->store, bytes);
	manifest_bytes = fixture_documents(self->store, diff_id, g_bytes_get_size(bytes));
	manifest = cam_manifest_parse(manifest_bytes, NULL, &error);
	g_assert_no_error(error);
	if (make_index != NULL) {
		index = make_index(manifest);
		index_digest = cam_store_put_blob(self->store, index, &error);
		g_assert_no_error(error);
	}
	fixture_write_layout(self, manifest, index);
	cam_store_put_image(self->store, "shop:1.0", manifest->digest, index_digest, source, NULL,
			    FALSE, &error);
	g_assert_no_error(error);
	self->image = cam_store_get_image(self->store, "shop:1.0", &error);
	g_assert_no_error(error);
}

static inline void
fixture_clear(Fixture *self)
{
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&self->image, cam_image_free);
	g_clear_object(&self->store);
	cam_remove_tree_at(AT_FDCWD, self->dir, &error);
	g_assert_no_error(error);
	g_clear_pointer(&self->dir, g_free);
	g_clear_pointer(&self->layout, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static inline CamRootfs *
fixture_rootfs(Fixture *self)
{
	g_autoptr(GError) error = NULL;
	CamRootfs *rootfs = cam_store_open_rootfs(
		self->store, (const char *const *) self->image->diff_ids, NULL, &error);

	g_assert_no_error(error);
	return rootfs;
}

/* A fixed image of the store with one more file. */
static inline CamImage *
fixture_fix(Fixture *self, const char *text)
{
	g_autoptr(CamRootfs) lower = fixture_rootfs(self);
	g_autoptr(CamLayerTar) tar = fixture_tar(lower, "etc/fixed", text);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamFixedLayer) layer = cam_fixed_layer_new(
		self->store, tar, self->image->manifest, NULL, NULL, NULL, &error);
	CamImage *image;

	g_assert_no_error(error);
	layer->epoch = 1700000000;
	layer->created_by = g_strdup("cambium fix");
	image = cam_fixed_image_new(self->store, self->image, layer, &error);
	g_assert_no_error(error);
	return image;
}
