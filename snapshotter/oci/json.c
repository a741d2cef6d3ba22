/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON as the registry world writes it. json-glib builds the documents; before it sees a byte, the
 * text is held against the grammar of RFC 8259, because json-glib takes more (comments, single
 * quotes, JavaScript assignments) than other readers of the same bytes do, and has no limit of
 * depth.
 */
#include "snapshotter/oci/json.h"

#include <string.h>

#define MAX_DEPTH 64

typedef struct {
	const char *at;
	const char *end;
	char closers[MAX_DEPTH]; /* what closes each open array or object */
	guint depth;
} Scanner;

static void
skip_space(Scanner *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL && *s->at != '\0')
		s->at++;
}

static gboolean
take(Scanner *s, char wanted)
{
	skip_space(s);
	if (s->at == s->end || *s->at != wanted)
		return FALSE;
	s->at++;
	return TRUE;
}

/* The code unit of `\uXXXX`, @at behind the `u`; -1 if there are no four hex digits. */
static int
take_code_unit(Scanner *s)
{
	int value = 0;

	if (s->end - s->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value(s->at[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	s->at += 4;
	return value;
}

/* Behind a backslash. U+0000 and lone surrogates are refused: C strings and UTF-8 have no place
 * for them, and what cannot be kept must not be altered in silence. */
static gboolean
take_escape(Scanner *s)
{
	int unit;

	if (s->at == s->end || *s->at == '\0')
		return FALSE;
	if (strchr("\"\\/bfnrt", *s->at) != NULL) {
		s->at++;
		return TRUE;
	}
	if (*s->at++ != 'u')
		return FALSE;
	unit = take_code_unit(s);
	if (unit < 0xD800 || unit > 0xDFFF)
		return unit > 0;
	if (unit > 0xDBFF || s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
		return FALSE;
	s->at += 2;
	unit = take_code_unit(s);
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

static gboolean
take_string(Scanner *s)
{
	if (!take(s, '"'))
		return FALSE;
	while (s->at < s->end && *s->at != '"') {
		if ((guchar) *s->at < 0x20)
			return FALSE;
		if (*s->at++ == '\\' && !take_escape(s))
			return FALSE;
	}
	return take(s, '"');
}

static gboolean
take_digits(Scanner *s)
{
	const char *start = s->at;

	while (s->at < s->end && g_ascii_isdigit(*s->at))
		s->at++;
	return s->at > start;
}

static gboolean
take_number(Scanner *s)
{
	if (s->at < s->end && *s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!take_digits(s))
		return FALSE;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!take_digits(s))
			return FALSE;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return take_digits(s);
	}
	return TRUE;
}

static gboolean
take_literal(Scanner *s)
{
	static const char *const literals[] = { "true", "false", "null" };

	for (gsize i = 0; i < G_N_ELEMENTS(literals); i++) {
		gsize length = strlen(literals[i]);

		if ((gsize) (s->end - s->at) >= length && memcmp(s->at, literals[i], length) == 0) {
			s->at += length;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean
open_container(Scanner *s, char closer)
{
	if (s->depth == MAX_DEPTH)
		return FALSE;
	s->at++;
	s->closers[s->depth++] = closer;
	return TRUE;
}

static gboolean
take_scalar(Scanner *s)
{
	if (*s->at == '"')
		return take_string(s);
	if (*s->at == '-' || g_ascii_isdigit(*s->at))
		return take_number(s);
	return take_literal(s);
}

/* Behind a value: commas and closers up to where the next value stands, or to the end. */
static gboolean
take_separators(Scanner *s)
{
	while (s->depth > 0) {
		char closer = s->closers[s->depth - 1];

		if (take(s, closer)) {
			s->depth--;
			continue;
		}
		return take(s, ',') && (closer == ']' || (take_string(s) && take(s, ':')));
	}
	return TRUE;
}

/* One value with all that is in it. A loop with a stack of its own: input chooses the depth. */
static gboolean
take_document(Scanner *s)
{
	do {
		skip_space(s);
		if (s->at == s->end)
			return FALSE;
		if (*s->at == '{') {
			if (!open_container(s, '}'))
				return FALSE;
			if (take(s, '}'))
				s->depth--;
			else if (take_string(s) && take(s, ':'))
				continue;
			else
				return FALSE;
		} else if (*s->at == '[') {
			if (!open_container(s, ']'))
				return FALSE;
			if (!take(s, ']'))
				continue;
			s->depth--;
		} else if (!take_scalar(s)) {
			return FALSE;
		}
		if (!take_separators(s))
			return FALSE;
	} while (s->depth > 0);
	skip_space(s);
	return s->at == s->end;
}

JsonObject *
cam_json_parse_object(GBytes *bytes, gsize max_size, GError **error)
{
	g_autoptr(JsonParser) parser = NULL;
	Scanner scanner = { 0 };
	gsize size = 0;
	const char *text = g_bytes_get_data(bytes, &size);
	JsonNode *root;

	if (size > max_size) {
		cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
			      "JSON document of %zu bytes: at most %zu are read", size, max_size);
		return NULL;
	}
	scanner.at = text;
	scanner.end = text + size;
	if (size == 0 || !g_utf8_validate(text, (gssize) size, NULL) || !take_document(&scanner)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "not a JSON document (RFC 8259, nesting up to %d): byte %zu of %zu",
			      MAX_DEPTH, size == 0 ? 0 : (gsize) (scanner.at - text), size);
		return NULL;
	}
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
