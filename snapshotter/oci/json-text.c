/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a JSON document, held against the grammar of RFC 8259 and, where documents are read
 * by Go programs too, against what those take as one member. Builds nothing.
 */
#include "snapshotter/oci/json-text.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_DEPTH CAM_JSON_MAX_DEPTH

/* Members whose own members are data, names of a program's or a user's choice: Go reads them as
 * maps, in which case counts. */
static const char *const maps[] = { "annotations", "labels", "exposedports", "volumes", NULL };

/* A member's name as it stands in the text, without its quotes. */
typedef struct {
	const char *start, *end;
} Name;

typedef struct {
	char closer;	 /* what closes it */
	gboolean is_map; /* case counts in its names */
	guint names;	 /* index of its first name */
} Container;

typedef struct {
	const char *at;
	const char *end;
	Container open[MAX_DEPTH];
	guint depth;
	GArray *names; /* (nullable): Name, of all open objects; NULL: names are not compared */
	char *problem; /* (nullable): what is wrong with names */
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

/* Whole numbers beyond 64 bits are read differently by all: refused, unless a fraction follows. */
static gboolean
is_in_range(const Scanner *s, const char *start)
{
	gsize size = (gsize) (s->at - start);
	char text[24];

	if (size < 19 || (s->at < s->end && strchr(".eE", *s->at) != NULL && *s->at != '\0'))
		return TRUE;
	if (size >= sizeof text)
		return FALSE;
	memcpy(text, start, size);
	text[size] = '\0';
	return g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, NULL, NULL);
}

static gboolean
take_number(Scanner *s)
{
	const char *start = s->at;

	if (s->at < s->end && *s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!take_digits(s))
		return FALSE;
	if (!is_in_range(s, start))
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

/* ---- names ---- */

static char *
unescaped(const Name *name)
{
	g_autoptr(JsonParser) parser = NULL;
	g_autofree char *text = NULL;

	if (memchr(name->start, '\\', (gsize) (name->end - name->start)) == NULL)
		return g_strndup(name->start, (gsize) (name->end - name->start));
	/* What stands there was found to be a string. */
	text = g_strdup_printf("[\"%.*s\"]", (int) (name->end - name->start), name->start);
	parser = json_parser_new();
	if (!json_parser_load_from_data(parser, text, -1, NULL))
		return g_steal_pointer(&text);
	return g_strdup(json_array_get_string_element(
		json_node_get_array(json_parser_get_root(parser)), 0));
}

/* The same for all names that Go takes as one: encoding/json folds the case of every letter, and of
 * the signs U+017F and U+212A too. */
char *
cam_json_fold_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if ((guint8) *p >= 0x80)
			return g_utf8_casefold(name, -1);
	return g_ascii_strdown(name, -1);
}

static gboolean
is_map(const Scanner *s)
{
	g_autofree char *name = NULL, *folded = NULL;

	if (s->names == NULL || s->depth == 0 || s->open[s->depth - 1].closer != '}' ||
	    s->names->len == 0)
		return FALSE;
	name = unescaped(&g_array_index(s->names, Name, s->names->len - 1));
	folded = cam_json_fold_name(name);
	return g_strv_contains(maps, folded);
}

static gboolean
take_name(Scanner *s)
{
	Name name;

	skip_space(s);
	name.start = s->at + 1;
	if (!take_string(s))
		return FALSE;
	name.end = s->at - 1;
	if (s->names != NULL)
		g_array_append_val(s->names, name);
	return take(s, ':');
}

/* At the end of an object: no two of its names are the same to Go. */
static gboolean
check_names(Scanner *s, const Container *object)
{
	g_autoptr(GHashTable) seen = NULL;

	if (s->names == NULL || s->names->len < object->names + 2)
		return TRUE;
	seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = object->names; i < s->names->len; i++) {
		g_autofree char *name = unescaped(&g_array_index(s->names, Name, i));
		char *key = object->is_map ? g_strdup(name) : cam_json_fold_name(name);
		const char *other = g_hash_table_lookup(seen, key);

		if (other != NULL) {
			s->problem = g_strdup_printf(
				g_str_equal(other, name)
					? "the member \"%.100s\" stands twice in one object"
					: "the members \"%.100s\" and \"%.100s\" of one object are "
					  "one to programs that do not look at case",
				other, name);
			g_free(key);
			return FALSE;
		}
		g_hash_table_insert(seen, key, g_steal_pointer(&name));
	}
	return TRUE;
}

static gboolean
open_container(Scanner *s, char closer)
{
	Container container = { .closer = closer, .is_map = is_map(s) };

	if (s->depth == MAX_DEPTH)
		return FALSE;
	container.names = s->names != NULL ? s->names->len : 0;
	s->at++;
	s->open[s->depth++] = container;
	return TRUE;
}

static gboolean
close_container(Scanner *s)
{
	const Container *container = &s->open[--s->depth];

	if (container->closer == '}' && !check_names(s, container))
		return FALSE;
	if (s->names != NULL)
		g_array_set_size(s->names, container->names);
	return TRUE;
}

/* ---- the document ---- */

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
		char closer = s->open[s->depth - 1].closer;

		if (!take(s, closer))
			return take(s, ',') && (closer == ']' || take_name(s));
		if (!close_container(s))
			return FALSE;
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
			if (!take(s, '}')) {
				if (!take_name(s))
					return FALSE;
				continue;
			}
			if (!close_container(s))
				return FALSE;
		} else if (*s->at == '[') {
			if (!open_container(s, ']'))
				return FALSE;
			if (!take(s, ']'))
				continue;
			if (!close_container(s))
				return FALSE;
		} else if (!take_scalar(s)) {
			return FALSE;
		}
		if (!take_separators(s))
			return FALSE;
	} while (s->depth > 0);
	skip_space(s);
	return s->at == s->end;
}

static gboolean
refuse(const Scanner *s, const char *text, gsize size, GError **error)
{
	if (s->problem != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s", s->problem);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "not a JSON document (RFC 8259, nesting up to %d): byte %zu of %zu",
			     MAX_DEPTH, size == 0 ? 0 : (gsize) (s->at - text), size);
}

gboolean
cam_json_text_check(const char *text, gsize size, gboolean unique_names, GError **error)
{
	g_autoptr(GArray) names = unique_names ? g_array_new(FALSE, FALSE, sizeof(Name)) : NULL;
	Scanner scanner = { .at = text, .end = text + size, .names = names };
	gboolean good =
		size > 0 && g_utf8_validate(text, (gssize) size, NULL) && take_document(&scanner);

	if (!good)
		refuse(&scanner, text, size, error);
	g_free(scanner.problem);
	return good;
}
