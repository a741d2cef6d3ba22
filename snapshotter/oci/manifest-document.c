/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells manifests from indexes and both from everything else. One document must never be read as
 * a manifest by one tool and as an index by the next (CVE-2021-41190), so whatever can be read as
 * both is refused here.
 */
#include "snapshotter/oci/manifest-document.h"

#include "snapshotter/oci/json.h"
#include "snapshotter/oci/manifest.h"

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
check_members(JsonObject *json, GError **error)
{
	static const CamJsonMember known[] = {
		{ "schemaVersion", CAM_JSON_INTEGER }, { "mediaType", CAM_JSON_STRING },
		{ "artifactType", CAM_JSON_STRING },   { "config", CAM_JSON_OBJECT },
		{ "layers", CAM_JSON_ARRAY },	       { "manifests", CAM_JSON_ARRAY },
		{ "subject", CAM_JSON_OBJECT },	       { "annotations", CAM_JSON_STRING_MAP },
		{ "fsLayers", CAM_JSON_ANY },	       { NULL, CAM_JSON_ANY },
	};

	return cam_json_check_members(json, known, error);
}

static const char *
content_member(JsonObject *json)
{
	return json_object_has_member(json, "layers")	? "layers"
	       : json_object_has_member(json, "config") ? "config"
							: NULL;
}

static const char *
type_for(const char *hint, CamDocumentKind kind)
{
	if (is_of_kind(hint, kind))
		return hint;
	return kind == CAM_DOCUMENT_INDEX ? CAM_MEDIA_TYPE_OCI_INDEX : CAM_MEDIA_TYPE_OCI_MANIFEST;
}

/* By the document's own word, else by its members. (nullable): it says nothing */
static const char *
find_type(JsonObject *json, const char *hint)
{
	const char *own = cam_json_get_string(json, "mediaType");

	if (own != NULL && own[0] != '\0')
		return own;
	if (json_object_has_member(json, "manifests"))
		return type_for(hint, CAM_DOCUMENT_INDEX);
	return content_member(json) != NULL ? type_for(hint, CAM_DOCUMENT_MANIFEST) : NULL;
}

static gboolean
check_type(JsonObject *json, const char *type, GError **error)
{
	gboolean has_manifests = json_object_has_member(json, "manifests");
	const char *content = content_member(json);

	if (has_manifests && content != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the document can be read as an index and as a manifest: it "
				     "has \"manifests\" and \"%s\"",
				     content);
	if (cam_media_type_is_index(type) && content != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the document says that it is %s but has \"%s\"", type,
				     content);
	if (cam_media_type_is_manifest(type) && has_manifests)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the document says that it is %s but has \"manifests\"", type);
	return TRUE;
}

static gboolean
check_hint(const char *type, const char *hint, GError **error)
{
	gboolean is_index = cam_media_type_is_index(hint);

	if ((!is_index && !cam_media_type_is_manifest(hint)) ||
	    is_of_kind(type, is_index ? CAM_DOCUMENT_INDEX : CAM_DOCUMENT_MANIFEST))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "the document came as %s and says that it is %s", hint, type);
}

static JsonObject *
parse(GBytes *bytes, GError **error)
{
	g_autoptr(JsonObject) json = cam_json_parse_document(bytes, CAM_MANIFEST_MAX_SIZE, error);

	if (json == NULL || !check_members(json, error) || !check_version(json, error))
		return NULL;
	return g_steal_pointer(&json);
}

char *
cam_manifest_media_type(GBytes *bytes, const char *hint, GError **error)
{
	g_autoptr(JsonObject) json = parse(bytes, error);
	const char *type = json != NULL ? find_type(json, hint) : NULL;
	const char *own = json != NULL ? cam_json_get_string(json, "mediaType") : NULL;

	if (json == NULL)
		return NULL;
	if (type == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "neither an image manifest nor an index: it has none of \"config\", "
			      "\"layers\" and \"manifests\"");
		return NULL;
	}
	/* What a document says of itself stands above what it came as. */
	if (!check_type(json, type, error) ||
	    ((own == NULL || own[0] == '\0') && !check_hint(type, hint, error)))
		return NULL;
	return g_strdup(type);
}

char *
cam_manifest_guess_media_type(GBytes *bytes)
{
	char *type = cam_manifest_media_type(bytes, NULL, NULL);

	return type != NULL ? type : g_strdup(CAM_MEDIA_TYPE_OCI_MANIFEST);
}

JsonObject *
cam_manifest_document_parse(GBytes *bytes, const char *media_type_hint, CamDocumentKind kind,
			    char **media_type, GError **error)
{
	const char *wanted = kind == CAM_DOCUMENT_INDEX ? "image index" : "image manifest";
	g_autoptr(JsonObject) json = parse(bytes, error);
	const char *type;

	if (json == NULL)
		return NULL;
	type = find_type(json, media_type_hint);
	if (type == NULL)
		type = type_for(media_type_hint, kind);
	if (!check_type(json, type, error) || !check_hint(type, media_type_hint, error))
		return NULL;
	if (!is_of_kind(type, kind)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "media type %s is not that of an %s", type, wanted);
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
