/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Importing layers into a temporary store and looking at trees. */
#include "snapshotter/base/compression.h"
#include "tar-sample.h"
#include "temporary-store.h"

/* The diffID, or NULL with @error. */
static G_GNUC_UNUSED char *
import_bytes(CamStore *store, GBytes *bytes, const CamLayerLimits *limits, GError **error)
{
	g_autoptr(GInputStream) stream = g_memory_input_stream_new_from_bytes(bytes);
	g_autoptr(CamLayerInfo) info =
		cam_store_import_layer(store, stream, NULL, NULL, limits, NULL, NULL, error);

	return info != NULL ? g_strdup(info->diff_id) : NULL;
}

/* @tar: (transfer full): ended and imported */
static G_GNUC_UNUSED char *
import_tar(CamStore *store, GByteArray *tar)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = tar_end(tar);
	char *diff_id = import_bytes(store, bytes, NULL, &error);

	g_assert_no_error(error);
	return diff_id;
}

static G_GNUC_UNUSED GBytes *
read_to_end(GInputStream *stream, GError **error)
{
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();

	if (stream == NULL ||
	    g_output_stream_splice(out, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, error) <
		    0)
		return NULL;
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static G_GNUC_UNUSED void
assert_exports_as(CamStore *store, const char *diff_id, GBytes *tar)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stream = cam_store_open_layer(store, diff_id, &error);
	g_autoptr(GBytes) again = NULL;

	g_assert_no_error(error);
	again = read_to_end(stream, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(again, tar));
}

static void
print_tree(CamRootfs *rootfs, const CamEntry *directory, const char *path, GString *out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamTree) tree = cam_rootfs_open_tree(rootfs, directory, &error);

	g_assert_no_error(error);
	for (guint i = 0; i < cam_tree_size(tree); i++) {
		const CamEntry *entry = cam_tree_get(tree, i);
		g_autofree char *child = g_strconcat(path, entry->name, NULL);
		g_auto(CamStat) stat = { 0 };

		g_assert_true(cam_rootfs_stat(rootfs, entry, &stat, &error));
		g_assert_no_error(error);
		g_string_append_printf(out, "%s", child);
		if (entry->is_directory) {
			g_autofree char *below = g_strconcat(child, "/", NULL);

			g_string_append_printf(out, "/ %o\n", stat.mode);
			print_tree(rootfs, entry, below, out);
		} else if (stat.type == CAM_NODE_REGULAR) {
			g_autoptr(GBytes) content =
				cam_rootfs_read_entry(rootfs, entry, 1 << 20, &error);

			g_assert_no_error(error);
			g_string_append_printf(out, " %o [%.*s]\n", stat.mode,
					       (int) g_bytes_get_size(content),
					       (const char *) g_bytes_get_data(content, NULL));
		} else if (stat.type == CAM_NODE_SYMLINK) {
			g_string_append_printf(out, " -> %s\n", stat.link_target);
		} else {
			g_string_append_printf(out, " %c %u %u\n", "?\?\?cbp"[stat.type],
					       stat.rdev_major, stat.rdev_minor);
		}
	}
}

/* All that is in the tree, a line each. */
static G_GNUC_UNUSED char *
tree_text(CamRootfs *rootfs)
{
	GString *out = g_string_new(NULL);
	CamEntry root;

	cam_rootfs_get_root(rootfs, &root);
	print_tree(rootfs, &root, "", out);
	return g_string_free(out, FALSE);
}

/* The merged tree of the layers, NULL-terminated. */
static G_GNUC_UNUSED void
assert_merged(CamStore *store, const char *expected, ...)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) diff_ids = g_ptr_array_new();
	g_autoptr(CamRootfs) rootfs = NULL;
	g_autofree char *text = NULL;
	va_list args;
	char *diff_id;

	va_start(args, expected);
	while ((diff_id = va_arg(args, char *)) != NULL)
		g_ptr_array_add(diff_ids, diff_id);
	va_end(args);
	g_ptr_array_add(diff_ids, NULL);
	rootfs = cam_store_open_rootfs(store, (const char *const *) diff_ids->pdata, NULL, &error);
	g_assert_no_error(error);
	text = tree_text(rootfs);
	g_assert_cmpstr(text, ==, expected);
}
