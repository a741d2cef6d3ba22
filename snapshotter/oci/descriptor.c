/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors: what names a piece of an image, and the media types that can stand in one.
 */
#include "snapshotter/oci/descriptor.h"

#include <string.h>

#include "snapshotter/oci/json.h"

#define MAX_MEDIA_TYPE_LENGTH 255

static const char *const index_types[] = {
	CAM_MEDIA_TYPE_OCI_INDEX,
	CAM_MEDIA_TYPE_DOCKER_INDEX,
	NULL,
};

static const char *const manifest_types[] = {
	CAM_MEDIA_TYPE_OCI_MANIFEST,
	CAM_MEDIA_TYPE_DOCKER_MANIFEST,
	NULL,
};

static const char *const layer_types[] = {
	CAM_MEDIA_TYPE_OCI_LAYER,
	CAM_MEDIA_TYPE_OCI_LAYER_GZIP,
	CAM_MEDIA_TYPE_OCI_LAYER_ZSTD,
	CAM_MEDIA_TYPE_DOCKER_LAYER,
	CAM_MEDIA_TYPE_DOCKER_LAYER_GZIP,
	CAM_MEDIA_TYPE_DOCKER_LAYER_ZSTD,
	/* Deprecated: layers that only their owner may distribute. */
	"application/vnd.oci.image.layer.nondistributable.v1.tar",
	"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
	"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
	"application/vnd.docker.image.rootfs.foreign.diff.tar",
	"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	NULL,
};

gboolean
cam_media_type_is_index(const char *media_type)
{
	return media_type != NULL && g_strv_contains(index_types, media_type);
}

gboolean
cam_media_type_is_manifest(const char *media_type)
{
	return media_type != NULL && g_strv_contains(manifest_types, media_type);
}

gboolean
cam_media_type_is_layer(const char *media_type)
{
	return media_type != NULL && g_strv_contains(layer_types, media_type);
}

CamDescriptor *
cam_descriptor_new(const char *media_type, const char *digest, gint64 size)
{
	CamDescriptor *self = g_new0(CamDescriptor, 1);

	self->media_type = g_strdup(media_type);
	self->digest = g_strdup(digest);
	self->size = size;
	self->json = json_object_new();
	json_object_set_string_member(self->json, "mediaType", media_type);
	json_object_set_string_member(self->json, "digest", digest);
	json_object_set_int_member(self->json, "size", size);
	return self;
}

static gboolean
check_members(JsonObject *object, GError **error)
{
	static const CamJsonMember known[] = {
		{ "mediaType", CAM_JSON_STRING },
		{ "digest", CAM_JSON_STRING },
		{ "size", CAM_JSON_INTEGER },
		{ "urls", CAM_JSON_STRINGS },
		{ "annotations", CAM_JSON_STRING_MAP },
		{ "data", CAM_JSON_STRING },
		{ "platform", CAM_JSON_OBJECT },
		{ "artifactType", CAM_JSON_STRING },
		{ NULL, CAM_JSON_ANY },
	};
	static const CamJsonMember platform[] = {
		{ "architecture", CAM_JSON_STRING },
		{ "os", CAM_JSON_STRING },
		{ "os.version", CAM_JSON_STRING },
		{ "os.features", CAM_JSON_STRINGS },
		{ "variant", CAM_JSON_STRING },
		{ "features", CAM_JSON_STRINGS },
		{ NULL, CAM_JSON_ANY },
	};
	JsonObject *own = cam_json_get_object(object, "platform");

	return cam_json_check_members(object, known, error) &&
	       (own == NULL || cam_json_check_members(own, platform, error));
}

static CamPlatform *
read_platform(JsonObject *object)
{
	const char *os = cam_json_get_string(object, "os");
	const char *architecture = cam_json_get_string(object, "architecture");

	if (os == NULL || architecture == NULL)
		return NULL;
	return cam_platform_new(os, architecture, cam_json_get_string(object, "variant"));
}

CamDescriptor *
cam_descriptor_from_json(JsonObject *object, GError **error)
{
	g_autoptr(CamDescriptor) self = g_new0(CamDescriptor, 1);
	const char *media_type = cam_json_get_string(object, "mediaType");
	const char *digest = cam_json_get_string(object, "digest");

	if (!check_members(object, error))
		return NULL;
	if (media_type == NULL || media_type[0] == '\0' ||
	    strlen(media_type) > MAX_MEDIA_TYPE_LENGTH) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "a descriptor has no mediaType");
		return NULL;
	}
	if (digest == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "a descriptor of media type %s has no digest", media_type);
		return NULL;
	}
	if (!cam_digest_check(digest, error))
		return NULL;
	self->size = cam_json_get_int(object, "size", -1);
	if (self->size < 0) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "the descriptor of %s has no valid size", digest);
		return NULL;
	}
	self->media_type = g_strdup(media_type);
	self->digest = g_strdup(digest);
	self->platform = read_platform(cam_json_get_object(object, "platform"));
	self->json = cam_json_object_copy(object);
	return g_steal_pointer(&self);
}

CamDescriptor *
cam_descriptor_copy(const CamDescriptor *self)
{
	CamDescriptor *copy = g_new0(CamDescriptor, 1);

	copy->media_type = g_strdup(self->media_type);
	copy->digest = g_strdup(self->digest);
	copy->size = self->size;
	copy->platform = self->platform != NULL ? cam_platform_copy(self->platform) : NULL;
	copy->json = cam_json_object_copy(self->json);
	return copy;
}

const char *
cam_descriptor_get_annotation(const CamDescriptor *self, const char *key)
{
	return cam_json_get_string(cam_json_get_object(self->json, "annotations"), key);
}

void
cam_descriptor_set_annotation(CamDescriptor *self, const char *key, const char *value)
{
	JsonObject *annotations = cam_json_get_object(self->json, "annotations");

	if (annotations == NULL) {
		annotations = json_object_new();
		json_object_set_object_member(self->json, "annotations", annotations);
	}
	json_object_set_string_member(annotations, key, value);
}

void
cam_descriptor_free(CamDescriptor *self)
{
	if (self == NULL)
		return;
	g_free(self->media_type);
	g_free(self->digest);
	cam_platform_free(self->platform);
	g_clear_pointer(&self->json, json_object_unref);
	g_free(self);
}
