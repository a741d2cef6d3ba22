/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the list of what never goes into a layer that a package manager made. What it names either
 * differs from run to run or is of no use to a container.
 */
#include "rebuild/pkgmgr/layer-prune.h"

#include <string.h>

/* With all that is below. */
static const char *const trees[] = {
	"dev",		 "proc",
	"run",		 "tmp",
	"sys",		 "var/tmp",
	"var/backups",	 "var/lib/apt/lists",
	"var/cache/man", "var/cache/fontconfig",
};

static const char *const files[] = {
	"etc/.pwd.lock",
	"etc/group-",
	"etc/gshadow-",
	"etc/passwd-",
	"etc/shadow-",
	"etc/subgid-",
	"etc/subuid-",
	"usr/share/info/dir.old",
	"var/cache/debconf/config.dat-old",
	"var/cache/debconf/passwords.dat-old",
	"var/cache/debconf/templates.dat-old",
	"var/cache/ldconfig/aux-cache",
	"var/lib/dpkg/available-old",
	"var/lib/dpkg/diversions-old",
	"var/lib/dpkg/lock",
	"var/lib/dpkg/lock-frontend",
	"var/lib/dpkg/statoverride-old",
	"var/lib/dpkg/status-old",
	"var/lib/dpkg/triggers/Lock",
};

/* Files in these directories, but not the directories: packages ship those. */
static const char *const contents[] = { "var/log/", "var/cache/apt/" };

/* Backups that ucf counts: hashfile.0 … */
static const char *const prefixes[] = { "var/lib/ucf/hashfile.", "var/lib/ucf/registry." };

static const char *const suffixes[] = { ".dpkg-old", ".dpkg-tmp", ".ucf-old" };

static gboolean
is_below(const char *path, const char *directory)
{
	gsize size = strlen(directory);

	return !strncmp(path, directory, size) && (path[size] == '/' || path[size] == '\0');
}

gboolean
cam_layer_prune(const char *path, gboolean is_directory)
{
	for (gsize i = 0; i < G_N_ELEMENTS(trees); i++)
		if (is_below(path, trees[i]))
			return TRUE;
	if (is_directory)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		if (g_str_equal(path, files[i]))
			return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(contents); i++)
		if (g_str_has_prefix(path, contents[i]))
			return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(path, prefixes[i]))
			return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(path, suffixes[i]))
			return TRUE;
	return FALSE;
}

/* dir/__pycache__/name.cpython-311.opt-1.pyc stands for dir/name.py; dir/name.pyc for dir/name.py.
 */
char *
cam_layer_source_of_pyc(const char *path)
{
	if (!g_str_has_suffix(path, ".pyc"))
		return NULL;

	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *cache = g_strrstr_len(path, name - path, "__pycache__/");
	const char *dot;

	if (!cache || cache + strlen("__pycache__/") != name)
		return g_strdup_printf("%.*s.py", (int) (strlen(path) - strlen(".pyc")), path);
	/* PEP 3147: the module's own name may hold dots, the tag has none before it */
	dot = g_strrstr_len(name, (gssize) strlen(name), ".cpython-");
	if (!dot)
		dot = strchr(name, '.');
	return g_strdup_printf("%.*s%.*s.py", (int) (cache - path), path, (int) (dot - name), name);
}
