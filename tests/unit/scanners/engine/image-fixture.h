/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store in a directory of its own, and images in it made from lists of files. */
#include <fcntl.h>
#include <string.h>

#include "snapshotter/snapshotter.h"

typedef struct {
	char *path;
	CamStore *store;
} ImageFixture;

static inline void
image_fixture_set_up(ImageFixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *base = g_dir_make_tmp("cambium-scan-XXXXXX", &error);

	g_assert_no_error(error);
	self->path = g_canonicalize_filename(base, NULL);
	self->store = cam_store_open(self->path, TRUE, NULL, &error);
	g_assert_no_error(error);
}

static inline void
image_fixture_tear_down(ImageFixture *self, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_clear_object(&self->store);
	cam_remove_tree_at(AT_FDCWD, self->path, &error);
	g_assert_no_error(error);
	g_clear_pointer(&self->path, g_free);
}

/* @files: path, content; …; NULL. Returns the diffID. */
static inline char *
image_fixture_layer(ImageFixture *self, const char *const *files)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(CamArchiveWriter) writer = cam_archive_writer_new(out, &error);
	g_autoptr(GBytes) tar = NULL;
	g_autoptr(GInputStream) in = NULL;
	g_autoptr(CamLayerInfo) info = NULL;

	g_assert_no_error(error);
	for (; *files != NULL; files += 2) {
		g_autoptr(GBytes) content = g_bytes_new(files[1], strlen(files[1]));

		cam_archive_writer_add_bytes(writer, files[0], content, 0644, 1700000000, &error);
		g_assert_no_error(error);
	}
	g_assert_true(cam_archive_writer_finish(writer, &error));
	g_output_stream_close(out, NULL, NULL);
	tar = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
	in = g_memory_input_stream_new_from_bytes(tar);
	info = cam_store_import_layer(self->store, in, NULL, NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	return g_strdup(info->diff_id);
}

static inline char *
image_fixture_put(ImageFixture *self, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	char *digest = cam_store_put_blob(self->store, bytes, &error);

	g_assert_no_error(error);
	return digest;
}

/* @layers: lists of files, base first, NULL-terminated. Layer i was "created by step i". */
static inline CamImage *
image_fixture_image(ImageFixture *self, const char *name, const char *const *const *layers)
{
	g_autoptr(GString) diff_ids = g_string_new(NULL), history = g_string_new(NULL);
	g_autoptr(GString) descriptors = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *config = NULL, *config_digest = NULL, *manifest = NULL, *digest = NULL;
	CamImage *image;

	for (guint i = 0; layers[i] != NULL; i++) {
		g_autofree char *diff_id = image_fixture_layer(self, layers[i]);
		const char *comma = i > 0 ? "," : "";

		g_string_append_printf(diff_ids, "%s\"%s\"", comma, diff_id);
		g_string_append_printf(history, "%s{\"created_by\":\"step %u\"}", comma, i);
		g_string_append_printf(descriptors,
				       "%s{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_LAYER
				       "\",\"digest\":\"%s\",\"size\":10240}",
				       comma, diff_id);
	}
	config =
		g_strdup_printf("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":"
				"\"layers\",\"diff_ids\":[%s]},\"history\":[%s]}",
				diff_ids->str, history->str);
	config_digest = image_fixture_put(self, config);
	manifest = g_strdup_printf("{\"schemaVersion\":2,\"mediaType\":"
				   "\"" CAM_MEDIA_TYPE_OCI_MANIFEST
				   "\",\"config\":{\"mediaType\":\"" CAM_MEDIA_TYPE_OCI_CONFIG
				   "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
				   config_digest, strlen(config), descriptors->str);
	digest = image_fixture_put(self, manifest);
	cam_store_put_image(self->store, name, digest, NULL, NULL, NULL, TRUE, &error);
	g_assert_no_error(error);
	image = cam_store_get_image(self->store, name, &error);
	g_assert_no_error(error);
	return image;
}
