/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image manifests. Whether the config and the layers are those of an image that can be imported
 * is asked by the import: artifacts have manifests too.
 */
#include "snapshotter/oci/manifest.h"

#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest-document.h"

static gboolean
manifest_read(CamManifest *self, const char *media_type, GError **error)
{
	JsonObject *config;

	self->json = cam_manifest_document_parse(self->bytes, media_type, CAM_DOCUMENT_MANIFEST,
						 &self->media_type, error);
	if (self->json == NULL)
		return FALSE;
	config = cam_json_get_object(self->json, "config");
	if (config == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "it has no config");
	self->config = cam_descriptor_from_json(config, error);
	if (self->config == NULL)
		return cam_error_translate(error, "config");
	self->layers = cam_manifest_document_descriptors(self->json, "layers", error);
	return self->layers != NULL;
}

CamManifest *
cam_manifest_parse(GBytes *bytes, const char *media_type, GError **error)
{
	g_autoptr(CamManifest) self = g_new0(CamManifest, 1);

	self->bytes = g_bytes_ref(bytes);
	self->digest = cam_digest_for_bytes(bytes);
	if (!manifest_read(self, media_type, error)) {
		cam_error_translate(error, "manifest %s", self->digest);
		return NULL;
	}
	return g_steal_pointer(&self);
}

void
cam_manifest_free(CamManifest *self)
{
	if (self == NULL)
		return;
	g_free(self->media_type);
	g_free(self->digest);
	g_clear_pointer(&self->bytes, g_bytes_unref);
	cam_descriptor_free(self->config);
	g_clear_pointer(&self->layers, g_ptr_array_unref);
	g_clear_pointer(&self->json, json_object_unref);
	g_free(self);
}
