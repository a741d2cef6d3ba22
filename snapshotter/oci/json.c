/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON as the registry world writes it. json-glib builds the documents; before it sees a byte, the
 * text is held against the grammar of RFC 8259 (json-text.c), because json-glib takes more
 * (comments, single quotes, JavaScript assignments) than other readers of the same bytes do, and
 * has no limit of depth. What is read from images and registries is read by Go programs too, which
 * compare names without case and know the type of each: cam_json_parse_document() and
 * cam_json_check_members() refuse what those would read as something else.
 */
#include "snapshotter/oci/json.h"

#include "snapshotter/oci/json-text.h"

static JsonObject *
parse(GBytes *bytes, gsize max_size, gboolean unique_names, GError **error)
{
	g_autoptr(JsonParser) parser = NULL;
	gsize size = 0;
	const char *text = g_bytes_get_data(bytes, &size);
	JsonNode *root;

	if (size > max_size) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "JSON document of %zu bytes: at most %zu are read", size, max_size);
		return NULL;
	}
	if (!cam_json_text_check(text, size, unique_names, error))
		return NULL;
	parser = json_parser_new_immutable();
	if (!json_parser_load_from_data(parser, text, (gssize) size, error)) {
		cam_error_translate(error, "cannot read JSON");
		return NULL;
	}
	root = json_parser_get_root(parser);
	if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "not a JSON object");
		return NULL;
	}
	return json_object_ref(json_node_get_object(root));
}

JsonObject *
cam_json_parse_object(GBytes *bytes, gsize max_size, GError **error)
{
	return parse(bytes, max_size, FALSE, error);
}

JsonObject *
cam_json_parse_document(GBytes *bytes, gsize max_size, GError **error)
{
	return parse(bytes, max_size, TRUE, error);
}

static gboolean
is_value(JsonNode *node, GType type)
{
	return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

static gboolean
is_map_of_strings(JsonNode *node)
{
	JsonObjectIter iter;
	JsonNode *value;

	if (!JSON_NODE_HOLDS_OBJECT(node))
		return FALSE;
	json_object_iter_init(&iter, json_node_get_object(node));
	while (json_object_iter_next(&iter, NULL, &value))
		if (!JSON_NODE_HOLDS_NULL(value) && !is_value(value, G_TYPE_STRING))
			return FALSE;
	return TRUE;
}

static gboolean
is_array_of_strings(JsonNode *node)
{
	JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

	for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
		JsonNode *element = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_NULL(element) && !is_value(element, G_TYPE_STRING))
			return FALSE;
	}
	return array != NULL;
}

static gboolean
has_type(JsonNode *node, CamJsonType type)
{
	if (JSON_NODE_HOLDS_NULL(node))
		return TRUE;
	switch (type) {
	case CAM_JSON_ANY:
		return TRUE;
	case CAM_JSON_STRING:
		return is_value(node, G_TYPE_STRING);
	case CAM_JSON_INTEGER:
		return is_value(node, G_TYPE_INT64);
	case CAM_JSON_BOOLEAN:
		return is_value(node, G_TYPE_BOOLEAN);
	case CAM_JSON_OBJECT:
		return JSON_NODE_HOLDS_OBJECT(node);
	case CAM_JSON_ARRAY:
		return JSON_NODE_HOLDS_ARRAY(node);
	case CAM_JSON_STRINGS:
		return is_array_of_strings(node);
	case CAM_JSON_STRING_MAP:
		return is_map_of_strings(node);
	}
	return FALSE;
}

/* (nullable): the known member that Go takes @name as */
static const CamJsonMember *
find_known(const CamJsonMember *known, const char *name)
{
	g_autofree char *folded = NULL;

	for (gsize i = 0; known[i].name != NULL; i++)
		if (g_str_equal(known[i].name, name))
			return &known[i];
	folded = cam_json_fold_name(name);
	for (; known->name != NULL; known++) {
		g_autofree char *other = cam_json_fold_name(known->name);

		if (g_str_equal(folded, other))
			return known;
	}
	return NULL;
}

gboolean
cam_json_check_members(JsonObject *object, const CamJsonMember *known, GError **error)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &name, &node)) {
		const CamJsonMember *member = find_known(known, name);

		if (member == NULL)
			continue;
		if (!g_str_equal(member->name, name))
			return cam_set_error(
				error, CAM_ERROR_INVALID_ARGUMENT,
				"the member \"%.100s\" should be \"%s\": only programs "
				"that do not look at case take it as that",
				name, member->name);
		if (!has_type(node, member->type))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "the member \"%s\" is of the wrong type", name);
	}
	return TRUE;
}

GBytes *
cam_json_to_bytes(JsonObject *object)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
	gsize length = 0;
	char *text;

	json_generator_set_root(generator, root);
	text = json_generator_to_data(generator, &length);
	return g_bytes_new_take(text, length);
}

static JsonNode *
copy_node(JsonNode *node)
{
	JsonNode *copy;

	if (JSON_NODE_HOLDS_OBJECT(node)) {
		copy = json_node_alloc();
		json_node_init_object(copy, NULL);
		json_node_take_object(copy, cam_json_object_copy(json_node_get_object(node)));
		return copy;
	}
	if (JSON_NODE_HOLDS_ARRAY(node)) {
		JsonArray *from = json_node_get_array(node);
		JsonArray *to = json_array_sized_new(json_array_get_length(from));

		for (guint i = 0; i < json_array_get_length(from); i++)
			json_array_add_element(to, copy_node(json_array_get_element(from, i)));
		copy = json_node_alloc();
		json_node_init_array(copy, NULL);
		json_node_take_array(copy, to);
		return copy;
	}
	return json_node_copy(node);
}

JsonObject *
cam_json_object_copy(JsonObject *object)
{
	JsonObject *copy = json_object_new();
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	json_object_iter_init_ordered(&iter, object);
	while (json_object_iter_next_ordered(&iter, &name, &node))
		json_object_set_member(copy, name, copy_node(node));
	return copy;
}

static JsonNode *
get_member(JsonObject *object, const char *member)
{
	return object != NULL ? json_object_get_member(object, member) : NULL;
}

const char *
cam_json_get_string(JsonObject *object, const char *member)
{
	JsonNode *node = get_member(object, member);

	if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

gint64
cam_json_get_int(JsonObject *object, const char *member, gint64 fallback)
{
	JsonNode *node = get_member(object, member);

	if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_INT64)
		return fallback;
	return json_node_get_int(node);
}

JsonObject *
cam_json_get_object(JsonObject *object, const char *member)
{
	JsonNode *node = get_member(object, member);

	return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *
cam_json_get_array(JsonObject *object, const char *member)
{
	JsonNode *node = get_member(object, member);

	return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}
