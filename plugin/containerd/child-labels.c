/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ties manifests and indexes to their children in containerd's content store. */
#include "plugin/containerd/containerd-transport.h"

#include <string.h>

#define REFERENCE "containerd.io/gc.ref.content"

static gboolean
is_config(const char *media_type)
{
	return g_str_equal(media_type, CAM_MEDIA_TYPE_OCI_CONFIG) ||
	       g_str_equal(media_type, CAM_MEDIA_TYPE_DOCKER_CONFIG);
}

/* containerd's ChildGCLabels(). */
static const char *
kind_of(const CamDescriptor *child)
{
	if (is_config(child->media_type))
		return "config";
	if (cam_media_type_is_manifest(child->media_type))
		return "m.";
	if (cam_media_type_is_layer(child->media_type))
		return "l.";
	return "";
}

/* Children of a kind are counted, except for the first one of a kind that has no dot. */
static void
add_child(GHashTable *labels, GHashTable *counts, const CamDescriptor *child)
{
	const char *kind = kind_of(child);
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, kind));
	char *key;

	if (n == 0 && g_str_equal(kind, "config"))
		key = g_strdup(CAM_CONTAINERD_CONFIG_LABEL);
	else
		key = g_strdup_printf(REFERENCE ".%s%u", kind, n);
	g_hash_table_insert(counts, (gpointer) kind, GUINT_TO_POINTER(n + 1));
	g_hash_table_insert(labels, key, g_strdup(child->digest));
}

static void
add_children(GHashTable *labels, GHashTable *counts, const GPtrArray *children)
{
	for (guint i = 0; i < children->len; i++)
		add_child(labels, counts, g_ptr_array_index(children, i));
}

GHashTable *
cam_containerd_child_labels(GBytes *document, const char *media_type, GError **error)
{
	g_autoptr(GHashTable) labels =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);

	if (cam_media_type_is_index(media_type)) {
		g_autoptr(CamIndex) index = cam_index_parse(document, media_type, error);

		if (index == NULL)
			return NULL;
		add_children(labels, counts, index->manifests);
	} else {
		g_autoptr(CamManifest) manifest = cam_manifest_parse(document, media_type, error);

		if (manifest == NULL)
			return NULL;
		add_child(labels, counts, manifest->config);
		add_children(labels, counts, manifest->layers);
	}
	return g_steal_pointer(&labels);
}
