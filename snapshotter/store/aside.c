/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is to be removed and must not be in the way meanwhile, nor when it turns out that it cannot
 * be removed: it is moved to aside/ first. What a crash leaves there, gc and cambiumd remove.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "snapshotter/store/store-private.h"

#define ASIDE "aside"

static int
open_aside(CamStore *self, GError **error)
{
	int dirfd = cam_store_get_dirfd(self);
	int fd;

	if (!cam_mkdirs_at(dirfd, ASIDE, 0700, error))
		return -1;
	fd = openat(dirfd, ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open %s/" ASIDE,
				    cam_store_get_path(self));
	return fd;
}

/* Moves @name into @aside under a new name, which is returned; NULL if that cannot be done. */
static char *
set_aside(int dirfd, const char *name, int aside)
{
	g_autofree char *moved = NULL;

	do {
		g_free(moved);
		moved = g_strdup_printf("%08x%08x", g_random_int(), g_random_int());
		if (renameat2(dirfd, name, aside, moved, RENAME_NOREPLACE) == 0)
			return g_steal_pointer(&moved);
	} while (errno == EEXIST);
	return NULL;
}

/* A tree may take long to remove, or for ever: its name is free before. */
gboolean
cam_store_discard(CamStore *self, int dirfd, const char *name, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autofree char *moved = NULL;
	g_auto(CamFd) aside = -1;

	if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return TRUE;
	aside = open_aside(self, NULL);
	moved = aside >= 0 ? set_aside(dirfd, name, aside) : NULL;
	/* A full disk, perhaps, or a mount. */
	if (moved == NULL)
		return cam_remove_tree_at(dirfd, name, error);
	if (!cam_remove_tree_at(aside, moved, &problem))
		g_message("%s is %s/" ASIDE "/%s now and stays there: %s", name,
			  cam_store_get_path(self), moved, problem->message);
	return TRUE;
}

void
cam_store_sweep_aside(CamStore *self)
{
	g_autofree char *path = g_build_filename(cam_store_get_path(self), ASIDE, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_auto(CamFd) fd = dir != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const char *name;

	while (fd >= 0 && (name = g_dir_read_name(dir)) != NULL) {
		g_autoptr(GError) problem = NULL;

		if (!cam_remove_tree_at(fd, name, &problem))
			g_message("%s/%s still cannot be removed: %s", path, name,
				  problem->message);
	}
}
