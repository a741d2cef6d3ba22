/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which keyrings of the machine belong to which distribution. Keys of releases that the
 * distribution has withdrawn (debian-archive-removed-keys) are not among them.
 */
#include "scanners/apt/apt-keyrings.h"

#include <string.h>

static const struct {
	const char *distribution, *package;
	const char *files[3];
} table[] = {
	{ "debian",
	  "debian-archive-keyring",
	  { "debian-archive-keyring.gpg", "debian-archive-keyring.pgp" } },
	{ "ubuntu", "ubuntu-keyring", { "ubuntu-archive-keyring.gpg" } },
};

const char *
cam_apt_keyrings_package(const char *distribution)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_str_equal(table[i].distribution, distribution))
			return table[i].package;
	return NULL;
}

static void
add_system(const char *distribution, const char *system, GPtrArray *paths)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if (!g_str_equal(table[i].distribution, distribution))
			continue;
		for (gsize f = 0; table[i].files[f] != NULL; f++) {
			g_autofree char *path = g_build_filename(system, table[i].files[f], NULL);

			if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
				g_ptr_array_add(paths, g_steal_pointer(&path));
		}
	}
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
add_directory(const char *parent, const char *distribution, GPtrArray *paths)
{
	g_autofree char *path = g_build_filename(parent, distribution, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
		if (g_str_has_suffix(name, ".gpg") || g_str_has_suffix(name, ".asc") ||
		    g_str_has_suffix(name, ".pgp"))
			g_ptr_array_add(found, g_build_filename(path, name, NULL));
	g_ptr_array_sort(found, compare_paths);
	for (guint i = 0; i < found->len; i++)
		g_ptr_array_add(paths, g_ptr_array_index(found, i));
}

char **
cam_apt_keyrings_list(const char *distribution, const char *system, const char *const *dirs)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	/* An image names its distribution: that must not lead to another directory. */
	if (strchr(distribution, '/') == NULL && distribution[0] != '.' &&
	    distribution[0] != '\0') {
		add_system(distribution, system, paths);
		for (gsize i = 0; dirs[i] != NULL; i++)
			add_directory(dirs[i], distribution, paths);
	}
	g_ptr_array_add(paths, NULL);
	return (char **) g_ptr_array_free(g_steal_pointer(&paths), FALSE);
}
