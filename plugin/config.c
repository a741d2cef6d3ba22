/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading cambium.conf. Its keys are the table in config-keys.c; what the values mean is decided
 * where they are used (settings.c has what both programs need).
 */
#include "plugin/config.h"

#include <stdio.h>
#include <string.h>

/* The first words of groups that have names. */
#define EXCEPTION "exception"
#define ACCEPT	  "accept"

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
read_number(const CamConfigKey *key, const char *value, guint64 *slot, GError **error)
{
	if (key->kind == CAM_CONFIG_SIZE)
		return cam_parse_size(value, slot, error);
	if (!g_ascii_string_to_unsigned(value, 10, 1, G_MAXUINT32, slot, NULL))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "'%s' is not a number from 1 on", value);
	return TRUE;
}

static gboolean
read_choice(const CamConfigKey *key, const char *value, int *slot, GError **error)
{
	g_autofree char *all = NULL;

	for (int i = 0; key->choices[i] != NULL; i++) {
		if (strcmp(key->choices[i], value) == 0) {
			*slot = i + 1;
			return TRUE;
		}
	}
	all = g_strjoinv(", ", (char **) key->choices);
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "'%s' is not one of %s", value,
			     all);
}

static gboolean
read_bool(const char *value, CamConfigBool *slot, GError **error)
{
	static const char *const yes[] = { "yes", "true", "on", "1", NULL };
	static const char *const no[] = { "no", "false", "off", "0", NULL };

	if (!g_strv_contains(yes, value) && !g_strv_contains(no, value))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "'%s' is not yes or no",
				     value);
	*slot = g_strv_contains(yes, value) ? CAM_CONFIG_YES : CAM_CONFIG_NO;
	return TRUE;
}

/* full-date of RFC 3339 */
static gboolean
check_date(const char *value, GError **error)
{
	guint year, month, day;
	int length = 0;

	if (strlen(value) == strlen("2030-12-31") &&
	    sscanf(value, "%4u-%2u-%2u%n", &year, &month, &day, &length) == 3 &&
	    length == (int) strlen(value) && value[4] == '-' && value[7] == '-' &&
	    g_date_valid_dmy((GDateDay) day, (GDateMonth) month, (GDateYear) year))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "'%s' is not a day in the form 2030-12-31", value);
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

/* @base: the struct that the offsets of the group's keys are of. */
static gboolean
read_value(CamConfig *self, gpointer base, const CamConfigKey *key, GKeyFile *file,
	   const char *group, const char *name, GError **error)
{
	gpointer slot = (char *) base + key->offset;
	g_autofree char *value = g_key_file_get_string(file, group, name, NULL);
	g_auto(GStrv) list = NULL;

	if (value == NULL)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "is not valid UTF-8");
	switch (key->kind) {
	case CAM_CONFIG_DIGEST:
	case CAM_CONFIG_DATE:
		if (key->kind == CAM_CONFIG_DATE ? !check_date(value, error)
						 : !cam_digest_check(value, error))
			return FALSE;
		G_GNUC_FALLTHROUGH;
	case CAM_CONFIG_TEXT:
		*(char **) slot = g_steal_pointer(&value);
		return TRUE;
	case CAM_CONFIG_LIST:
		*(char ***) slot = g_key_file_get_string_list(file, group, name, NULL, NULL);
		return TRUE;
	case CAM_CONFIG_SIZE:
	case CAM_CONFIG_COUNT:
		return read_number(key, value, slot, error);
	case CAM_CONFIG_CHOICE:
		return read_choice(key, value, slot, error);
	case CAM_CONFIG_BOOL:
		return read_bool(value, slot, error);
	case CAM_CONFIG_SEVERITY:
		if (cam_severity_parse(value, slot) &&
		    *(CamSeverity *) slot != CAM_SEVERITY_UNKNOWN)
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

/* @known: the group as the table of keys calls it. */
static gboolean
read_keys(CamConfig *self, gpointer base, GKeyFile *file, const char *group, const char *known,
	  GError **error)
{
	g_auto(GStrv) names = g_key_file_get_keys(file, group, NULL, NULL);

	for (guint i = 0; names != NULL && names[i] != NULL; i++) {
		const CamConfigKey *key = find_key(known, names[i]);

		if (key == NULL)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "[%s] has no key '%s' (see cambium.conf(5))", group,
					     names[i]);
		if (!read_value(self, base, key, file, group, names[i], error))
			return cam_error_translate(error, "[%s] %s", group, names[i]);
	}
	return TRUE;
}

/* ---- exceptions and what is accepted ---- */

static void
exception_free(CamPolicyException *self)
{
	g_free(self->name);
	g_free(self->image);
	g_free(self->digest);
	g_free(self->until);
	g_free(self->reason);
	g_free(self);
}

/* Whether the group is called "@word NAME", or would be if it had a name. */
static gboolean
is_named(const char *group, const char *word)
{
	return g_str_has_prefix(group, word) &&
	       (group[strlen(word)] == ' ' || group[strlen(word)] == '\0');
}

/* (nullable) */
static char *
read_name(const char *group, const char *word, GError **error)
{
	g_autofree char *name = g_strstrip(g_strdup(group + strlen(word)));

	if (*name != '\0')
		return g_steal_pointer(&name);
	cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "[%s] has no name: say [%s NAME]", group,
		      word);
	return NULL;
}

static gboolean
fits_everything(const char *pattern)
{
	return strspn(pattern, "*?") == strlen(pattern);
}

static gboolean
read_exception(CamConfig *self, GKeyFile *file, const char *group, GError **error)
{
	CamPolicyException *exception = g_new0(CamPolicyException, 1);

	g_ptr_array_add(self->policy.exceptions, exception);
	exception->name = read_name(group, EXCEPTION, error);
	if (exception->name == NULL ||
	    !read_keys(self, exception, file, group, EXCEPTION " NAME", error))
		return FALSE;
	/* An exception for everything would be a gate that is off but looks as if it were not. */
	if (exception->digest == NULL &&
	    (exception->image == NULL || fits_everything(exception->image)))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "[%s] must say which images it is for, by image or digest",
				     group);
	return TRUE;
}

/* Whether it names something: at least one pattern, and none for everything. */
static gboolean
names_something(char **patterns)
{
	for (char **pattern = patterns; pattern != NULL && *pattern != NULL; pattern++)
		if (fits_everything(g_strstrip(*pattern)))
			return FALSE;
	return patterns != NULL && patterns[0] != NULL;
}

static gboolean
read_acceptance(CamConfig *self, GKeyFile *file, const char *group, GError **error)
{
	CamAcceptance *acceptance = g_new0(CamAcceptance, 1);

	g_ptr_array_add(self->policy.acceptances, acceptance);
	acceptance->name = read_name(group, ACCEPT, error);
	if (acceptance->name == NULL ||
	    !read_keys(self, acceptance, file, group, ACCEPT " NAME", error))
		return FALSE;
	if ((acceptance->packages == NULL && acceptance->origins == NULL) ||
	    (acceptance->packages != NULL && !names_something(acceptance->packages)) ||
	    (acceptance->origins != NULL && !names_something(acceptance->origins)))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "[%s] must say which packages it is for, by package or "
				     "origin, and not all of them",
				     group);
	return TRUE;
}

/* *@read: whether it was such a group. */
static gboolean
read_named_group(CamConfig *self, GKeyFile *file, const char *group, gboolean *read, GError **error)
{
	*read = TRUE;
	if (is_named(group, EXCEPTION))
		return read_exception(self, file, group, error);
	if (is_named(group, ACCEPT))
		return read_acceptance(self, file, group, error);
	*read = FALSE;
	return TRUE;
}

static gboolean
read_group(CamConfig *self, GKeyFile *file, const char *group, GError **error)
{
	gboolean read;

	if (!read_named_group(self, file, group, &read, error))
		return FALSE;
	return read || read_keys(self, self, file, group, group, error);
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

static gboolean
read_exceptions(CamConfig *self, GError **error)
{
	const char *path = self->policy.exceptions_file;
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_auto(GStrv) groups = NULL;

	if (path == NULL)
		return TRUE;
	if (!read_file(file, path, TRUE, error))
		return FALSE;
	groups = g_key_file_get_groups(file, NULL);
	for (guint i = 0; groups[i] != NULL; i++) {
		gboolean read;

		if (!read_named_group(self, file, groups[i], &read, error))
			return cam_error_translate(error, "%s", path);
		if (!read)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "%s: [%s] is no exception: say [exception NAME] or "
					     "[accept NAME]",
					     path, groups[i]);
	}
	return TRUE;
}

CamConfig *
cam_config_load(const char *path, gboolean required, GError **error)
{
	g_autoptr(CamConfig) self = g_new0(CamConfig, 1);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) problem = NULL;
	g_auto(GStrv) groups = NULL;

	self->policy.exceptions = g_ptr_array_new_with_free_func((GDestroyNotify) exception_free);
	self->policy.acceptances =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_acceptance_free);
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
	return read_exceptions(self, error) ? g_steal_pointer(&self) : NULL;
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
	g_free(self->socket);
	g_free(self->containerd_address);
	g_strfreev(self->containerd_namespaces);
	g_free(self->policy.exceptions_file);
	g_clear_pointer(&self->policy.exceptions, g_ptr_array_unref);
	g_clear_pointer(&self->policy.acceptances, g_ptr_array_unref);
	g_strfreev(self->keyrings);
	g_clear_pointer(&self->sources, g_hash_table_unref);
	g_free(self);
}

GPtrArray *
cam_config_get_sources(const CamConfig *self, const char *distribution, const char *codename,
		       GError **error)
{
	g_autofree char *exact = g_strdup_printf("%s/%s", distribution, codename);
	g_autoptr(GPtrArray) sources = NULL;
	const char *key = exact;
	char **lines = g_hash_table_lookup(self->sources, key);

	if (lines == NULL) {
		key = distribution;
		lines = g_hash_table_lookup(self->sources, key);
	}
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
		source->origin = g_strdup_printf("configuration [sources] %s", key);
		g_ptr_array_add(sources, source);
	}
	return g_steal_pointer(&sources);
}

GPtrArray *
cam_config_list_sources(const CamConfig *self)
{
	GPtrArray *sources = g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	GHashTableIter iter;
	gpointer lines;

	g_hash_table_iter_init(&iter, self->sources);
	while (g_hash_table_iter_next(&iter, NULL, &lines)) {
		for (char **line = lines; *line != NULL; line++) {
			CamAptSource *source = cam_apt_source_parse(*line, NULL);

			if (source != NULL)
				g_ptr_array_add(sources, source);
		}
	}
	return sources;
}

gboolean
cam_config_is_insecure(const CamConfig *self, const char *host)
{
	return host != NULL && self->insecure != NULL &&
	       g_strv_contains((const char *const *) self->insecure, host);
}
