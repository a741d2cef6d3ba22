/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells manifests from indexes and both from everything else. One document must never be read as
 * a manifest by one tool and as an index by the next (CVE-2021-41190), so whatever can be read as
 * both is refused here.
 */
#include "snapshotter/oci/manifest-document.h"

#include "snapshotter/oci/json.h"

static gboolean
is_of_kind(const char *media_type, CamDocumentKind kind)
{
	return kind == CAM_DOCUMENT_INDEX ? cam_media_type_is_index(media_type)
					  : cam_media_type_is_manifest(media_type);
}

static gboolean
check_version(JsonObject *json, GError **error)
{
	gint64 version = cam_json_get_int(json, "schemaVersion", -1);

	if (version == 2)
		return TRUE;
	if (version == 1)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "docker schema 1 manifests are not supported: they were "
				     "withdrawn in 2019; push the image again with a current tool");
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "schemaVersion is not 2");
}

static gboolean
check_kind(JsonObject *json, const char *media_type, CamDocumentKind kind, GError **error)
{
	const char *wanted = kind == CAM_DOCUMENT_INDEX ? "image index" : "image manifest";
	gboolean has_manifests = json_object_has_member(json, "manifests");
	gboolean has_content =
		json_object_has_member(json, "config") || json_object_has_member(json, "layers");

	if (!is_of_kind(media_type, kind))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "media type %s is not that of an %s", media_type, wanted);
	if (has_manifests && has_content)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the document can be read as an index and as a manifest");
	if (kind == CAM_DOCUMENT_INDEX ? has_content : has_manifests)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the document says that it is an %s but has other members",
				     wanted);
	return TRUE;
}

JsonObject *
cam_manifest_document_parse(GBytes *bytes, const char *media_type_hint, CamDocumentKind kind,
			    char **media_type, GError **error)
{
	g_autoptr(JsonObject) json = cam_json_parse_object(bytes, CAM_MANIFEST_MAX_SIZE, error);
	const char *type;

	if (json == NULL)
		return NULL;
	type = cam_json_get_string(json, "mediaType");
	if (type == NULL || type[0] == '\0')
		type = media_type_hint;
	if (type == NULL || !(cam_media_type_is_index(type) || cam_media_type_is_manifest(type) ||
			      json_object_has_member(json, "mediaType")))
		type = kind == CAM_DOCUMENT_INDEX ? CAM_MEDIA_TYPE_OCI_INDEX
						  : CAM_MEDIA_TYPE_OCI_MANIFEST;
	if (!check_version(json, error) || !check_kind(json, type, kind, error))
		return NULL;
	if (cam_media_type_is_index(media_type_hint) != cam_media_type_is_index(type) &&
	    (cam_media_type_is_index(media_type_hint) ||
	     cam_media_type_is_manifest(media_type_hint))) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "the document came as %s and says that it is %s", media_type_hint,
			      type);
		return NULL;
	}
	*media_type = g_strdup(type);
	return g_steal_pointer(&json);
}

GPtrArray *
cam_manifest_document_descriptors(JsonObject *json, const char *member, GError **error)
{
	g_autoptr(GPtrArray) descriptors =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_descriptor_free);
	JsonNode *node = json_object_get_member(json, member);
	JsonArray *array;

	if (node == NULL || JSON_NODE_HOLDS_NULL(node))
		return g_steal_pointer(&descriptors);
	array = cam_json_get_array(json, member);
	if (array == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "\"%s\" is not an array", member);
		return NULL;
	}
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);
		CamDescriptor *descriptor = NULL;

		if (JSON_NODE_HOLDS_OBJECT(element))
			descriptor = cam_descriptor_from_json(json_node_get_object(element), error);
		else
			cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "not an object");
		if (descriptor == NULL) {
			cam_error_translate(error, "%s[%u]", member, i);
			return NULL;
		}
		g_ptr_array_add(descriptors, descriptor);
	}
	return g_steal_pointer(&descriptors);
}
