/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns which packaged files an image does not want to have.
 */
#include "rebuild/pkgmgr/path-filter.h"

#include <fnmatch.h>
#include <string.h>

#define CONFIG_MAX_SIZE (1024 * 1024)

typedef struct {
	char *pattern;
	gboolean exclude;
} Rule;

struct _CamPathFilter {
	GArray *rules;
};

static void
rule_clear(gpointer data)
{
	Rule *self = data;

	g_free(self->pattern);
}

CamPathFilter *
cam_path_filter_new(void)
{
	CamPathFilter *self = g_new0(CamPathFilter, 1);

	self->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
	g_array_set_clear_func(self->rules, rule_clear);
	return self;
}

void
cam_path_filter_free(CamPathFilter *self)
{
	if (!self)
		return;
	g_array_unref(self->rules);
	g_free(self);
}

/* "path-exclude=PATTERN" or "path-exclude PATTERN", perhaps quoted. */
static void
parse_line(CamPathFilter *self, char *line)
{
	static const struct {
		const char *name;
		gboolean exclude;
	} options[] = { { "path-exclude", TRUE }, { "path-include", FALSE } };

	g_strstrip(line);
	for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
		gsize size = strlen(options[i].name);

		if (strncmp(line, options[i].name, size) != 0 || !strchr("= \t", line[size]) ||
		    !line[size])
			continue;

		char *value = g_strstrip(line + size + 1);
		gsize length = strlen(value);

		if (length >= 2 && strchr("\"'", value[0]) && value[length - 1] == value[0]) {
			value[length - 1] = '\0';
			value++;
		}

		Rule rule = { g_strdup(value), options[i].exclude };

		g_array_append_val(self->rules, rule);
	}
}

void
cam_path_filter_parse(CamPathFilter *self, const char *text, gsize size)
{
	g_autofree char *copy = g_strndup(text, size);
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);

	for (guint i = 0; lines[i]; i++)
		parse_line(self, lines[i]);
}

gboolean
cam_path_filter_excludes(const CamPathFilter *self, const char *path)
{
	g_autofree char *absolute = g_strconcat("/", path, NULL);
	gboolean excluded = FALSE;

	for (guint i = 0; i < self->rules->len; i++) {
		const Rule *rule = &g_array_index(self->rules, Rule, i);

		if (fnmatch(rule->pattern, absolute, 0) == 0)
			excluded = rule->exclude;
	}
	return excluded;
}

static gboolean
read_file(CamPathFilter *self, CamRootfs *rootfs, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = cam_rootfs_read(rootfs, path, CONFIG_MAX_SIZE, &local);
	gsize size;

	if (!bytes) {
		if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}

	const char *text = g_bytes_get_data(bytes, &size);

	if (size > 0)
		cam_path_filter_parse(self, text, size);
	return TRUE;
}

/* As dpkg: names of letters, digits, "-" and "_". */
static gboolean
is_config_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
			return FALSE;
	return *name != '\0';
}

CamPathFilter *
cam_path_filter_read(CamRootfs *rootfs, GError **error)
{
	static const char directory[] = "etc/dpkg/dpkg.cfg.d";
	g_autoptr(CamPathFilter) self = cam_path_filter_new();
	CamEntry entry;

	if (cam_rootfs_lookup(rootfs, directory, TRUE, NULL, &entry, NULL) && entry.is_directory) {
		g_autoptr(CamTree) tree = cam_rootfs_open_tree(rootfs, &entry, error);

		if (!tree)
			return NULL;
		for (guint i = 0; i < cam_tree_size(tree); i++) {
			const CamEntry *file = cam_tree_get(tree, i);
			g_autofree char *path = g_build_filename(directory, file->name, NULL);

			if (!file->is_directory && is_config_name(file->name) &&
			    !read_file(self, rootfs, path, error))
				return NULL;
		}
	}
	if (!read_file(self, rootfs, "etc/dpkg/dpkg.cfg", error))
		return NULL;
	return g_steal_pointer(&self);
}
