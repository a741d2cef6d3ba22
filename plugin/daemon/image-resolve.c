/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a name of containerd to the layers that it stands for, by its documents alone: what is not
 * unpacked here shall not be imported either.
 */
#include "plugin/daemon/image-resolve.h"

#include <string.h>

#include "plugin/containerd/containerd-content.h"

#define MAX_NESTING 4

typedef struct {
	CamContainerd *containerd;
	const char *name_space;
	GCancellable *cancellable;
} Reader;

static GBytes *
read_document(const Reader *self, const CamDescriptor *descriptor, GError **error)
{
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *data = g_malloc(CAM_MANIFEST_MAX_SIZE + 1), *digest = NULL;
	gsize size = 0;

	stream = cam_containerd_open_content(self->containerd, self->name_space, descriptor->digest,
					     self->cancellable, error);
	if (stream == NULL)
		return NULL;
	if (!g_input_stream_read_all(stream, data, CAM_MANIFEST_MAX_SIZE + 1, &size,
				     self->cancellable, error)) {
		cam_error_translate(error, "%s", descriptor->digest);
		return NULL;
	}
	if (size > CAM_MANIFEST_MAX_SIZE) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s is too large to be a document",
			      descriptor->digest);
		return NULL;
	}
	bytes = g_bytes_new(data, size);
	if (!cam_digest_check(descriptor->digest, error))
		return NULL;
	digest = cam_digest_like(descriptor->digest, bytes);
	if (strcmp(digest, descriptor->digest) != 0) {
		cam_set_error(error, CAM_ERROR_DATA_LOSS, "containerd's %s is damaged",
			      descriptor->digest);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}

static CamManifest *
read_manifest(const Reader *self, const CamDescriptor *target, GError **error)
{
	g_autoptr(CamPlatform) platform = cam_platform_host();
	g_autoptr(CamDescriptor) at = cam_descriptor_copy(target);

	for (guint depth = 0; depth <= MAX_NESTING; depth++) {
		g_autoptr(GBytes) bytes = read_document(self, at, error);
		g_autoptr(CamIndex) index = NULL;
		const CamDescriptor *chosen;

		if (bytes == NULL)
			return NULL;
		if (!cam_media_type_is_index(at->media_type))
			return cam_manifest_parse(bytes, at->media_type, error);
		index = cam_index_parse(bytes, at->media_type, error);
		chosen = index != NULL ? cam_index_select(index, platform, error) : NULL;
		if (chosen == NULL)
			return NULL;
		cam_descriptor_free(at);
		at = cam_descriptor_copy(chosen);
	}
	cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "indexes are nested too deeply");
	return NULL;
}

static char *
chain_of(const CamImageConfig *config)
{
	g_autofree char *chain = NULL;

	for (guint i = 0; i < config->diff_ids->len; i++) {
		char *next = cam_chain_id(chain, g_ptr_array_index(config->diff_ids, i));

		g_free(chain);
		chain = next;
	}
	return chain != NULL ? g_steal_pointer(&chain) : g_strdup("");
}

gboolean
cam_image_resolve(CamContainerd *containerd, const char *name_space, const CamDescriptor *target,
		  CamVerdict *verdict, GCancellable *cancellable, GError **error)
{
	Reader reader = { containerd, name_space, cancellable };
	g_autoptr(CamManifest) manifest = read_manifest(&reader, target, error);
	g_autoptr(CamImageConfig) config = NULL;
	g_autoptr(GBytes) bytes = NULL;

	if (manifest == NULL)
		return FALSE;
	bytes = read_document(&reader, manifest->config, error);
	if (bytes == NULL)
		return FALSE;
	config = cam_image_config_parse(bytes, error);
	if (config == NULL)
		return FALSE;
	verdict->target = g_strdup(target->digest);
	verdict->manifest_digest = g_strdup(manifest->digest);
	verdict->config_digest = g_strdup(config->digest);
	verdict->chain_id = chain_of(config);
	return TRUE;
}
