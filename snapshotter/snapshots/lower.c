/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree that an overlay stands on: an EROFS image (image-cache.c) or a checkout (checkout.c).
 * Who mounts it where, and for how long, is not decided here.
 */
#include "snapshotter/snapshots/lower.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/snapshots/checkout.h"
#include "snapshotter/snapshots/image-cache.h"

#define OBJECTS	       "repo/objects"
#define REPOSITORY     "repo/config"
#define REPOSITORY_MAX (64 * 1024)

static void
abilities_free(gpointer data)
{
	cam_mount_abilities_clear(data);
	g_free(data);
}

const CamMountAbilities *
cam_lower_get_abilities(CamStore *store)
{
	GQuark quark = g_quark_from_static_string("cam-mount-abilities");
	CamMountAbilities *abilities = g_object_get_qdata(G_OBJECT(store), quark);
	g_autoptr(GError) error = NULL;
	g_autofree char *tmp = NULL;

	if (abilities)
		return abilities;
	abilities = g_new0(CamMountAbilities, 1);
	if (cam_store_get_tmp_dirfd(store, &tmp, &error) < 0)
		abilities->problem = g_strdup(error->message);
	else
		cam_mount_find_abilities(tmp, abilities);
	/* Another thread may have been faster; what it found is in use. */
	if (!g_object_replace_qdata(G_OBJECT(store), quark, NULL, abilities, abilities_free, NULL))
		abilities_free(abilities);
	return g_object_get_qdata(G_OBJECT(store), quark);
}

CamMountMethod
cam_lower_choose_method(CamStore *store, CamMountMethod method)
{
	return method == CAM_MOUNT_AUTO ? cam_mount_probe(store, NULL) : method;
}

int
cam_lower_open_objects(CamStore *store, GError **error)
{
	int fd = openat(cam_store_get_dirfd(store), OBJECTS,
			O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open the store's objects");
	return fd;
}

static gboolean
mount_image(CamStore *store, const char *const *diff_ids, gboolean loop, const char *target,
	    CamDataLayers *data, GCancellable *cancellable, GError **error)
{
	const CamMountAbilities *abilities = cam_lower_get_abilities(store);
	/* An upper then needs a second overlay, and overlays stack on a file-backed EROFS only
	 * once. */
	loop |= abilities->loop || abilities->data != CAM_DATA_FREE;

	if (abilities->data == CAM_DATA_NONE)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "EROFS over the object store does not work here: %s",
				     abilities->problem);
	g_auto(CamFd) image = cam_image_cache_open(
		store, diff_ids, abilities->data == CAM_DATA_ORDINARY, cancellable, error);
	if (image < 0 || !cam_erofs_mount(image, loop, target, error))
		return FALSE;
	*data = abilities->data;
	return TRUE;
}

/* Whether the objects of the store carry the metadata of the files that they are. */
static gboolean
objects_are_files(CamStore *store)
{
	g_autoptr(GKeyFile) config = g_key_file_new();
	g_autoptr(GBytes) bytes =
		cam_read_file_at(cam_store_get_dirfd(store), REPOSITORY, REPOSITORY_MAX, NULL);
	g_autofree char *mode = NULL;

	if (bytes && g_key_file_load_from_bytes(config, bytes, G_KEY_FILE_NONE, NULL))
		mode = g_key_file_get_string(config, "core", "mode", NULL);
	return g_strcmp0(mode, "bare") == 0;
}

static gboolean
check_out(CamStore *store, const char *const *diff_ids, int objects, const char *target,
	  CamDataLayers *data, GCancellable *cancellable, GError **error)
{
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store, diff_ids, cancellable, error);
	g_autoptr(CamTreeHistory) history = NULL;

	if (!rootfs)
		return FALSE;
	history = cam_tree_history_load(store, diff_ids, error);
	if (!history || !cam_checkout_tree(rootfs, history, objects, objects_are_files(store),
					   target, cancellable, error))
		return FALSE;
	*data = CAM_DATA_NONE;
	return TRUE;
}

gboolean
cam_lower_show(CamStore *store, const char *const *diff_ids, CamMountMethod method, int objects,
	       const char *target, CamDataLayers *data, GCancellable *cancellable, GError **error)
{
	if (method == CAM_MOUNT_CHECKOUT)
		return check_out(store, diff_ids, objects, target, data, cancellable, error);
	return mount_image(store, diff_ids, method == CAM_MOUNT_EROFS_LOOP, target, data,
			   cancellable, error);
}
