/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image indexes and the choice of a platform's manifest from one.
 */
#include "snapshotter/oci/index.h"

#include <string.h>

#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest-document.h"

/* BuildKit hangs provenance and SBOMs into the index as manifests of their own. */
#define ATTESTATION_KEY	  "vnd.docker.reference.type"
#define ATTESTATION_VALUE "attestation-manifest"

static gboolean
index_read(CamIndex *self, const char *media_type, GError **error)
{
	self->json = cam_manifest_document_parse(self->bytes, media_type, CAM_DOCUMENT_INDEX,
						 &self->media_type, error);
	if (self->json == NULL)
		return FALSE;
	self->manifests = cam_manifest_document_descriptors(self->json, "manifests", error);
	return self->manifests != NULL;
}

CamIndex *
cam_index_parse(GBytes *bytes, const char *media_type, GError **error)
{
	g_autoptr(CamIndex) self = g_new0(CamIndex, 1);

	self->bytes = g_bytes_ref(bytes);
	self->digest = cam_digest_for_bytes(bytes);
	if (!index_read(self, media_type, error)) {
		cam_error_translate(error, "index %s", self->digest);
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gboolean
is_candidate(const CamDescriptor *descriptor)
{
	return (cam_media_type_is_manifest(descriptor->media_type) ||
		cam_media_type_is_index(descriptor->media_type)) &&
	       g_strcmp0(cam_descriptor_get_annotation(descriptor, ATTESTATION_KEY),
			 ATTESTATION_VALUE) != 0;
}

static char *
list_platforms(const CamIndex *self)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < self->manifests->len; i++) {
		const CamDescriptor *descriptor = g_ptr_array_index(self->manifests, i);

		if (is_candidate(descriptor) && descriptor->platform != NULL)
			g_ptr_array_add(names, cam_platform_to_string(descriptor->platform));
	}
	if (names->len == 0)
		return g_strdup("none");
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **) names->pdata);
}

const CamDescriptor *
cam_index_select(const CamIndex *self, const CamPlatform *platform, GError **error)
{
	g_autofree char *wanted = NULL;
	g_autofree char *offered = NULL;
	const CamDescriptor *unnamed = NULL;
	guint n_unnamed = 0;

	for (guint i = 0; i < self->manifests->len; i++) {
		const CamDescriptor *descriptor = g_ptr_array_index(self->manifests, i);

		if (!is_candidate(descriptor))
			continue;
		if (descriptor->platform == NULL) {
			unnamed = descriptor;
			n_unnamed++;
		} else if (cam_platform_match(platform, descriptor->platform)) {
			return descriptor;
		}
	}
	/* The platform is optional: where one manifest alone has none, its config will tell. */
	if (n_unnamed == 1)
		return unnamed;
	wanted = cam_platform_to_string(platform);
	offered = list_platforms(self);
	cam_set_error(error, CAM_ERROR_NOT_FOUND,
		      "index %s has no image for %s; there are: %s (choose with --platform)",
		      self->digest, wanted, offered);
	return NULL;
}

void
cam_index_free(CamIndex *self)
{
	if (self == NULL)
		return;
	g_free(self->media_type);
	g_free(self->digest);
	g_clear_pointer(&self->bytes, g_bytes_unref);
	g_clear_pointer(&self->manifests, g_ptr_array_unref);
	g_clear_pointer(&self->json, json_object_unref);
	g_free(self);
}
