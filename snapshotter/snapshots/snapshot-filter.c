/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters for snapshots: the sentences of containerd's filter language, and what its fields mean
 * for a snapshot.
 */
#include "snapshotter/snapshots/snapshot-filter.h"

#include <string.h>

#include "snapshotter/oci/error.h"
#include "snapshotter/snapshots/filter-scanner.h"

typedef enum {
	OPERATOR_PRESENT,
	OPERATOR_EQUAL,
	OPERATOR_NOT_EQUAL,
	OPERATOR_MATCHES,
} Operator;

static const struct {
	const char *text;
	Operator op;
} operators[] = {
	{ "==", OPERATOR_EQUAL },
	{ "!=", OPERATOR_NOT_EQUAL },
	{ "~=", OPERATOR_MATCHES },
};

typedef struct {
	char *field;   /* the first part of the path */
	GString *rest; /* the others, with dots between them */
	Operator op;
	GString *value; /* (nullable); may hold NULs, which no field does */
	GRegex *regex;	/* (nullable): one that cannot be compiled */
} Selector;

struct _CamSnapshotFilter {
	GPtrArray *alternatives; /* of GPtrArray of Selector */
};

static void
string_free(GString *string)
{
	if (string != NULL)
		g_string_free(string, TRUE);
}

static void
selector_free(gpointer data)
{
	Selector *self = data;

	g_free(self->field);
	string_free(self->rest);
	string_free(self->value);
	g_clear_pointer(&self->regex, g_regex_unref);
	g_free(self);
}

static gboolean
set_error(const CamFilterScanner *scanner, const char *filter, const char *problem, GError **error)
{
	g_autofree char *quoted = g_utf8_make_valid(filter, -1);

	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "cannot read the filter %s: %s at character %ld", quoted, problem,
			     g_utf8_strlen(filter, scanner->word - filter) + 1);
}

/* @alternative: whether / and | are quotes too */
static gboolean
read_quoted(const CamFilterScanner *scanner, const char *filter, gboolean alternative,
	    GString **value, GError **error)
{
	if (!alternative && *scanner->word != '"')
		return set_error(scanner, filter, "only \" quotes here", error);
	*value = cam_filter_unquote(scanner->word, scanner->end);
	if (*value == NULL)
		return set_error(scanner, filter, "an escape stands for no character", error);
	return TRUE;
}

static gboolean
read_field(CamFilterScanner *scanner, const char *filter, GString **field, GError **error)
{
	switch (cam_filter_scan(scanner)) {
	case CAM_FILTER_FIELD:
		*field = g_string_new_len(scanner->word, scanner->end - scanner->word);
		return TRUE;
	case CAM_FILTER_QUOTED:
		return read_quoted(scanner, filter, FALSE, field, error);
	case CAM_FILTER_ILLEGAL:
		return set_error(scanner, filter, scanner->problem, error);
	case CAM_FILTER_END:
	case CAM_FILTER_VALUE:
	case CAM_FILTER_SEPARATOR:
	case CAM_FILTER_OPERATOR:
		break;
	}
	return set_error(scanner, filter, "a field is expected", error);
}

static gboolean
read_path(CamFilterScanner *scanner, const char *filter, Selector *selector, GError **error)
{
	GString *first = NULL;

	if (!read_field(scanner, filter, &first, error))
		return FALSE;
	/* No field of ours has a NUL in its name. */
	selector->field = g_strdup(strlen(first->str) == first->len ? first->str : "");
	string_free(first);
	selector->rest = g_string_new(NULL);
	for (guint parts = 0; cam_filter_peek(scanner) == '.'; parts++) {
		GString *part = NULL;

		cam_filter_scan(scanner);
		if (!read_field(scanner, filter, &part, error))
			return FALSE;
		if (parts > 0)
			g_string_append_c(selector->rest, '.');
		g_string_append_len(selector->rest, part->str, (gssize) part->len);
		string_free(part);
	}
	return TRUE;
}

static gboolean
read_operator(CamFilterScanner *scanner, const char *filter, Operator *op, GError **error)
{
	CamFilterToken token = cam_filter_scan(scanner);
	gsize length = (gsize) (scanner->end - scanner->word);

	if (token == CAM_FILTER_ILLEGAL)
		return set_error(scanner, filter, scanner->problem, error);
	for (gsize i = 0; token == CAM_FILTER_OPERATOR && i < G_N_ELEMENTS(operators); i++) {
		if (length == strlen(operators[i].text) &&
		    memcmp(scanner->word, operators[i].text, length) == 0) {
			*op = operators[i].op;
			return TRUE;
		}
	}
	return set_error(scanner, filter, "an operator (==, != or ~=) is expected", error);
}

static gboolean
read_value(CamFilterScanner *scanner, const char *filter, Selector *selector, GError **error)
{
	switch (cam_filter_scan(scanner)) {
	case CAM_FILTER_FIELD:
	case CAM_FILTER_VALUE:
		selector->value = g_string_new_len(scanner->word, scanner->end - scanner->word);
		return TRUE;
	case CAM_FILTER_QUOTED:
		return read_quoted(scanner, filter, selector->op == OPERATOR_MATCHES,
				   &selector->value, error);
	case CAM_FILTER_ILLEGAL:
		return set_error(scanner, filter, scanner->problem, error);
	case CAM_FILTER_END:
	case CAM_FILTER_SEPARATOR:
	case CAM_FILTER_OPERATOR:
		break;
	}
	return set_error(scanner, filter, "a value is expected; quote it with \"", error);
}

/* Go's "$" is the end of the text alone, and its patterns know no NUL. */
static void
compile(Selector *selector)
{
	g_autoptr(GError) error = NULL;

	if (strlen(selector->value->str) != selector->value->len)
		return;
	selector->regex = g_regex_new(selector->value->str, G_REGEX_DOLLAR_ENDONLY, 0, &error);
	if (error != NULL)
		g_debug("a filter's expression matches nothing: %s", error->message);
}

static gboolean
read_selector(CamFilterScanner *scanner, const char *filter, Selector *selector, GError **error)
{
	gunichar c;

	if (!read_path(scanner, filter, selector, error))
		return FALSE;
	c = cam_filter_peek(scanner);
	if (c == 0 || c == ',')
		return TRUE;
	if (!read_operator(scanner, filter, &selector->op, error) ||
	    !read_value(scanner, filter, selector, error))
		return FALSE;
	if (selector->op == OPERATOR_MATCHES)
		compile(selector);
	return TRUE;
}

/* Into @selectors: nothing for an empty filter. */
static gboolean
read_filter(const char *filter, GPtrArray *selectors, GError **error)
{
	CamFilterScanner scanner = { .at = filter };

	if (*filter == '\0')
		return TRUE;
	for (;;) {
		Selector *selector = g_new0(Selector, 1);

		g_ptr_array_add(selectors, selector);
		if (!read_selector(&scanner, filter, selector, error))
			return FALSE;
		if (cam_filter_peek(&scanner) == 0)
			return TRUE;
		scanner.word = scanner.at;
		if (cam_filter_peek(&scanner) != ',')
			return set_error(&scanner, filter, "a comma or the end is expected", error);
		cam_filter_scan(&scanner);
	}
}

CamSnapshotFilter *
cam_snapshot_filter_parse(const char *const *filters, GError **error)
{
	g_autoptr(CamSnapshotFilter) self = g_new(CamSnapshotFilter, 1);

	self->alternatives = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
	for (; filters != NULL && *filters != NULL; filters++) {
		GPtrArray *selectors = g_ptr_array_new_with_free_func(selector_free);

		g_ptr_array_add(self->alternatives, selectors);
		if (!read_filter(*filters, selectors, error))
			return NULL;
	}
	return g_steal_pointer(&self);
}

void
cam_snapshot_filter_free(CamSnapshotFilter *self)
{
	g_ptr_array_unref(self->alternatives);
	g_free(self);
}

static const char *
kind_name(CamSnapshotKind kind)
{
	switch (kind) {
	case CAM_SNAPSHOT_VIEW:
		return "view";
	case CAM_SNAPSHOT_ACTIVE:
		return "active";
	case CAM_SNAPSHOT_COMMITTED:
		return "committed";
	}
	return NULL;
}

/* (nullable): NULL where it is absent. What follows a field that has no parts is ignored. */
static const char *
get_field(const Selector *selector, const CamSnapshotInfo *info)
{
	if (g_str_equal(selector->field, "name"))
		return info->name;
	if (g_str_equal(selector->field, "parent"))
		return info->parent;
	if (g_str_equal(selector->field, "kind"))
		return kind_name(info->kind);
	if (!g_str_equal(selector->field, "labels") || info->labels == NULL ||
	    strlen(selector->rest->str) != selector->rest->len)
		return NULL;
	return g_hash_table_lookup(info->labels, selector->rest->str);
}

static gboolean
equals(const GString *value, const char *text)
{
	return strlen(text) == value->len && memcmp(text, value->str, value->len) == 0;
}

/* An absent field is empty text to all operators but ==. */
static gboolean
selector_matches(const Selector *selector, const CamSnapshotInfo *info)
{
	const char *found = get_field(selector, info), *text = found != NULL ? found : "";

	switch (selector->op) {
	case OPERATOR_PRESENT:
		return found != NULL;
	case OPERATOR_EQUAL:
		return found != NULL && equals(selector->value, text);
	case OPERATOR_NOT_EQUAL:
		return !equals(selector->value, text);
	case OPERATOR_MATCHES:
		return selector->regex != NULL && g_regex_match(selector->regex, text, 0, NULL);
	}
	return FALSE;
}

static gboolean
all_match(const GPtrArray *selectors, const CamSnapshotInfo *info)
{
	for (guint i = 0; i < selectors->len; i++) {
		if (!selector_matches(g_ptr_array_index(selectors, i), info))
			return FALSE;
	}
	return TRUE;
}

gboolean
cam_snapshot_filter_matches(const CamSnapshotFilter *self, const CamSnapshotInfo *info)
{
	for (guint i = 0; i < self->alternatives->len; i++) {
		if (all_match(g_ptr_array_index(self->alternatives, i), info))
			return TRUE;
	}
	return self->alternatives->len == 0;
}
