/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the documents of a fixed image into the store. What they say is fixed-documents.c's. */
#include "rebuild/publish/fixed-image.h"

#include "rebuild/publish/fixed-documents.h"

static gboolean
put_document(CamStore *store, GBytes *bytes, GError **error)
{
	g_autofree char *digest = cam_store_put_blob(store, bytes, error);

	return digest != NULL;
}

/* *@digest stays NULL where there is no index to change. */
static gboolean
put_index(CamStore *store, const CamImage *original, GBytes *manifest, char **digest,
	  GError **error)
{
	g_autoptr(GBytes) bytes = NULL, fixed = NULL;
	g_autoptr(CamIndex) index = NULL;

	if (original->index_digest == NULL || !cam_store_has_blob(store, original->index_digest))
		return TRUE;
	bytes = cam_store_get_blob(store, original->index_digest, CAM_MANIFEST_MAX_SIZE, error);
	index = bytes != NULL ? cam_index_parse(bytes, NULL, error) : NULL;
	if (index == NULL)
		return FALSE;
	fixed = cam_fixed_index(index, original->manifest->digest, manifest, error);
	if (fixed == NULL)
		return FALSE;
	*digest = cam_store_put_blob(store, fixed, error);
	return *digest != NULL;
}

static char **
append_diff_id(char **diff_ids, const char *diff_id)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_strv_builder_addv(builder, (const char **) diff_ids);
	g_strv_builder_add(builder, diff_id);
	return g_strv_builder_end(builder);
}

static char *
digest_name(const char *name, const char *digest)
{
	g_autoptr(CamReference) reference = cam_reference_parse(name, NULL);

	if (reference == NULL)
		return g_strdup(digest);
	g_clear_pointer(&reference->tag, g_free);
	g_free(reference->digest);
	reference->digest = g_strdup(digest);
	return cam_reference_to_string(reference);
}

CamImage *
cam_fixed_image_new(CamStore *store, const CamImage *original, const CamFixedLayer *layer,
		    GError **error)
{
	g_autoptr(CamImage) self = g_new0(CamImage, 1);
	g_autoptr(GBytes) config = NULL, manifest = NULL;

	config = cam_fixed_config(original->config, layer, error);
	if (config == NULL || !put_document(store, config, error))
		return NULL;
	manifest = cam_fixed_manifest(original->manifest, config, layer, original->name, error);
	if (manifest == NULL || !put_document(store, manifest, error) ||
	    !put_index(store, original, manifest, &self->index_digest, error))
		return NULL;
	self->config = cam_image_config_parse(config, error);
	self->manifest = cam_manifest_parse(manifest, original->manifest->media_type, error);
	if (self->config == NULL || self->manifest == NULL)
		return NULL;
	self->name = digest_name(original->name, self->manifest->digest);
	self->diff_ids = append_diff_id(original->diff_ids, layer->diff_id);
	self->chain_id = cam_chain_id(*original->chain_id != '\0' ? original->chain_id : NULL,
				      layer->diff_id);
	self->base_name = g_strdup(original->name);
	return g_steal_pointer(&self);
}
