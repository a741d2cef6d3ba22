/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounting what a snapshotter answers, as containerd's mount package does: options become flags or
 * text, and where the text is longer than the kernel's page, lower directories become relative to
 * the folder that all of them lie in.
 */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/tree.h"

#define LOWER	 "lowerdir="
#define MAX_DATA 4095 /* bytes without the NUL: a page */

static const struct {
	const char *option;
	gulong flag;
} flags[] = {
	{ "ro", MS_RDONLY },	     { "rw", 0 },
	{ "bind", MS_BIND },	     { "rbind", MS_BIND | MS_REC },
	{ "nosuid", MS_NOSUID },     { "nodev", MS_NODEV },
	{ "noexec", MS_NOEXEC },     { "noatime", MS_NOATIME },
	{ "relatime", MS_RELATIME },
};

/* What is no flag is text for the file system. (transfer full) */
static GPtrArray *
split_options(char *const *options, gulong *flag)
{
	GPtrArray *data = g_ptr_array_new_with_free_func(g_free);

	*flag = 0;
	for (; *options != NULL; options++) {
		gsize i = 0;

		while (i < G_N_ELEMENTS(flags) && !g_str_equal(flags[i].option, *options))
			i++;
		if (i < G_N_ELEMENTS(flags))
			*flag |= flags[i].flag;
		else
			g_ptr_array_add(data, g_strdup(*options));
	}
	g_ptr_array_add(data, NULL);
	return data;
}

/* The folder, with its slash, that all of @paths lie in. */
static char *
common_folder(char *const *paths)
{
	gsize length = strlen(paths[0]);

	for (char *const *path = paths; *path != NULL; path++) {
		gsize same = 0;

		while (same < length && (*path)[same] == paths[0][same])
			same++;
		length = same;
	}
	while (length > 0 && paths[0][length - 1] != '/')
		length--;
	return g_strndup(paths[0], length);
}

/* (nullable) (transfer full): the folder that lower directories are now relative to */
static char *
shorten(GPtrArray *data)
{
	for (guint i = 0; i + 1 < data->len; i++) {
		const char *option = g_ptr_array_index(data, i);
		g_auto(GStrv) paths = NULL;
		g_autoptr(GString) text = g_string_new(LOWER);
		g_autofree char *folder = NULL;

		if (!g_str_has_prefix(option, LOWER))
			continue;
		paths = g_strsplit(option + strlen(LOWER), ":", -1);
		folder = common_folder(paths);
		for (char **path = paths; *path != NULL; path++)
			g_string_append_printf(text, "%s%s", path > paths ? ":" : "",
					       *path + strlen(folder));
		g_free(data->pdata[i]);
		data->pdata[i] = g_strdup(text->str);
		return g_steal_pointer(&folder);
	}
	return NULL;
}

/* In a process of its own: a working directory belongs to all threads. */
static int
mount_from(const char *folder, const char *source, const char *target, const char *type,
	   gulong flag, const char *data)
{
	int status;
	pid_t pid = fork();

	g_assert_no_errno(pid);
	if (pid == 0) {
		if (chdir(folder) != 0 || mount(source, target, type, flag, data) != 0)
			_exit(errno);
		_exit(0);
	}
	g_assert_no_errno(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int
mount_one(const CamSnapshotMount *m, const char *target)
{
	gulong flag;
	g_autoptr(GPtrArray) list = split_options(m->options, &flag);
	g_autofree char *data = g_strjoinv(",", (char **) list->pdata);
	g_autofree char *folder = NULL;

	if (strlen(data) > MAX_DATA) {
		folder = shorten(list);
		g_assert_nonnull(folder);
		g_free(data);
		data = g_strjoinv(",", (char **) list->pdata);
		return mount_from(folder, m->source, target, m->type, flag, data);
	}
	if (mount(m->source, target, m->type, flag, data) != 0)
		return errno;
	/* A bind mount takes its flags only the second time. */
	if ((flag & MS_BIND) && (flag & MS_RDONLY) &&
	    mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return errno;
	return 0;
}

void
tree_mount(const GPtrArray *mounts, const char *target)
{
	g_assert_cmpuint(mounts->len, >=, 1);
	for (guint i = 0; i < mounts->len; i++) {
		const CamSnapshotMount *m = g_ptr_array_index(mounts, i);
		int problem = mount_one(m, target);

		if (problem != 0) {
			g_autofree char *options = g_strjoinv(",", m->options);

			g_error("cannot mount %s %s with %s: %s", m->type, m->source, options,
				g_strerror(problem));
		}
	}
}

void
tree_unmount(const char *target)
{
	g_assert_no_errno(umount2(target, 0));
}
