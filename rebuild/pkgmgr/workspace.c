/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the place where an image's package manager works: directories, the mount, and their end.
 */
#include "rebuild/pkgmgr/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void
cam_workspace_free(CamWorkspace *self)
{
	if (!self)
		return;
	cam_fd_close(cam_fd_steal(&self->merged));
	cam_fd_close(cam_fd_steal(&self->upper));
	g_clear_pointer(&self->mount, cam_mount_free);
	if (self->name) {
		int tmp = cam_store_get_tmp_dirfd(self->store, NULL, NULL);

		/* What cannot be removed now is swept with the store's temporary directory. */
		if (tmp >= 0)
			cam_remove_tree_at(tmp, self->name, NULL);
	}
	g_clear_object(&self->store);
	g_free(self->name);
	g_free(self->root);
	g_free(self->scratch);
	g_free(self->upper_path);
	g_free(self);
}

/* overlayfs shows the upper directory's own mode and owner as the root's. */
static gboolean
make_upper(int upper, CamRootfs *rootfs, GError **error)
{
	g_auto(CamStat) stat = { 0 };
	CamEntry root;

	cam_rootfs_get_root(rootfs, &root);
	if (!cam_rootfs_stat(rootfs, &root, &stat, error))
		return FALSE;
	if (fchown(upper, stat.uid, stat.gid) < 0 || fchmod(upper, stat.mode) < 0)
		return cam_set_error_errno(error, errno, "cannot prepare the upper directory");
	return TRUE;
}

static gboolean
make_directories(CamWorkspace *self, int tmp, GError **error)
{
	static const char *const names[] = { "upper", "work", "root", "scratch" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(self->name, names[i], NULL);

		if (!cam_mkdirs_at(tmp, path, 0700, error))
			return FALSE;
	}
	return TRUE;
}

static int
open_directory(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open %s", path);
	return fd;
}

CamWorkspace *
cam_workspace_new(CamStore *store, const CamImage *image, CamRootfs *rootfs,
		  GCancellable *cancellable, GError **error)
{
	g_autoptr(CamWorkspace) self = g_new0(CamWorkspace, 1);
	g_autofree char *base = NULL;
	int tmp = cam_store_get_tmp_dirfd(store, &base, error);

	self->upper = self->merged = -1;
	self->store = g_object_ref(store);
	if (tmp < 0)
		return NULL;
	self->name = g_strdup_printf("fix-%08x%08x", g_random_int(), g_random_int());
	self->root = g_build_filename(base, self->name, "root", NULL);
	self->scratch = g_build_filename(base, self->name, "scratch", NULL);

	self->upper_path = g_build_filename(base, self->name, "upper", NULL);

	g_autofree char *work = g_build_filename(base, self->name, "work", NULL);

	if (!make_directories(self, tmp, error))
		return NULL;
	self->upper = open_directory(self->upper_path, error);
	if (self->upper < 0 || !make_upper(self->upper, rootfs, error))
		return NULL;
	self->mount = cam_mount_rootfs(store, (const char *const *) image->diff_ids, CAM_MOUNT_AUTO,
				       cancellable, error);
	if (!self->mount ||
	    !cam_mount_overlay(self->mount, self->upper_path, work, self->root, error))
		return NULL;
	self->merged = open_directory(self->root, error);
	return self->merged < 0 ? NULL : g_steal_pointer(&self);
}
