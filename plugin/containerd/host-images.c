/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a host has and runs: containerd's image records, its containers, and which belong together.
 * A container knows the name of its image and the snapshot that it was made from; the name may
 * stand for something else by now, the snapshot's parent does not change.
 */
#include "plugin/containerd/host-images.h"

#include <string.h>

#include "plugin/containerd/containerd-containers.h"
#include "plugin/containerd/containerd-content.h"
#include "plugin/containerd/containerd-images.h"
#include "plugin/containerd/containerd-snapshots.h"
#include "plugin/containerd/containerd-transport.h"

#define SNAPSHOTTER_PLUGIN "io.containerd.snapshotter.v1"
#define SNAPSHOTTER_NAME   "cambium"
#define UNPACKED_LABEL	   "containerd.io/gc.ref.snapshot."

typedef struct {
	CamContainerd *client;
	const CamHostOptions *options;
	GHashTable *ours; /* names of the snapshotters that are cambiumd */
	GCancellable *cancellable;
} Host;

/* ---- snapshotters ---- */

static gboolean
find_ours(Host *self, GError **error)
{
	g_autoptr(GPtrArray) plugins = cam_containerd_list_plugins(self->client, SNAPSHOTTER_PLUGIN,
								   self->cancellable, error);

	if (plugins == NULL)
		return FALSE;
	for (guint i = 0; i < plugins->len; i++) {
		const CamContainerdPlugin *plugin = g_ptr_array_index(plugins, i);
		const char *address = g_hash_table_lookup(plugin->exports, "address");

		if (g_str_equal(plugin->id, SNAPSHOTTER_NAME) ||
		    g_strcmp0(address, self->options->cambiumd) == 0)
			g_hash_table_add(self->ours, g_strdup(plugin->id));
	}
	return TRUE;
}

/* ---- documents ---- */

/* The config of what this host would run of @image; NULL where containerd does not have it. */
static CamImageConfig *
read_config(Host *self, const CamHostImage *image)
{
	g_autoptr(CamLocation) location = g_new0(CamLocation, 1);
	CamTransportOptions options = { .containerd = self->options->containerd };
	g_autoptr(CamPlatform) platform = cam_platform_host();
	g_autoptr(CamImageTransport) transport = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(CamManifest) manifest = NULL;
	g_autofree char *media_type = NULL;

	location->transport = CAM_TRANSPORT_CONTAINERD;
	location->name_space = g_strdup(image->name_space);
	location->reference = cam_reference_parse("any", NULL);
	transport =
		cam_containerd_transport_open(location, FALSE, &options, self->cancellable, NULL);
	if (transport != NULL)
		bytes = cam_image_transport_get_manifest(transport, image->digest, &media_type,
							 self->cancellable, NULL);
	if (bytes != NULL && cam_media_type_is_index(media_type)) {
		g_autoptr(CamIndex) index = cam_index_parse(bytes, media_type, NULL);
		const CamDescriptor *chosen =
			index != NULL ? cam_index_select(index, platform, NULL) : NULL;

		g_clear_pointer(&bytes, g_bytes_unref);
		g_clear_pointer(&media_type, g_free);
		if (chosen != NULL)
			bytes = cam_image_transport_get_manifest(
				transport, chosen->digest, &media_type, self->cancellable, NULL);
	}
	if (bytes != NULL)
		manifest = cam_manifest_parse(bytes, media_type, NULL);
	g_clear_pointer(&bytes, g_bytes_unref);
	if (manifest != NULL)
		bytes = cam_image_transport_get_blob(transport, manifest->config,
						     CAM_MANIFEST_MAX_SIZE, self->cancellable,
						     NULL);
	return bytes != NULL ? cam_image_config_parse(bytes, NULL) : NULL;
}

static char *
chain_of(const CamImageConfig *config)
{
	char *chain = NULL;

	for (guint i = 0; i < config->diff_ids->len; i++) {
		char *next = cam_chain_id(chain, g_ptr_array_index(config->diff_ids, i));

		g_free(chain);
		chain = next;
	}
	return chain;
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Unpacking ties the topmost snapshot to the config. */
static char **
unpacked_in(Host *self, const char *name_space, const char *config_digest)
{
	g_autoptr(CamContentInfo) info = cam_containerd_get_content_info(
		self->client, name_space, config_digest, self->cancellable, NULL);
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iterator;
	gpointer key;

	if (info != NULL) {
		g_hash_table_iter_init(&iterator, info->labels);
		while (g_hash_table_iter_next(&iterator, &key, NULL)) {
			if (g_str_has_prefix(key, UNPACKED_LABEL))
				g_ptr_array_add(names,
						g_strdup((char *) key + strlen(UNPACKED_LABEL)));
		}
	}
	g_ptr_array_sort(names, compare_texts);
	g_ptr_array_add(names, NULL);
	return (char **) g_ptr_array_free(names, FALSE);
}

static void
read_documents(Host *self, CamHostImage *image)
{
	g_autoptr(CamImageConfig) config = read_config(self, image);

	if (config == NULL) {
		image->unpacked = g_new0(char *, 1);
		return;
	}
	image->chain_id = chain_of(config);
	image->unpacked = unpacked_in(self, image->name_space, config->digest);
}

/* ---- images and containers ---- */

/* CRI gives each image three names: that of people, one with the digest, and the image's id. */
static gboolean
is_readable(const char *name)
{
	return !g_str_has_prefix(name, "sha256:") && strchr(name, '@') == NULL;
}

/* The one to show for @record: itself, or a readable one that stands for the same. */
static const CamContainerdImage *
shown_for(const CamContainerdImage *record, GPtrArray *records)
{
	if (is_readable(record->name))
		return record;
	for (guint i = 0; i < records->len; i++) {
		const CamContainerdImage *other = g_ptr_array_index(records, i);

		if (is_readable(other->name) &&
		    g_str_equal(other->target->digest, record->target->digest))
			return other;
	}
	return record;
}

static gboolean
is_outdated(Host *self, const CamHostImage *image, const CamContainerdContainer *container)
{
	g_autoptr(CamSnapshotInfo) snapshot = NULL;

	if (image->chain_id == NULL || *container->snapshot_key == '\0')
		return FALSE;
	snapshot = cam_containerd_stat_snapshot(self->client, image->name_space,
						container->snapshotter, container->snapshot_key,
						self->cancellable, NULL);
	return snapshot != NULL && !g_str_equal(snapshot->parent, image->chain_id);
}

static void
add_container(Host *self, CamHostImage *image, const CamContainerdContainer *container)
{
	CamHostContainer *added = g_new0(CamHostContainer, 1);

	added->id = g_strdup(container->id);
	added->status = g_strdup(container->status);
	added->snapshotter = g_strdup(container->snapshotter);
	added->ours = g_hash_table_contains(self->ours, container->snapshotter);
	added->outdated = is_outdated(self, image, container);
	g_ptr_array_add(image->containers, added);
}

static CamHostImage *
image_new(Host *self, const char *name_space, const CamContainerdImage *record)
{
	CamHostImage *image = g_new0(CamHostImage, 1);

	image->name_space = g_strdup(name_space);
	image->name = g_strdup(record->name);
	image->digest = g_strdup(record->target->digest);
	image->containers =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_host_container_free);
	read_documents(self, image);
	return image;
}

static gboolean
list_namespace(Host *self, const char *name_space, GPtrArray *images, GError **error)
{
	g_autoptr(GPtrArray) records =
		cam_containerd_list_images(self->client, name_space, self->cancellable, error);
	g_autoptr(GPtrArray) containers = NULL;
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);

	if (records == NULL)
		return FALSE;
	containers =
		cam_containerd_list_containers(self->client, name_space, self->cancellable, error);
	if (containers == NULL)
		return FALSE;
	for (guint i = 0; i < records->len; i++) {
		const CamContainerdImage *record = g_ptr_array_index(records, i);
		const CamContainerdImage *shown = shown_for(record, records);
		CamHostImage *image = g_hash_table_lookup(by_name, shown->name);

		if (image == NULL) {
			image = image_new(self, name_space, shown);
			g_ptr_array_add(images, image);
			g_hash_table_insert(by_name, shown->name, image);
		}
		g_hash_table_insert(by_name, record->name, image);
	}
	for (guint i = 0; i < containers->len; i++) {
		const CamContainerdContainer *container = g_ptr_array_index(containers, i);
		CamHostImage *image = g_hash_table_lookup(by_name, container->image);

		if (image != NULL && cam_containerd_container_is_alive(container))
			add_container(self, image, container);
	}
	return TRUE;
}

static int
compare_images(gconstpointer a, gconstpointer b)
{
	const CamHostImage *one = *(CamHostImage *const *) a, *two = *(CamHostImage *const *) b;
	int order = strcmp(one->name_space, two->name_space);

	return order != 0 ? order : strcmp(one->name, two->name);
}

GPtrArray *
cam_host_list_images(const CamHostOptions *options, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamContainerd) client = cam_containerd_new(options->containerd, error);
	g_autoptr(GHashTable) ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) images =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_host_image_free);
	g_auto(GStrv) all = NULL;
	const char *const *names = options->namespaces;
	Host self = { client, options, ours, cancellable };

	if (client == NULL || !find_ours(&self, error))
		return NULL;
	if (names == NULL) {
		all = cam_containerd_list_namespaces(client, cancellable, error);
		if (all == NULL)
			return NULL;
		names = (const char *const *) all;
	}
	for (guint i = 0; names[i] != NULL; i++) {
		if (all == NULL &&
		    !cam_containerd_check_namespace(client, names[i], cancellable, error))
			return NULL;
		if (!list_namespace(&self, names[i], images, error))
			return NULL;
	}
	g_ptr_array_sort(images, compare_images);
	return g_steal_pointer(&images);
}
