/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns what is understood of an image's apt preferences: exclusions. Pins among releases and
 * versions are reported, not followed: a fix takes the highest version that is offered.
 */
#include "rebuild/plan/preferences.h"

#include <string.h>

#include "scanners/scanners.h"

#define PREFERENCES_MAX_SIZE (1024 * 1024)

static gboolean
is_everything(const char *pin)
{
	return pin && (g_str_equal(pin, "release *") || g_str_equal(pin, "version *") ||
		       g_str_equal(pin, "origin *"));
}

static gboolean
is_plain_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("+-.", *p))
			return FALSE;
	return *name != '\0';
}

/* A record that excludes by name; its names are added. */
static gboolean
take_exclusion(CamDeb822 *record, GHashTable *excluded)
{
	g_autofree char *packages = cam_deb822_dup(record, "Package");
	g_autofree char *pin = cam_deb822_dup(record, "Pin");
	g_autofree char *priority = cam_deb822_dup(record, "Pin-Priority");
	gint64 value;

	if (!packages || !priority ||
	    !g_ascii_string_to_signed(g_strstrip(priority), 10, G_MININT16, G_MAXINT16, &value,
				      NULL) ||
	    value >= 0 || !is_everything(pin))
		return FALSE;

	g_auto(GStrv) names = g_strsplit_set(packages, " \t\n", -1);

	for (guint i = 0; names[i]; i++)
		if (*names[i] && !is_plain_name(names[i]))
			return FALSE;
	for (guint i = 0; names[i]; i++)
		if (*names[i])
			g_hash_table_add(excluded, g_strdup(names[i]));
	return TRUE;
}

gboolean
cam_preferences_parse(const char *text, gsize size, GHashTable *excluded)
{
	g_auto(CamDeb822) record = { 0 };
	gboolean understood = TRUE;

	cam_deb822_init(&record, text, size);
	while (cam_deb822_next(&record))
		understood = take_exclusion(&record, excluded) && understood;
	return understood;
}

static gboolean
read_file(CamRootfs *rootfs, const char *path, GHashTable *excluded, GPtrArray *not_honoured,
	  GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = cam_rootfs_read(rootfs, path, PREFERENCES_MAX_SIZE, &local);
	gsize size;

	if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return TRUE;
	if (!bytes) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}

	const char *text = g_bytes_get_data(bytes, &size);

	if (size > 0 && !cam_preferences_parse(text, size, excluded))
		g_ptr_array_add(not_honoured,
				g_strdup_printf("%s of the image pins releases or versions, which "
						"is not honoured: the highest version that is "
						"offered is taken",
						path));
	return TRUE;
}

/* As apt: names without an extension, or with .pref. */
static gboolean
is_preferences_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && (!dot || g_str_equal(dot, ".pref"));
}

gboolean
cam_preferences_read(CamRootfs *rootfs, GHashTable *excluded, GPtrArray *not_honoured,
		     GError **error)
{
	CamEntry directory;
	g_autoptr(GError) local = NULL;

	if (!read_file(rootfs, "etc/apt/preferences", excluded, not_honoured, error))
		return FALSE;
	if (!cam_rootfs_lookup(rootfs, "etc/apt/preferences.d", TRUE, NULL, &directory, &local)) {
		if (g_error_matches(local, CAM_ERROR, CAM_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!directory.is_directory)
		return TRUE;

	g_autoptr(CamTree) tree = cam_rootfs_open_tree(rootfs, &directory, error);

	for (guint i = 0; tree && i < cam_tree_size(tree); i++) {
		const CamEntry *entry = cam_tree_get(tree, i);
		g_autofree char *path =
			g_build_filename("etc/apt/preferences.d", entry->name, NULL);

		if (!entry->is_directory && is_preferences_name(entry->name) &&
		    !read_file(rootfs, path, excluded, not_honoured, error))
			return FALSE;
	}
	return tree != NULL;
}
