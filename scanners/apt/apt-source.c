/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One apt source: the type, and how one line of sources.list(5) or one paragraph of a .sources file
 * becomes some of them. Which files there are is apt-sources.c's business.
 */
#include "scanners/apt/apt-source.h"

#include <string.h>

#include "scanners/apt/keyring.h"

#define MAX_WORD       2048
#define MAX_COMPONENTS 64

CamAptSource *
cam_apt_source_new(const char *uri, const char *suite, const char *const *components)
{
	CamAptSource *self = g_new0(CamAptSource, 1);
	gsize size = strlen(uri);

	while (size > 0 && uri[size - 1] == '/')
		size--;
	self->uri = g_strndup(uri, size);
	self->suite = g_strdup(suite);
	self->components = components != NULL ? g_strdupv((char **) components) : g_new0(char *, 1);
	return self;
}

CamAptSource *
cam_apt_source_copy(const CamAptSource *other)
{
	CamAptSource *self = cam_apt_source_new(other->uri, other->suite,
						(const char *const *) other->components);

	self->signed_by = g_strdup(other->signed_by);
	self->key = other->key != NULL ? g_bytes_ref(other->key) : NULL;
	self->trusted = other->trusted;
	self->ignore_valid_until = other->ignore_valid_until;
	self->pinned = other->pinned;
	self->origin = g_strdup(other->origin);
	self->provenance = other->provenance;
	self->keyrings = g_strdupv(other->keyrings);
	self->archive = g_strdup(other->archive);
	self->guarded = other->guarded;
	self->image_only = other->image_only;
	return self;
}

void
cam_apt_source_free(CamAptSource *self)
{
	if (self == NULL)
		return;
	g_free(self->uri);
	g_free(self->suite);
	g_strfreev(self->components);
	g_free(self->signed_by);
	g_clear_pointer(&self->key, g_bytes_unref);
	g_free(self->origin);
	g_strfreev(self->keyrings);
	g_free(self->archive);
	g_free(self);
}

const char *
cam_apt_provenance_name(CamAptProvenance provenance)
{
	switch (provenance) {
	case CAM_APT_NAMED:
		return "named";
	case CAM_APT_HOST:
		return "host";
	case CAM_APT_PROPOSED:
		return "proposed";
	case CAM_APT_IMAGE:
		return "image";
	}
	g_assert_not_reached();
}

gboolean
cam_apt_source_check_count(const GPtrArray *sources, GError **error)
{
	return sources->len < CAM_APT_MAX_SOURCES ||
	       cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED, "more than %d sources",
			     CAM_APT_MAX_SOURCES);
}

/* sources.list(5): "yes", "true", "with", "on", "enable" and numbers but 0. */
static gboolean
is_true(const char *value)
{
	static const char *const words[] = { "yes", "true", "with", "on", "enable", NULL };

	for (gsize i = 0; words[i] != NULL; i++)
		if (g_ascii_strcasecmp(value, words[i]) == 0)
			return TRUE;
	return g_ascii_strtoll(value, NULL, 10) != 0;
}

static gboolean
is_false(const char *value)
{
	static const char *const words[] = {
		"no", "false", "without", "off", "disable", "0", NULL
	};

	for (gsize i = 0; words[i] != NULL; i++)
		if (g_ascii_strcasecmp(value, words[i]) == 0)
			return TRUE;
	return FALSE;
}

/* The words of @text, none of them empty. */
static char **
split_words(const char *text)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_auto(GStrv) parts = g_strsplit_set(text, " \t\r\n", -1);

	for (gsize i = 0; parts[i] != NULL; i++)
		if (parts[i][0] != '\0')
			g_ptr_array_add(words, g_strdup(parts[i]));
	g_ptr_array_add(words, NULL);
	return (char **) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

/* Each of the values is copied once for each source of a paragraph. */
static gboolean
check_sizes(const CamAptSource *self, GError **error)
{
	gboolean fits = strlen(self->uri) <= MAX_WORD && strlen(self->suite) <= MAX_WORD &&
			g_strv_length(self->components) <= MAX_COMPONENTS;

	for (gsize i = 0; fits && self->components[i] != NULL; i++)
		fits = strlen(self->components[i]) <= MAX_WORD;
	return fits || cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a source of more than %d components, or with a word of more "
				     "than %d bytes",
				     MAX_COMPONENTS, MAX_WORD);
}

static gboolean
check(const CamAptSource *self, GError **error)
{
	g_autofree char *scheme = g_uri_parse_scheme(self->uri);
	gboolean flat = g_str_has_suffix(self->suite, "/");

	if (!check_sizes(self, error))
		return FALSE;
	if (scheme == NULL)
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"\"%s\" is no URI: write http://, https:// or file:", self->uri);
	if (flat && self->components[0] != NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "suite \"%s\" ends in \"/\": it takes no components",
				     self->suite);
	if (!flat && self->components[0] == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "suite \"%s\" needs a component, such as main", self->suite);
	return TRUE;
}

static void
set_signed_by(CamAptSource *self, const char *value)
{
	g_clear_pointer(&self->key, g_bytes_unref);
	g_clear_pointer(&self->signed_by, g_free);
	if (cam_keyring_is_armored(value, strlen(value))) {
		g_autoptr(GBytes) armored = g_bytes_new(value, strlen(value));

		/* One that cannot be decoded stays: whoever uses it says what is wrong with it. */
		self->key = cam_keyring_dearmor(armored, NULL);
		if (self->key == NULL)
			self->key = g_steal_pointer(&armored);
	} else if (value[0] != '\0') {
		self->signed_by = g_strdup(value);
	}
}

/* "[ signed-by=/a,/b trusted=yes ]"; @text is behind the bracket. Returns what follows "]". */
static const char *
parse_options(CamAptSource *self, const char *text, GError **error)
{
	const char *end = strchr(text, ']');
	g_autofree char *inner = NULL;
	g_auto(GStrv) options = NULL;

	if (end == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "the options lack their \"]\"");
		return NULL;
	}
	inner = g_strndup(text, end - text);
	options = split_words(inner);
	for (gsize i = 0; options[i] != NULL; i++) {
		char *value = strchr(options[i], '=');

		if (value == NULL) {
			cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				      "option \"%s\" has no value", options[i]);
			return NULL;
		}
		*value++ = '\0';
		if (g_ascii_strcasecmp(options[i], "signed-by") == 0)
			set_signed_by(self, value);
		else if (g_ascii_strcasecmp(options[i], "trusted") == 0)
			self->trusted = is_true(value);
		else if (g_ascii_strcasecmp(options[i], "check-valid-until") == 0)
			self->ignore_valid_until = is_false(value);
		else if (g_ascii_strcasecmp(options[i], "pinned") == 0)
			self->pinned = is_true(value);
	}
	return end + 1;
}

CamAptSource *
cam_apt_source_parse(const char *line, GError **error)
{
	g_autoptr(CamAptSource) options = g_new0(CamAptSource, 1);
	g_autoptr(CamAptSource) self = NULL;
	g_auto(GStrv) words = NULL;

	while (g_ascii_isspace(*line))
		line++;
	if (!g_str_has_prefix(line, "deb") || !g_ascii_isspace(line[3])) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "a source starts with \"deb\": \"%.80s\"", line);
		return NULL;
	}
	line += 4;
	while (g_ascii_isspace(*line))
		line++;
	if (*line == '[' && (line = parse_options(options, line + 1, error)) == NULL)
		return NULL;
	words = split_words(line);
	if (words[0] == NULL || words[1] == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "a source needs a URI and a suite: deb URI SUITE COMPONENT");
		return NULL;
	}
	self = cam_apt_source_new(words[0], words[1], (const char *const *) words + 2);
	self->signed_by = g_steal_pointer(&options->signed_by);
	self->key = g_steal_pointer(&options->key);
	self->trusted = options->trusted;
	self->ignore_valid_until = options->ignore_valid_until;
	self->pinned = options->pinned;
	return check(self, error) ? g_steal_pointer(&self) : NULL;
}

static char **
dup_words(CamDeb822 *paragraph, const char *field)
{
	g_autofree char *value = cam_deb822_dup(paragraph, field);

	return split_words(value != NULL ? value : "");
}

gboolean
cam_apt_source_add_paragraph(CamDeb822 *paragraph, GPtrArray *sources, GError **error)
{
	g_autofree char *enabled = cam_deb822_dup(paragraph, "Enabled");
	g_autofree char *signed_by = cam_deb822_dup(paragraph, "Signed-By");
	g_autofree char *trusted = cam_deb822_dup(paragraph, "Trusted");
	g_autofree char *pinned = cam_deb822_dup(paragraph, "Pinned");
	g_autofree char *valid_until = cam_deb822_dup(paragraph, "Check-Valid-Until");
	g_auto(GStrv) types = dup_words(paragraph, "Types");
	g_auto(GStrv) uris = dup_words(paragraph, "URIs");
	g_auto(GStrv) suites = dup_words(paragraph, "Suites");
	g_auto(GStrv) components = dup_words(paragraph, "Components");

	if ((enabled != NULL && is_false(enabled)) ||
	    !g_strv_contains((const char *const *) types, "deb"))
		return TRUE;
	if (uris[0] == NULL || suites[0] == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a source needs the fields URIs and Suites");
	for (gsize u = 0; uris[u] != NULL; u++) {
		for (gsize s = 0; suites[s] != NULL; s++) {
			g_autoptr(CamAptSource) source = cam_apt_source_new(
				uris[u], suites[s], (const char *const *) components);

			if (signed_by != NULL)
				set_signed_by(source, signed_by);
			source->trusted = trusted != NULL && is_true(trusted);
			source->ignore_valid_until = valid_until != NULL && is_false(valid_until);
			source->pinned = pinned != NULL && is_true(pinned);
			if (!check(source, error) || !cam_apt_source_check_count(sources, error))
				return FALSE;
			g_ptr_array_add(sources, g_steal_pointer(&source));
		}
	}
	return TRUE;
}
