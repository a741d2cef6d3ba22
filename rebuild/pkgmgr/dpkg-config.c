/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns which of an image's dpkg options hold while it is fixed, and which are dropped and why.
 */
#include "rebuild/pkgmgr/dpkg-config.h"

#include <string.h>

#define CONFIG_MAX_SIZE (1024 * 1024)
#define DIRECTORY	"etc/dpkg/dpkg.cfg.d"
#define MAIN_FILE	"etc/dpkg/dpkg.cfg"
#define ROOT_FILE	"root/.dpkg.cfg"

typedef struct {
	CamDpkgConfig *config;
	const char *path;
	GString *kept; /* the lines that dpkg may see */
	guint dropped;
} File;

static void
mask_free(gpointer data)
{
	CamDpkgMask *self = data;

	g_free(self->path);
	g_bytes_unref(self->content);
	g_free(self);
}

void
cam_dpkg_config_free(CamDpkgConfig *self)
{
	if (!self)
		return;
	cam_path_filter_free(self->filter);
	g_ptr_array_unref(self->dropped);
	g_ptr_array_unref(self->masks);
	g_ptr_array_unref(self->arguments);
	g_free(self);
}

/* ---- one option ---- */

/* What the fix does anyway, or what says nothing here. @value: (nullable): any. */
static gboolean
is_harmless(const char *name, const char *value)
{
	static const char *const options[][2] = {
		{ "no-debsig", NULL }, /* the archive's signature was verified */
		{ "force-unsafe-io", NULL },	{ "force-confold", NULL },
		{ "force-confdef", NULL },	{ "no-pager", NULL },
		{ "log", "/var/log/dpkg.log" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
		if (g_str_equal(name, options[i][0]) &&
		    (!options[i][1] || g_str_equal(value, options[i][1])))
			return TRUE;
	return FALSE;
}

/* Why an option does not hold. */
static const char *
why_dropped(const char *name)
{
	static const struct {
		const char *prefix, *reason;
	} reasons[] = {
		{ "pre-invoke", "it runs a program" },
		{ "post-invoke", "it runs a program" },
		{ "status-logger", "it runs a program" },
		{ "pager", "it runs a program" },
		{ "root", "it leads to another place" },
		{ "admindir", "it leads to another place" },
		{ "instdir", "it leads to another place" },
		{ "log", "it leads to another place" },
		{ "status-fd", "it leads to another place" },
		{ "force-", "it weakens a check" },
		{ "no-force-", "it changes a check" },
		{ "refuse-", "it changes a check" },
		{ "ignore-depends", "it weakens a check" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++)
		if (g_str_has_prefix(name, reasons[i].prefix))
			return reasons[i].reason;
	return "it is not known to be harmless";
}

static gboolean
take_path_option(File *file, const char *name, const char *value)
{
	gboolean exclude = g_str_equal(name, "path-exclude");

	if (!exclude && !g_str_equal(name, "path-include"))
		return FALSE;
	cam_path_filter_add(file->config->filter, value, exclude);
	if (g_str_equal(file->path, ROOT_FILE))
		g_ptr_array_add(file->config->arguments, g_strdup_printf("--%s=%s", name, value));
	return TRUE;
}

static void
drop(File *file, const char *name)
{
	g_autofree char *shown = g_strescape(name, NULL);

	file->dropped++;
	g_ptr_array_add(file->config->dropped,
			g_strdup_printf("/%s: the option \"%s\" is not honoured: %s", file->path,
					shown, why_dropped(name)));
}

/* "NAME=VALUE" or "NAME VALUE", the value perhaps quoted. */
static void
parse_line(File *file, char *line)
{
	g_autofree char *copy = g_strdup(g_strstrip(line));
	gsize size = strcspn(copy, "= \t");
	g_autofree char *name = g_strndup(copy, size);
	char *value = copy + size;
	gsize length;

	if (*copy == '\0' || *copy == '#')
		return;
	if (*value == '=')
		value++;
	value = g_strchug(value);
	length = strlen(value);
	if (length >= 2 && strchr("\"'", value[0]) && value[length - 1] == value[0]) {
		value[length - 1] = '\0';
		value++;
	}
	if (take_path_option(file, name, value) || is_harmless(name, value))
		g_string_append_printf(file->kept, "%s\n", line);
	else
		drop(file, name);
}

/* ---- files ---- */

static gboolean
add_mask(File *file, CamRootfs *rootfs, GError **error)
{
	CamDpkgMask *mask;
	g_auto(CamStat) stat = { 0 };
	g_autofree char *real = NULL;
	CamEntry entry;

	if (!cam_rootfs_lookup(rootfs, file->path, TRUE, &real, &entry, error) ||
	    !cam_rootfs_stat(rootfs, &entry, &stat, error))
		return FALSE;
	mask = g_new0(CamDpkgMask, 1);
	mask->path = g_steal_pointer(&real);
	mask->mode = stat.mode & 0777;
	mask->content = g_bytes_new(file->kept->str, file->kept->len);
	g_ptr_array_add(file->config->masks, mask);
	return TRUE;
}

static gboolean
read_file(CamDpkgConfig *self, CamRootfs *rootfs, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = cam_rootfs_read(rootfs, path, CONFIG_MAX_SIZE, &local);
	g_autoptr(GString) kept = g_string_new(NULL);
	File file = { self, path, kept, 0 };
	gsize size;

	if (!bytes) {
		if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}

	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++)
		parse_line(&file, lines[i]);
	if (size > 0 && memchr(data, '\0', size))
		file.dropped++; /* dpkg may read on where this does not */
	return file.dropped == 0 || g_str_equal(path, ROOT_FILE) || add_mask(&file, rootfs, error);
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

static gboolean
read_directory(CamDpkgConfig *self, CamRootfs *rootfs, GError **error)
{
	CamEntry entry;

	if (!cam_rootfs_lookup(rootfs, DIRECTORY, TRUE, NULL, &entry, NULL) || !entry.is_directory)
		return TRUE;

	g_autoptr(CamTree) tree = cam_rootfs_open_tree(rootfs, &entry, error);

	for (guint i = 0; tree && i < cam_tree_size(tree); i++) {
		const CamEntry *file = cam_tree_get(tree, i);
		g_autofree char *path = g_build_filename(DIRECTORY, file->name, NULL);

		if (!file->is_directory && is_config_name(file->name) &&
		    !read_file(self, rootfs, path, error))
			return FALSE;
	}
	return tree != NULL;
}

CamDpkgConfig *
cam_dpkg_config_read(CamRootfs *rootfs, GError **error)
{
	g_autoptr(CamDpkgConfig) self = g_new0(CamDpkgConfig, 1);

	self->filter = cam_path_filter_new();
	self->dropped = g_ptr_array_new_with_free_func(g_free);
	self->masks = g_ptr_array_new_with_free_func(mask_free);
	self->arguments = g_ptr_array_new_with_free_func(g_free);
	if (!read_directory(self, rootfs, error) || !read_file(self, rootfs, MAIN_FILE, error) ||
	    !read_file(self, rootfs, ROOT_FILE, error))
		return NULL;
	return g_steal_pointer(&self);
}
