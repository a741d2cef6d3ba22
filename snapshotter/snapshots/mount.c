/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CamMount: puts a merged rootfs together out of its parts (lower.c below, overlay.c on top) and
 * takes it down again. The lower layers are mounted in the store's folder for running operations,
 * where cam_mount_sweep() finds what a killed process left.
 */
#include "snapshotter/snapshots/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/snapshots/lower.h"

struct _CamMount {
	CamStore *store;    /* its tmp must stay */
	CamStoreHold *hold; /* and its objects */
	CamMountMethod method;
	CamDataLayers data;
	char *directory; /* ours, below the store's tmp */
	char *lower;	 /* in it: the tree, or its EROFS image mounted */
	CamFd objects;
	GPtrArray *mounted; /* (element-type filename), in this order */
};

CamMountMethod
cam_mount_probe(CamStore *store, char **reason)
{
	static const char *const data_words[] = {
		[CAM_DATA_NONE] = "",
		[CAM_DATA_ORDINARY] = "an ordinary lower layer",
		[CAM_DATA_METACOPY] = "a data-only lower layer, with metacopy",
		[CAM_DATA_FREE] = "a data-only lower layer",
	};
	const CamMountAbilities *abilities = cam_lower_get_abilities(store);

	if (abilities->data == CAM_DATA_NONE) {
		if (reason)
			*reason = g_strdup_printf("hard-link checkout, because EROFS over the "
						  "object store does not work here: %s",
						  abilities->problem);
		return CAM_MOUNT_CHECKOUT;
	}
	if (reason)
		*reason = g_strdup_printf("EROFS image mounted from %s, object store as %s",
					  abilities->loop ? "a loop device" : "its file",
					  data_words[abilities->data]);
	return CAM_MOUNT_EROFS;
}

/* ---- lower layers ---- */

static gboolean
make_directory(CamMount *self, GError **error)
{
	g_autofree char *tmp = NULL;

	if (cam_store_get_tmp_dirfd(self->store, &tmp, error) < 0)
		return FALSE;
	g_autofree char *template = g_build_filename(tmp, "mount-XXXXXX", NULL);
	if (!g_mkdtemp(template))
		return cam_set_error_errno(error, errno, "cannot make a folder in %s", tmp);
	self->directory = g_steal_pointer(&template);
	self->lower = g_build_filename(self->directory, "lower", NULL);
	if (g_mkdir(self->lower, 0755) != 0)
		return cam_set_error_errno(error, errno, "cannot make %s", self->lower);
	return TRUE;
}

CamMount *
cam_mount_rootfs(CamStore *store, const char *const *diff_ids, CamMountMethod method,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(CamMount) self = g_new0(CamMount, 1);

	self->mounted = g_ptr_array_new_with_free_func(g_free);
	self->objects = -1;
	self->store = g_object_ref(store);
	self->hold = cam_store_hold(store, cancellable, error);
	if (!self->hold)
		return NULL;
	self->method = cam_lower_choose_method(store, method);
	self->objects = cam_lower_open_objects(store, error);
	if (self->objects < 0 || !make_directory(self, error) ||
	    !cam_lower_show(store, diff_ids, self->method, self->objects, self->lower, &self->data,
			    cancellable, error))
		return NULL;
	if (self->data != CAM_DATA_NONE)
		g_ptr_array_add(self->mounted, g_strdup(self->lower));
	return g_steal_pointer(&self);
}

CamMountMethod
cam_mount_get_method(CamMount *self)
{
	return self->method;
}

/* ---- on top ---- */

static gboolean
open_directory(const char *path, CamFd *fd, GError **error)
{
	*fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 || cam_set_error_errno(error, errno, "cannot open %s", path);
}

static gboolean
mount_layers(CamMount *self, const CamOverlay *overlay, const char *target, GError **error)
{
	if (!cam_overlay_mount(overlay, target, error))
		return FALSE;
	g_ptr_array_add(self->mounted, g_strdup(target));
	return TRUE;
}

/*
 * A directory that shows the rootfs to another overlay. Where the kernel allows metacopy to be off
 * above a data-only layer, that is the lower directory itself with the objects beside it; else a
 * read-only overlay in between, so that the upper's own options are free.
 */
static gboolean
open_lower(CamMount *self, CamOverlay *overlay, CamFd *lower, GError **error)
{
	if (!open_directory(self->lower, lower, error))
		return FALSE;
	overlay->lower = *lower;
	overlay->objects = self->data == CAM_DATA_NONE ? -1 : self->objects;
	overlay->data = self->data;
	if (overlay->upper < 0 || self->data == CAM_DATA_NONE || self->data == CAM_DATA_FREE)
		return TRUE;

	CamOverlay inner = *overlay;
	g_autofree char *middle = g_build_filename(self->directory, "middle-XXXXXX", NULL);
	inner.upper = inner.work = -1;
	if (!g_mkdtemp(middle))
		return cam_set_error_errno(error, errno, "cannot make %s", middle);
	if (!mount_layers(self, &inner, middle, error))
		return FALSE;
	cam_fd_close(cam_fd_steal(lower));
	if (!open_directory(middle, lower, error))
		return FALSE;
	overlay->lower = *lower;
	overlay->objects = -1;
	return TRUE;
}

gboolean
cam_mount_overlay(CamMount *self, const char *upper, const char *work, const char *target,
		  GError **error)
{
	g_auto(CamFd) upper_fd = -1;
	g_auto(CamFd) work_fd = -1;
	g_auto(CamFd) lower = -1;

	g_return_val_if_fail((upper == NULL) == (work == NULL), FALSE);
	if (!upper && self->data == CAM_DATA_NONE) {
		/* Overlayfs wants two layers; one that is read-only needs no overlay. */
		if (!cam_bind_mount(self->lower, target, error))
			return FALSE;
		g_ptr_array_add(self->mounted, g_strdup(target));
		return TRUE;
	}
	if (upper &&
	    (!open_directory(upper, &upper_fd, error) || !open_directory(work, &work_fd, error)))
		return FALSE;
	/* A tree that programs of an image write to: mount(2)'s options show them no path of the
	 * host in their mountinfo. */
	CamOverlay overlay = { .lower = -1,
			       .objects = -1,
			       .upper = upper_fd,
			       .work = work_fd,
			       .by_options = upper != NULL };
	return open_lower(self, &overlay, &lower, error) &&
	       mount_layers(self, &overlay, target, error);
}

static void
remove_directory(const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_auto(CamFd) dirfd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);

	cam_remove_tree_at(dirfd, name, NULL);
}

void
cam_mount_free(CamMount *self)
{
	if (!self)
		return;
	for (guint i = self->mounted->len; i-- > 0;) {
		const char *target = g_ptr_array_index(self->mounted, i);

		/* Somebody may still be in it: then it goes when they leave. */
		if (umount2(target, UMOUNT_NOFOLLOW) != 0 && errno == EBUSY)
			umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	g_ptr_array_unref(self->mounted);
	if (self->directory)
		remove_directory(self->directory);
	g_free(self->directory);
	g_free(self->lower);
	cam_fd_close(self->objects);
	g_clear_pointer(&self->hold, cam_store_release);
	g_object_unref(self->store);
	g_free(self);
}
