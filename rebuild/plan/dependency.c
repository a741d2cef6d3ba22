/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the translation of dpkg's relationship fields into libsolv's relations, and the naming of
 * packages of foreign architectures. Replaces is left out on purpose: to dpkg it is about files,
 * to libsolv it would let one package silently take the place of another.
 */
#include "rebuild/plan/dependency.h"

#include <string.h>

typedef struct {
	const char *name, *version;
	gsize name_size, version_size;
	const char *qualifier; /* (nullable): what follows the colon */
	gsize qualifier_size;
	int flags;
} Relation;

static gboolean
is_native(const CamDependencyContext *context, const char *architecture)
{
	return !architecture || g_str_equal(architecture, context->native) ||
	       g_str_equal(architecture, "all");
}

Id
cam_dependency_name(const CamDependencyContext *context, const char *name, gsize size,
		    const char *architecture)
{
	if (is_native(context, architecture))
		return pool_strn2id(context->pool, name, (unsigned int) size, 1);

	g_autofree char *qualified = g_strdup_printf("%.*s:%s", (int) size, name, architecture);

	return pool_str2id(context->pool, qualified, 1);
}

Id
cam_dependency_version(Pool *pool, const char *version, gsize size)
{
	if (size > 2 && version[0] == '0' && version[1] == ':') {
		version += 2;
		size -= 2;
	}
	if (size > 2 && version[size - 2] == '-' && version[size - 1] == '0')
		size -= 2;
	return pool_strn2id(pool, version, (unsigned int) size, 1);
}

static void
skip_blanks(const char **p, const char *end)
{
	while (*p < end && strchr(" \t\r\n", **p))
		(*p)++;
}

static gboolean
malformed(const char *text, gsize size, GError **error)
{
	g_autofree char *shown = g_strndup(text, MIN(size, 60));
	g_autofree char *escaped = g_strescape(shown, NULL);

	return cam_set_error(error, CAM_ERROR_DATA_LOSS, "malformed relationship \"%s\"", escaped);
}

/* dpkg reads the obsolete "<" and ">" as "<=" and ">=". */
static gboolean
parse_operator(const char **p, const char *end, int *flags)
{
	static const struct {
		const char *text;
		int flags;
	} operators[] = {
		{ "<<", REL_LT },	   { "<=", REL_LT | REL_EQ }, { ">>", REL_GT },
		{ ">=", REL_GT | REL_EQ }, { "<", REL_LT | REL_EQ },  { ">", REL_GT | REL_EQ },
		{ "=", REL_EQ },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
		gsize length = strlen(operators[i].text);

		if ((gsize) (end - *p) >= length && !memcmp(*p, operators[i].text, length)) {
			*p += length;
			*flags = operators[i].flags;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean
parse_version(const char **p, const char *end, Relation *out)
{
	(*p)++;
	skip_blanks(p, end);
	if (!parse_operator(p, end, &out->flags))
		return FALSE;
	skip_blanks(p, end);
	out->version = *p;
	while (*p < end && !strchr(" \t\r\n)", **p))
		(*p)++;
	out->version_size = (gsize) (*p - out->version);
	skip_blanks(p, end);
	if (*p == end || **p != ')' || out->version_size == 0)
		return FALSE;
	(*p)++;
	return TRUE;
}

/* name[:qualifier] [(op version)] */
static gboolean
parse_relation(const char **p, const char *end, Relation *out)
{
	*out = (Relation){ 0 };
	skip_blanks(p, end);
	out->name = *p;
	while (*p < end && (g_ascii_isalnum(**p) || strchr("+-._", **p)))
		(*p)++;
	out->name_size = (gsize) (*p - out->name);
	if (out->name_size == 0)
		return FALSE;
	if (*p < end && **p == ':') {
		out->qualifier = ++(*p);
		while (*p < end && (g_ascii_isalnum(**p) || **p == '-'))
			(*p)++;
		out->qualifier_size = (gsize) (*p - out->qualifier);
		if (out->qualifier_size == 0)
			return FALSE;
	}
	skip_blanks(p, end);
	if (*p < end && **p == '(' && !parse_version(p, end, out))
		return FALSE;
	skip_blanks(p, end);
	return *p == end || **p == '|' || **p == ',';
}

static Id
with_version(const CamDependencyContext *context, Id name, const Relation *relation)
{
	if (!relation->version)
		return name;

	Id version =
		cam_dependency_version(context->pool, relation->version, relation->version_size);

	return pool_rel2id(context->pool, name, version, relation->flags, 1);
}

static Id
named(const CamDependencyContext *context, const Relation *relation, const char *architecture)
{
	Id name = cam_dependency_name(context, relation->name, relation->name_size, architecture);

	return with_version(context, name, relation);
}

static gboolean
qualifier_is(const Relation *relation, const char *text)
{
	return relation->qualifier && relation->qualifier_size == strlen(text) &&
	       !memcmp(relation->qualifier, text, relation->qualifier_size);
}

/* What satisfies one alternative: normally a package of the same architecture. "name:any" also
 * takes the native one; "name:arch" is that one. */
static Id
requirement(const CamDependencyContext *context, const Relation *relation)
{
	if (!relation->qualifier || qualifier_is(relation, "native"))
		return named(context, relation, context->architecture);
	if (!qualifier_is(relation, "any")) {
		g_autofree char *architecture =
			g_strndup(relation->qualifier, relation->qualifier_size);

		return named(context, relation, architecture);
	}

	Id native = named(context, relation, NULL);

	if (is_native(context, context->architecture))
		return native;
	return pool_rel2id(context->pool, named(context, relation, context->architecture), native,
			   REL_OR, 1);
}

/* A conflict is with the packages of every architecture. */
static void
add_conflicts(const CamDependencyContext *context, const Relation *relation, Queue *out)
{
	if (relation->qualifier && !qualifier_is(relation, "any")) {
		queue_push(out, requirement(context, relation));
		return;
	}
	queue_push(out, named(context, relation, NULL));
	for (guint i = 0; context->foreign && context->foreign[i]; i++)
		queue_push(out, named(context, relation, context->foreign[i]));
}

/* What a Multi-Arch: foreign package provides serves packages of every architecture. */
static void
add_provides(const CamDependencyContext *context, const Relation *relation, Queue *out)
{
	queue_push(out, named(context, relation, context->architecture));
	if (!context->multi_arch_foreign)
		return;
	if (!is_native(context, context->architecture))
		queue_push(out, named(context, relation, NULL));
	for (guint i = 0; context->foreign && context->foreign[i]; i++)
		if (g_strcmp0(context->foreign[i], context->architecture) != 0)
			queue_push(out, named(context, relation, context->foreign[i]));
}

/* "a | b | c" becomes a REL_OR (b REL_OR c). */
static gboolean
parse_alternatives(const CamDependencyContext *context, const char **p, const char *end, Id *out)
{
	Id ids[CAM_DEPENDENCY_MAX_ALTERNATIVES];
	guint n = 0;

	for (;;) {
		Relation relation;

		if (n == G_N_ELEMENTS(ids) || !parse_relation(p, end, &relation))
			return FALSE;
		ids[n++] = requirement(context, &relation);
		if (*p == end || **p != '|')
			break;
		(*p)++;
	}
	*out = ids[n - 1];
	for (guint i = n - 1; i-- > 0;)
		*out = pool_rel2id(context->pool, ids[i], *out, REL_OR, 1);
	return TRUE;
}

static gboolean
parse_one(const CamDependencyContext *context, CamRelation kind, const char **p, const char *end,
	  Queue *out)
{
	Relation relation;
	Id id;

	switch (kind) {
	case CAM_RELATION_REQUIRES:
		if (!parse_alternatives(context, p, end, &id))
			return FALSE;
		queue_push(out, id);
		return TRUE;
	case CAM_RELATION_CONFLICTS:
		if (!parse_relation(p, end, &relation))
			return FALSE;
		add_conflicts(context, &relation, out);
		break;
	case CAM_RELATION_PROVIDES:
		if (!parse_relation(p, end, &relation))
			return FALSE;
		add_provides(context, &relation, out);
		break;
	}
	return *p == end || **p == ',';
}

gboolean
cam_dependency_parse(const CamDependencyContext *context, CamRelation relation, const char *text,
		     gsize size, Queue *out, GError **error)
{
	const char *p = text, *end = text + size;

	for (guint n = 0;; n++) {
		skip_blanks(&p, end);
		if (p == end)
			return TRUE;
		if (*p == ',') { /* an empty one is allowed */
			p++;
			continue;
		}

		const char *start = p;

		if (n == CAM_DEPENDENCY_MAX_RELATIONS ||
		    !parse_one(context, relation, &p, end, out))
			return malformed(start, (gsize) (end - start), error);
	}
}
