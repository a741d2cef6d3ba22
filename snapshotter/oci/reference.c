/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar of image names (distribution's `reference` package), written out as a scanner that
 * takes any bytes.
 */
#include "snapshotter/oci/reference.h"

#include <string.h>

#include "snapshotter/oci/digest.h"

#define MAX_NAME_LENGTH	    255
#define MAX_TAG_LENGTH	    128
#define LOWER_ALPHA_NUMERIC "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALPHA_NUMERIC	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" LOWER_ALPHA_NUMERIC

gboolean
cam_tag_is_valid(const char *tag)
{
	gsize length = tag != NULL ? strlen(tag) : 0;

	return length > 0 && length <= MAX_TAG_LENGTH && tag[0] != '.' && tag[0] != '-' &&
	       strspn(tag, ALPHA_NUMERIC "_.-") == length;
}

/* "." or "_" or "__" or any number of "-" */
static gsize
separator_length(const char *text)
{
	if (text[0] == '-')
		return strspn(text, "-");
	if (text[0] == '_')
		return text[1] == '_' ? 2 : 1;
	return text[0] == '.' ? 1 : 0;
}

static gboolean
is_path_component(const char *text)
{
	for (;;) {
		gsize n = strspn(text, LOWER_ALPHA_NUMERIC);

		if (n == 0)
			return FALSE;
		text += n;
		if (*text == '\0')
			return TRUE;
		n = separator_length(text);
		if (n == 0)
			return FALSE;
		text += n;
	}
}

static gboolean
is_path(const char *text)
{
	g_auto(GStrv) components = g_strsplit(text, "/", -1);

	for (gsize i = 0; components[i] != NULL; i++) {
		if (!is_path_component(components[i]))
			return FALSE;
	}
	return components[0] != NULL;
}

static gboolean
is_port(const char *text)
{
	gsize length = strlen(text);

	return length > 0 && length <= 5 && strspn(text, "0123456789") == length;
}

static gboolean
is_domain_name(const char *text, gsize length)
{
	g_autofree char *name = g_strndup(text, length);
	g_auto(GStrv) labels = g_strsplit(name, ".", -1);

	for (gsize i = 0; labels[i] != NULL; i++) {
		gsize n = strlen(labels[i]);

		if (n == 0 || strspn(labels[i], ALPHA_NUMERIC "-") != n || labels[i][0] == '-' ||
		    labels[i][n - 1] == '-')
			return FALSE;
	}
	return labels[0] != NULL;
}

static gboolean
is_host(const char *text)
{
	const char *colon;

	if (text[0] == '[') {
		const char *bracket = text + 1 + strspn(text + 1, "0123456789abcdefABCDEF:");

		return bracket > text + 1 && bracket[0] == ']' &&
		       (bracket[1] == '\0' || (bracket[1] == ':' && is_port(bracket + 2)));
	}
	colon = strchr(text, ':');
	if (colon == NULL)
		return is_domain_name(text, strlen(text));
	return is_domain_name(text, (gsize) (colon - text)) && is_port(colon + 1);
}

/* Whether the part before the first slash is a host: repositories have neither dots in front of a
 * slash that resolve to one, nor colons (distribution decides the same way). */
static gboolean
looks_like_host(const char *first)
{
	return strpbrk(first, ".:[") != NULL || g_str_equal(first, "localhost");
}

/* Cuts what follows @mark off @rest and returns a copy of it. */
static char *
cut_tail(char *rest, char *mark)
{
	char *tail = g_strdup(mark + 1);

	*mark = '\0';
	return tail;
}

static gboolean
parse_into(CamReference *self, char *rest, GError **error)
{
	const char *name = rest;
	char *mark = strchr(rest, '@');
	char *slash;

	if (mark != NULL) {
		self->digest = cut_tail(rest, mark);
		if (!cam_digest_check(self->digest, error))
			return FALSE;
	}
	mark = strrchr(rest, ':');
	if (mark != NULL && strchr(mark, '/') == NULL) {
		self->tag = cut_tail(rest, mark);
		if (!cam_tag_is_valid(self->tag))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "\"%.140s\" is no tag: up to %d letters, digits, _ . "
					     "and - are allowed, the first no . or -",
					     self->tag, MAX_TAG_LENGTH);
	}
	if (strlen(rest) > MAX_NAME_LENGTH)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "an image name has at most %d characters", MAX_NAME_LENGTH);
	slash = strchr(rest, '/');
	if (slash != NULL) {
		g_autofree char *first = g_strndup(rest, (gsize) (slash - rest));

		if (looks_like_host(first)) {
			if (!is_host(first))
				return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
						     "\"%s\" is no host", first);
			self->host = g_steal_pointer(&first);
			name = slash + 1;
		}
	}
	if (!is_path(name))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "\"%s\" is no repository name: lower-case letters, digits and "
				     "single . _ - or / between them are allowed",
				     name);
	self->repository = g_strdup(name);
	return TRUE;
}

CamReference *
cam_reference_parse(const char *text, GError **error)
{
	g_autoptr(CamReference) self = g_new0(CamReference, 1);
	g_autofree char *rest = g_strdup(text);

	if (!g_utf8_validate(text, -1, NULL)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "an image name must be ASCII");
		return NULL;
	}
	if (!parse_into(self, rest, error)) {
		cam_error_translate(error, "invalid image name \"%.300s\"", text);
		return NULL;
	}
	if (self->tag == NULL && self->digest == NULL)
		self->tag = g_strdup("latest");
	return g_steal_pointer(&self);
}

CamReference *
cam_reference_copy(const CamReference *self)
{
	CamReference *copy = g_new0(CamReference, 1);

	copy->host = g_strdup(self->host);
	copy->repository = g_strdup(self->repository);
	copy->tag = g_strdup(self->tag);
	copy->digest = g_strdup(self->digest);
	return copy;
}

char *
cam_reference_to_string(const CamReference *self)
{
	GString *text = g_string_new(NULL);

	if (self->host != NULL)
		g_string_append_printf(text, "%s/", self->host);
	g_string_append(text, self->repository);
	if (self->tag != NULL)
		g_string_append_printf(text, ":%s", self->tag);
	if (self->digest != NULL)
		g_string_append_printf(text, "@%s", self->digest);
	return g_string_free(text, FALSE);
}

CamReference *
cam_reference_with_tag_suffix(const CamReference *self, const char *suffix, GError **error)
{
	g_autoptr(CamReference) copy = cam_reference_copy(self);

	g_clear_pointer(&copy->digest, g_free);
	g_free(copy->tag);
	copy->tag = g_strconcat(self->tag != NULL ? self->tag : "latest", suffix, NULL);
	if (!cam_tag_is_valid(copy->tag)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "\"%.140s\" is no tag: it may have %d letters, digits, _ . and -",
			      copy->tag, MAX_TAG_LENGTH);
		return NULL;
	}
	return g_steal_pointer(&copy);
}

void
cam_reference_free(CamReference *self)
{
	if (self == NULL)
		return;
	g_free(self->host);
	g_free(self->repository);
	g_free(self->tag);
	g_free(self->digest);
	g_free(self);
}
