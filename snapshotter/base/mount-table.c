/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mounts of this mount name space, as far as they have to be found again. It knows nothing of
 * what is mounted or why.
 */
#include "snapshotter/base/mount-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define MOUNTINFO    "/proc/self/mountinfo"
#define FIELD_ROOT   3 /* of mountinfo(5), counted from 0 */
#define FIELD_TARGET 4

/* proc(5) writes blanks, line ends and backslashes as \ooo. */
static char *
unescape(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			g_string_append_c(out, (char) ((text[1] - '0') << 6 | (text[2] - '0') << 3 |
						       (text[3] - '0')));
			text += 3;
		} else {
			g_string_append_c(out, *text);
		}
	}
	return g_string_free(out, FALSE);
}

static char *
escape(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++)
		if (strchr(" \t\n\\", *text))
			g_string_append_printf(out, "\\%03o", (guint) *text);
		else
			g_string_append_c(out, *text);
	return g_string_free(out, FALSE);
}

static gboolean
is_below(const char *path, const char *directory)
{
	gsize length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

static gboolean
unmount(const char *target, GError **error)
{
	/* Detaching at once spares waiting for whoever still has a file open: the file systems
	 * beneath are read-only or a dead process's own. */
	if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL ||
	    errno == ENOENT)
		return TRUE;
	return cam_set_error_errno(error, errno, "cannot unmount %s", target);
}

gboolean
cam_mount_sweep(const char *directory, GError **error)
{
	g_autofree char *table = NULL, *real = realpath(directory, NULL);
	g_auto(GStrv) lines = NULL;

	g_return_val_if_fail(g_path_is_absolute(directory), FALSE);
	if (!real)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot look for mounts in %s", directory);
	if (!g_file_get_contents(MOUNTINFO, &table, NULL, error))
		return cam_error_translate(error, "cannot look for mounts in %s", directory);
	lines = g_strsplit(table, "\n", -1);
	for (guint i = g_strv_length(lines); i-- > 0;) {
		g_auto(GStrv) fields = g_strsplit(lines[i], " ", FIELD_TARGET + 2);

		if (g_strv_length(fields) <= FIELD_TARGET)
			continue;
		g_autofree char *target = unescape(fields[FIELD_TARGET]);
		if (is_below(target, real) && !unmount(target, error))
			return FALSE;
	}
	return TRUE;
}

/* Whether @text stands somewhere in the table between characters of @before and @after. */
static gboolean
table_has(const char *text, const char *before, const char *after)
{
	g_autofree char *table = NULL, *escaped = escape(text);
	gsize length = strlen(escaped);

	if (!g_file_get_contents(MOUNTINFO, &table, NULL, NULL))
		return FALSE;
	for (const char *found = table; (found = strstr(found, escaped)); found += length)
		if (found > table && strchr(before, found[-1]) && strchr(after, found[length]))
			return TRUE;
	return FALSE;
}

gboolean
cam_mount_table_has_option(const char *name, const char *path)
{
	g_autofree char *option = g_strconcat(name, "=", path, NULL);

	return table_has(option, ", ", ",\n");
}

/*
 * Whether @path is mounted somewhere else. The table says where such a mount begins as seen from
 * the top of its file system, which is shorter than the path where that is mounted below /, and
 * longer in a subvolume.
 */
static gboolean
is_root_of_mount(const char *path)
{
	g_autofree char *table = NULL, *real = realpath(path, NULL);
	g_auto(GStrv) lines = NULL;

	if (!real || !g_file_get_contents(MOUNTINFO, &table, NULL, NULL))
		return FALSE;
	lines = g_strsplit(table, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, " ", FIELD_ROOT + 2);

		if (g_strv_length(fields) <= FIELD_ROOT)
			continue;
		g_autofree char *root = unescape(fields[FIELD_ROOT]);
		/* One name alone says too little. */
		if (strrchr(root, '/') != root &&
		    (g_str_has_suffix(real, root) || g_str_has_suffix(root, real)))
			return TRUE;
	}
	return FALSE;
}

gboolean
cam_mount_table_mentions(const char *path)
{
	return table_has(path, "=:, ", ":, \n") || is_root_of_mount(path);
}
