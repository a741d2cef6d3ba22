/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cambium.conf: reading it, and the table of keys that its man page is made from. What the values
 * mean is decided where they are used.
 */
#include "plugin/config.h"

#include <string.h>

const CamConfigKey cam_config_keys[] = {
	{ "store", "path", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, store),
	  "the state directory for root, ~/.local/share/cambium for others",
	  "Directory of the store. The option --store has precedence." },
	{ "scan", "unknown_counts_as", CAM_CONFIG_SEVERITY,
	  G_STRUCT_OFFSET(CamConfig, unknown_counts_as), "medium",
	  "What a finding whose severity nobody has said counts as in the risk level of an image "
	  "and "
	  "for --fail-on: critical, high, medium, low or none. Reports show it as unknown all the "
	  "same." },
	{ "limits", "layer_size", CAM_CONFIG_SIZE, G_STRUCT_OFFSET(CamConfig, layer_size), "64G",
	  "Uncompressed bytes of one layer beyond which import refuses it; K, M, G and T are "
	  "powers "
	  "of 1024." },
	{ "limits", "layer_entries", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, layer_entries),
	  "4000000", "Members of one layer's tar beyond which import refuses it." },
	{ "limits", "layer_ratio", CAM_CONFIG_COUNT, G_STRUCT_OFFSET(CamConfig, layer_ratio),
	  "1000",
	  "How many times larger than its compressed form a layer may become before import takes "
	  "it "
	  "for a bomb; the first 64 MiB are free." },
	{ "registries", "insecure", CAM_CONFIG_LIST, G_STRUCT_OFFSET(CamConfig, insecure), NULL,
	  "Registries (host or host:port) for which plain HTTP and unverified TLS are accepted. "
	  "localhost needs no mention." },
	{ "registries", "auth_file", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, auth_file),
	  "the usual places of auth.json and config.json", "File with the credentials." },
	{ "fix", "suffix", CAM_CONFIG_TEXT, G_STRUCT_OFFSET(CamConfig, suffix), "_fix",
	  "What is appended to the tag of a fixed image." },
	{ "sources", "DISTRIBUTION[/CODENAME]", CAM_CONFIG_SOURCES, 0,
	  "the image's own sources, and the machine's with the codename exchanged",
	  "Where the packages of a distribution are looked for, as lines of sources.list(5) parted "
	  "by "
	  "semicolons, for example \"debian = deb https://mirror.example.org/debian {codename} "
	  "main; "
	  "deb https://mirror.example.org/debian-security {codename}-security main\". {codename} "
	  "stands for the codename of the image's release; a key with a codename (debian/bookworm) "
	  "has precedence over one without." },
	{ NULL },
};

gboolean
cam_parse_size(const char *text, guint64 *size, GError **error)
{
	static const char suffixes[] = "KMGT";
	char *end = NULL;
	guint64 number = g_ascii_strtoull(text, &end, 10);
	const char *suffix = *end != '\0' ? strchr(suffixes, g_ascii_toupper(*end)) : NULL;
	guint shift = suffix != NULL ? 10 * (guint) (suffix - suffixes + 1) : 0;
	gboolean whole = *end == '\0' || (suffix != NULL && end[1] == '\0');

	if (!g_ascii_isdigit(*text) || !whole || number > G_MAXUINT64 >> shift)
		return cam_set_error(
			error, CAM_ERROR_INVALID_ARGUMENT,
			"'%s' is not a size: say a number of bytes, or of K, M, G or T", text);
	*size = number << shift;
	return TRUE;
}

static gboolean
read_number(CamConfig *self, const CamConfigKey *key, const char *value, GError **error)
{
	guint64 *slot = (gpointer) ((char *) self + key->offset);

	if (key->kind == CAM_CONFIG_SIZE)
		return cam_parse_size(value, slot, error);
	if (!g_ascii_string_to_unsigned(value, 10, 1, G_MAXUINT32, slot, NULL))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "'%s' is not a number from 1 on", value);
	return TRUE;
}

static gboolean
read_sources(CamConfig *self, const char *key, char **lines, GError **error)
{
	g_autoptr(GPtrArray) kept = g_ptr_array_new_null_terminated(4, g_free, TRUE);

	for (guint i = 0; lines[i] != NULL; i++) {
		g_autoptr(CamAptSource) source = NULL;

		g_strstrip(lines[i]);
		if (*lines[i] == '\0')
			continue;
		source = cam_apt_source_parse(lines[i], error);
		if (source == NULL)
			return FALSE;
		g_ptr_array_add(kept, g_strdup(lines[i]));
	}
	g_hash_table_insert(self->sources, g_strdup(key),
			    g_ptr_array_free(g_steal_pointer(&kept), FALSE));
	return TRUE;
}

static gboolean
read_value(CamConfig *self, const CamConfigKey *key, GKeyFile *file, const char *name,
	   GError **error)
{
	gpointer slot = (char *) self + key->offset;
	g_autofree char *value = g_key_file_get_string(file, key->group, name, NULL);
	g_auto(GStrv) list = NULL;

	if (value == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "is not valid UTF-8");
	switch (key->kind) {
	case CAM_CONFIG_TEXT:
		*(char **) slot = g_steal_pointer(&value);
		return TRUE;
	case CAM_CONFIG_LIST:
		*(char ***) slot = g_key_file_get_string_list(file, key->group, name, NULL, NULL);
		return TRUE;
	case CAM_CONFIG_SIZE:
	case CAM_CONFIG_COUNT:
		return read_number(self, key, value, error);
	case CAM_CONFIG_SEVERITY:
		if (cam_severity_parse(value, slot))
			return TRUE;
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "'%s' is not one of critical, high, medium, low, none", value);
	case CAM_CONFIG_SOURCES:
		list = g_strsplit(value, ";", -1);
		return read_sources(self, name, list, error);
	}
	g_assert_not_reached();
}

static const CamConfigKey *
find_key(const char *group, const char *name)
{
	for (const CamConfigKey *k = cam_config_keys; k->group != NULL; k++) {
		if (strcmp(k->group, group) == 0 &&
		    (k->kind == CAM_CONFIG_SOURCES || strcmp(k->key, name) == 0))
			return k;
	}
	return NULL;
}

static gboolean
read_group(CamConfig *self, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) names = g_key_file_get_keys(file, group, NULL, NULL);

	for (guint i = 0; names != NULL && names[i] != NULL; i++) {
		const CamConfigKey *key = find_key(group, names[i]);

		if (key == NULL)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "[%s] has no key '%s' (see cambium.conf(5))", group,
					     names[i]);
		if (!read_value(self, key, file, names[i], error))
			return cam_error_translate(error, "[%s] %s", group, names[i]);
	}
	return TRUE;
}

/* FALSE without error: there is no file, and it is not required. */
static gboolean
read_file(GKeyFile *file, const char *path, gboolean required, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autofree char *text = NULL;
	gsize size;

	/* Not g_key_file_load_from_file(): that one refuses /dev/null. */
	if (!g_file_get_contents(path, &text, &size, &problem)) {
		if (!required && g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return FALSE;
		g_propagate_error(error, g_steal_pointer(&problem));
		return cam_error_translate(error, "cannot read the configuration");
	}
	if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, &problem))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "%s: %s", path,
				     problem->message);
	return TRUE;
}

CamConfig *
cam_config_load(const char *path, gboolean required, GError **error)
{
	g_autoptr(CamConfig) self = g_new0(CamConfig, 1);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) problem = NULL;
	g_auto(GStrv) groups = NULL;

	self->sources =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
	if (!read_file(file, path, required, &problem)) {
		if (problem == NULL)
			return g_steal_pointer(&self);
		g_propagate_error(error, g_steal_pointer(&problem));
		return NULL;
	}
	groups = g_key_file_get_groups(file, NULL);
	for (guint i = 0; groups[i] != NULL; i++) {
		if (!read_group(self, file, groups[i], error)) {
			cam_error_translate(error, "%s", path);
			return NULL;
		}
	}
	return g_steal_pointer(&self);
}

void
cam_config_free(CamConfig *self)
{
	if (self == NULL)
		return;
	g_free(self->store);
	g_strfreev(self->insecure);
	g_free(self->auth_file);
	g_free(self->suffix);
	g_clear_pointer(&self->sources, g_hash_table_unref);
	g_free(self);
}

GPtrArray *
cam_config_get_sources(const CamConfig *self, const char *distribution, const char *codename,
		       GError **error)
{
	g_autofree char *exact = g_strdup_printf("%s/%s", distribution, codename);
	g_autoptr(GPtrArray) sources = NULL;
	char **lines = g_hash_table_lookup(self->sources, exact);

	if (lines == NULL)
		lines = g_hash_table_lookup(self->sources, distribution);
	if (lines == NULL)
		return NULL;
	sources = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	for (guint i = 0; lines[i] != NULL; i++) {
		g_autoptr(GString) line = g_string_new(lines[i]);
		CamAptSource *source;

		g_string_replace(line, "{codename}", codename, 0);
		source = cam_apt_source_parse(line->str, error);
		if (source == NULL)
			return NULL;
		g_ptr_array_add(sources, source);
	}
	return g_steal_pointer(&sources);
}

gboolean
cam_config_is_insecure(const CamConfig *self, const char *host)
{
	return host != NULL && self->insecure != NULL &&
	       g_strv_contains((const char *const *) self->insecure, host);
}
