/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image configs: platform, diffIDs and history are read, all else is kept.
 */
#include "snapshotter/oci/image-config.h"

#include "snapshotter/oci/json.h"

static void
history_free(CamHistory *self)
{
	g_free(self->created_by);
	g_free(self->created);
	g_free(self);
}

static gboolean
check_history(JsonArray *history, GError **error)
{
	static const CamJsonMember known[] = {
		{ "created", CAM_JSON_STRING },	     { "created_by", CAM_JSON_STRING },
		{ "author", CAM_JSON_STRING },	     { "comment", CAM_JSON_STRING },
		{ "empty_layer", CAM_JSON_BOOLEAN }, { NULL, CAM_JSON_ANY },
	};

	for (guint i = 0; history != NULL && i < json_array_get_length(history); i++) {
		JsonNode *entry = json_array_get_element(history, i);

		if (JSON_NODE_HOLDS_OBJECT(entry) &&
		    !cam_json_check_members(json_node_get_object(entry), known, error))
			return cam_error_translate(error, "history[%u]", i);
	}
	return TRUE;
}

/* The members that programs go by, at each level. */
static gboolean
check_members(JsonObject *json, GError **error)
{
	static const CamJsonMember top[] = {
		{ "created", CAM_JSON_STRING },
		{ "author", CAM_JSON_STRING },
		{ "architecture", CAM_JSON_STRING },
		{ "os", CAM_JSON_STRING },
		{ "os.version", CAM_JSON_STRING },
		{ "os.features", CAM_JSON_STRINGS },
		{ "variant", CAM_JSON_STRING },
		{ "config", CAM_JSON_OBJECT },
		{ "rootfs", CAM_JSON_OBJECT },
		{ "history", CAM_JSON_ARRAY },
		{ NULL, CAM_JSON_ANY },
	};
	static const CamJsonMember rootfs[] = {
		{ "type", CAM_JSON_STRING },
		{ "diff_ids", CAM_JSON_STRINGS },
		{ NULL, CAM_JSON_ANY },
	};
	static const CamJsonMember config[] = {
		{ "User", CAM_JSON_STRING },	   { "ExposedPorts", CAM_JSON_OBJECT },
		{ "Env", CAM_JSON_STRINGS },	   { "Entrypoint", CAM_JSON_ANY },
		{ "Cmd", CAM_JSON_ANY },	   { "Volumes", CAM_JSON_OBJECT },
		{ "WorkingDir", CAM_JSON_STRING }, { "Labels", CAM_JSON_STRING_MAP },
		{ "StopSignal", CAM_JSON_STRING }, { NULL, CAM_JSON_ANY },
	};
	JsonObject *own_rootfs = cam_json_get_object(json, "rootfs");
	JsonObject *own_config = cam_json_get_object(json, "config");

	if (!cam_json_check_members(json, top, error))
		return FALSE;
	if (own_rootfs != NULL && !cam_json_check_members(own_rootfs, rootfs, error))
		return cam_error_translate(error, "rootfs");
	if (own_config != NULL && !cam_json_check_members(own_config, config, error))
		return cam_error_translate(error, "config");
	return check_history(cam_json_get_array(json, "history"), error);
}

static gboolean
read_platform(CamImageConfig *self, GError **error)
{
	const char *os = cam_json_get_string(self->json, "os");
	const char *architecture = cam_json_get_string(self->json, "architecture");

	if (os == NULL || os[0] == '\0' || architecture == NULL || architecture[0] == '\0')
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "it does not name os and architecture");
	self->platform =
		cam_platform_new(os, architecture, cam_json_get_string(self->json, "variant"));
	return TRUE;
}

/* Layers are known by their sha256, here as in containerd, which computes no other diffID. */
static gboolean
check_diff_id(const char *diff_id, GError **error)
{
	CamSha256 unused;

	return cam_digest_check(diff_id, error) &&
	       (cam_digest_to_sha256(diff_id, &unused, NULL) ||
		cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
			      "%.20s…: diffIDs of sha512 are not supported, only sha256 (blobs may "
			      "have either)",
			      diff_id));
}

static gboolean
read_diff_ids(CamImageConfig *self, GError **error)
{
	JsonObject *rootfs = cam_json_get_object(self->json, "rootfs");
	JsonNode *node;
	JsonArray *array;

	if (rootfs == NULL || g_strcmp0(cam_json_get_string(rootfs, "type"), "layers") != 0)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "it has no rootfs of type \"layers\"");
	node = json_object_get_member(rootfs, "diff_ids");
	if (node == NULL || JSON_NODE_HOLDS_NULL(node))
		return TRUE;
	array = cam_json_get_array(rootfs, "diff_ids");
	if (array == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "rootfs.diff_ids is not an array");
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);
		const char *diff_id = NULL;

		if (JSON_NODE_HOLDS_VALUE(element) &&
		    json_node_get_value_type(element) == G_TYPE_STRING)
			diff_id = json_node_get_string(element);
		if (!check_diff_id(diff_id, error))
			return cam_error_translate(error, "rootfs.diff_ids[%u]", i);
		g_ptr_array_add(self->diff_ids, g_strdup(diff_id));
	}
	return TRUE;
}

/* History is for people: what is not understood in it is passed over. */
static void
read_history(CamImageConfig *self)
{
	JsonArray *array = cam_json_get_array(self->json, "history");

	for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);
		CamHistory *entry;
		JsonObject *object;
		JsonNode *empty;

		if (!JSON_NODE_HOLDS_OBJECT(element))
			continue;
		object = json_node_get_object(element);
		entry = g_new0(CamHistory, 1);
		entry->created_by = g_strdup(cam_json_get_string(object, "created_by"));
		entry->created = g_strdup(cam_json_get_string(object, "created"));
		empty = json_object_get_member(object, "empty_layer");
		entry->empty_layer = empty != NULL && JSON_NODE_HOLDS_VALUE(empty) &&
				     json_node_get_value_type(empty) == G_TYPE_BOOLEAN &&
				     json_node_get_boolean(empty);
		g_ptr_array_add(self->history, entry);
	}
}

CamImageConfig *
cam_image_config_parse(GBytes *bytes, GError **error)
{
	g_autoptr(CamImageConfig) self = g_new0(CamImageConfig, 1);

	self->bytes = g_bytes_ref(bytes);
	self->digest = cam_digest_for_bytes(bytes);
	self->diff_ids = g_ptr_array_new_with_free_func(g_free);
	self->history = g_ptr_array_new_with_free_func((GDestroyNotify) history_free);
	self->json = cam_json_parse_document(bytes, CAM_MANIFEST_MAX_SIZE, error);
	if (self->json == NULL || !check_members(self->json, error) ||
	    !read_platform(self, error) || !read_diff_ids(self, error)) {
		cam_error_translate(error, "image config %s", self->digest);
		return NULL;
	}
	read_history(self);
	return g_steal_pointer(&self);
}

const char *
cam_image_config_layer_created_by(const CamImageConfig *self, guint i)
{
	for (guint at = 0; at < self->history->len; at++) {
		const CamHistory *entry = g_ptr_array_index(self->history, at);

		if (!entry->empty_layer && i-- == 0)
			return entry->created_by;
	}
	return NULL;
}

void
cam_image_config_free(CamImageConfig *self)
{
	if (self == NULL)
		return;
	g_free(self->digest);
	g_clear_pointer(&self->bytes, g_bytes_unref);
	cam_platform_free(self->platform);
	g_clear_pointer(&self->diff_ids, g_ptr_array_unref);
	g_clear_pointer(&self->history, g_ptr_array_unref);
	g_clear_pointer(&self->json, json_object_unref);
	g_free(self);
}
