/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system calls that mount. Layers are given to the kernel as descriptors: by fsconfig(2) where
 * it takes them (6.13), else as /proc/self/fd/N in mount(2)'s options. Either way neither the
 * length of a path (the options may have 4 KiB) nor a colon or comma in it matters.
 */
#include "snapshotter/snapshots/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"

#define SOURCE	   "cambium" /* what mount tables show */
#define OVERLAYFS  "overlayfs"
#define LOOP_TRIES 64

typedef char FdPath[32];

static const char *
fd_path(int fd, FdPath path)
{
	g_snprintf(path, sizeof(FdPath), "/proc/self/fd/%d", fd);
	return path;
}

/*
 * Options that every overlay gets. The upper of a fix is turned into a layer: it must hold whole
 * files (metacopy=off: a chmod copies the data too) and whole directories (redirect_dir=off: a
 * directory that is renamed is copied by whoever renames it), and nothing that ties it to these
 * very lower directories (index=off). It is read at once and then thrown away, so that writing it
 * back at unmount would be for nothing (volatile).
 */
static const char *const upper_options[][2] = {
	{ "metacopy", "off" },
	{ "redirect_dir", "off" },
	{ "index", "off" },
	{ "volatile", NULL },
};

static const char *const free_options[][2] = {
	{ "metacopy", "off" },
	{ "redirect_dir", "off" },
	{ "index", "off" },
};

static const char *const metacopy_options[][2] = {
	{ "metacopy", "on" },
	{ "redirect_dir", "on" },
	{ "index", "off" },
};

typedef const char *const (*Options)[2];

static Options
choose_options(const CamOverlay *overlay, guint *count)
{
	if (overlay->upper >= 0) {
		*count = G_N_ELEMENTS(upper_options);
		return upper_options;
	}
	if (overlay->objects >= 0 && overlay->data != CAM_DATA_FREE) {
		*count = G_N_ELEMENTS(metacopy_options);
		return metacopy_options;
	}
	*count = G_N_ELEMENTS(free_options);
	return free_options;
}

static gboolean
refused(GError **error, int errnum, const char *type, const char *target)
{
	if (errnum == EPERM)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "cannot mount %s on %s without root's rights (CAP_SYS_ADMIN)",
				     type, target);
	if (errnum == ENODEV)
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "cannot mount %s on %s: this kernel does not have it", type,
				     target);
	return cam_set_error_errno(error, errnum, "cannot mount %s on %s", type, target);
}

/* ---- fsopen(2) and its family ---- */

/* What the kernel wrote about the last failure, in brackets after the error's text. */
static gboolean
context_failed(int context, const char *target, GError **error)
{
	char text[256];
	int errnum = errno;
	ssize_t size = read(context, text, sizeof(text) - 1);

	if (size <= 0)
		return refused(error, errnum, OVERLAYFS, target);
	text[size] = '\0';
	/* "e overlay: …" */
	return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED, "cannot mount %s on %s: %s (%s)",
			     OVERLAYFS, target, g_strerror(errnum),
			     g_strstrip(size > 2 ? text + 2 : text));
}

static gboolean
configure_layers(int context, const CamOverlay *overlay)
{
	const char *objects = overlay->data == CAM_DATA_ORDINARY ? "lowerdir+" : "datadir+";

	return fsconfig(context, FSCONFIG_SET_STRING, "source", SOURCE, 0) == 0 &&
	       fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", NULL, overlay->lower) == 0 &&
	       (overlay->objects < 0 ||
		fsconfig(context, FSCONFIG_SET_FD, objects, NULL, overlay->objects) == 0) &&
	       (overlay->upper < 0 ||
		(fsconfig(context, FSCONFIG_SET_FD, "upperdir", NULL, overlay->upper) == 0 &&
		 fsconfig(context, FSCONFIG_SET_FD, "workdir", NULL, overlay->work) == 0));
}

static gboolean
mount_by_context(const CamOverlay *overlay, const char *target, GError **error)
{
	g_auto(CamFd) context = fsopen("overlay", FSOPEN_CLOEXEC);
	guint count, attributes = overlay->upper < 0 ? MOUNT_ATTR_RDONLY : 0;
	Options options = choose_options(overlay, &count);

	if (context < 0)
		return refused(error, errno, OVERLAYFS, target);
	if (!configure_layers(context, overlay))
		return context_failed(context, target, error);
	for (guint i = 0; i < count; i++)
		if (fsconfig(context, options[i][1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     options[i][0], options[i][1], 0) != 0)
			return context_failed(context, target, error);
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return context_failed(context, target, error);
	g_auto(CamFd) mounted = fsmount(context, FSMOUNT_CLOEXEC, attributes);
	if (mounted < 0)
		return context_failed(context, target, error);
	if (move_mount(mounted, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return refused(error, errno, OVERLAYFS, target);
	return TRUE;
}

/* ---- mount(2) ---- */

static gboolean
mount_by_options(const CamOverlay *overlay, const char *target, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint count;
	Options options = choose_options(overlay, &count);
	FdPath path;

	g_string_append_printf(text, "lowerdir=%s", fd_path(overlay->lower, path));
	if (overlay->objects >= 0)
		g_string_append_printf(text, "%s%s",
				       overlay->data == CAM_DATA_ORDINARY ? ":" : "::",
				       fd_path(overlay->objects, path));
	if (overlay->upper >= 0) {
		g_string_append_printf(text, ",upperdir=%s", fd_path(overlay->upper, path));
		g_string_append_printf(text, ",workdir=%s", fd_path(overlay->work, path));
	}
	for (guint i = 0; i < count; i++)
		g_string_append_printf(text, ",%s%s%s", options[i][0], options[i][1] ? "=" : "",
				       options[i][1] ? options[i][1] : "");
	if (mount(SOURCE, target, "overlay", overlay->upper < 0 ? MS_RDONLY : 0, text->str) == 0)
		return TRUE;
	return refused(error, errno, OVERLAYFS, target);
}

gboolean
cam_overlay_mount(const CamOverlay *overlay, const char *target, GError **error)
{
	g_autoptr(GError) problem = NULL;

	if (overlay->by_options)
		return mount_by_options(overlay, target, error);
	if (mount_by_context(overlay, target, &problem) || mount_by_options(overlay, target, NULL))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* ---- EROFS ---- */

/* A loop device over @image that goes when it is unmounted; @device keeps it until it is. */
static gboolean
attach_loop(int image, char *path, gsize path_size, CamFd *device, GError **error)
{
	struct loop_config config = {
		.fd = (guint32) image,
		.info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
			  .lo_file_name = SOURCE },
	};
	g_auto(CamFd) control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return cam_set_error_errno(error, errno, "cannot open /dev/loop-control");
	/* Another process may take the free device first. */
	for (guint i = 0; i < LOOP_TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			break;
		g_snprintf(path, path_size, "/dev/loop%d", number);
		g_auto(CamFd) loop = open(path, O_RDONLY | O_CLOEXEC);
		if (loop < 0)
			break;
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
			*device = cam_fd_steal(&loop);
			return TRUE;
		}
		if (errno != EBUSY)
			break;
	}
	return cam_set_error_errno(error, errno, "cannot set up a loop device");
}

/* The image's path for the mount table, or the descriptor's if another file has that name now. */
static char *
image_path(int image)
{
	FdPath link;
	struct stat own, named;
	g_autofree char *path = g_file_read_link(fd_path(image, link), NULL);

	if (path && fstat(image, &own) == 0 && stat(path, &named) == 0 &&
	    own.st_dev == named.st_dev && own.st_ino == named.st_ino)
		return g_steal_pointer(&path);
	return g_strdup(link);
}

gboolean
cam_erofs_mount(int image, gboolean loop, const char *target, GError **error)
{
	g_autofree char *path = image_path(image);
	g_auto(CamFd) device = -1;
	char loop_path[32];

	if (loop && !attach_loop(image, loop_path, sizeof(loop_path), &device, error))
		return FALSE;
	if (mount(loop ? loop_path : path, target, "erofs", MS_RDONLY | MS_NODEV, NULL) == 0)
		return TRUE;
	return refused(error, errno, "EROFS", target);
}

gboolean
cam_bind_mount(const char *source, const char *target, GError **error)
{
	int errnum;

	if (mount(source, target, NULL, MS_BIND, NULL) != 0)
		return refused(error, errno, source, target);
	if (mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0)
		return TRUE;
	errnum = errno;
	umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
	return cam_set_error_errno(error, errnum, "cannot make %s read-only", target);
}
