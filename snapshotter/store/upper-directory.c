/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What overlayfs says in an upper layer by other means than files: whiteouts, opaque directories,
 * and attributes of its own (the kernel's Documentation/filesystems/overlayfs.rst). Of all other
 * attributes a layer holds those of users, capabilities and access control lists.
 */
#include "snapshotter/store/upper-directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/store/xattr.h"

#define OVERLAY_OPAQUE	 CAM_XATTR_OVERLAY "opaque"
#define OVERLAY_REDIRECT CAM_XATTR_OVERLAY "redirect"
#define OVERLAY_METACOPY CAM_XATTR_OVERLAY "metacopy"
#define OVERLAY_WHITEOUT CAM_XATTR_OVERLAY "whiteout"
#define WHITEOUT_PREFIX	 ".wh."
#define WHITEOUT_OPAQUE	 ".wh..opq"

typedef DIR AutoDir;
static void
close_dir(AutoDir *dir)
{
	closedir(dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AutoDir, close_dir)

void
cam_upper_directory_free(CamUpperDirectory *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->whiteouts, g_ptr_array_unref);
	g_clear_pointer(&self->names, g_ptr_array_unref);
	g_clear_pointer(&self->xattrs, g_variant_unref);
	g_free(self);
}

/* ---- attributes ---- */

/* What belongs to the files, and not to this machine as labels of security modules do. */
static gboolean
is_kept(const char *name)
{
	if (g_str_has_prefix(name, "user."))
		return !g_str_has_prefix(name, "user.overlay.");
	return g_str_equal(name, "security.capability") ||
	       g_str_equal(name, "system.posix_acl_access") ||
	       g_str_equal(name, "system.posix_acl_default");
}

static gboolean
check_overlay(const char *name, GError **error)
{
	if (g_str_equal(name, OVERLAY_REDIRECT))
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "the directory was renamed, and what is in it lies in a lower "
				     "layer still (redirect_dir=on)");
	if (g_str_equal(name, OVERLAY_METACOPY))
		return cam_set_error(error, CAM_ERROR_UNIMPLEMENTED,
				     "an overlay with metacopy=on left its content in a lower "
				     "directory; mount with metacopy=off to make layers of it");
	return TRUE;
}

static gboolean
read_xattrs(int fd, GVariant **xattrs, GError **error)
{
	g_autofree char *names = NULL;
	g_autoptr(GPtrArray) kept = NULL;
	gsize size;

	if (!cam_xattr_list(fd, &names, &size, error))
		return FALSE;
	if (size == 0)
		return TRUE;
	kept = g_ptr_array_new();
	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		if (!check_overlay(name, error))
			return FALSE;
		if (is_kept(name))
			g_ptr_array_add(kept, name);
	}
	return kept->len == 0 || cam_xattr_read(fd, kept, xattrs, error);
}

gboolean
cam_upper_file_xattrs(int fd, GVariant **xattrs, GError **error)
{
	*xattrs = NULL;
	return read_xattrs(fd, xattrs, error);
}

/* ---- entries ---- */

gboolean
cam_upper_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* The other form, which stands in directories that are marked for it only: an empty file with an
 * attribute. */
static gboolean
has_whiteout_attribute(int dirfd, const char *name)
{
	g_auto(CamFd) fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && fgetxattr(fd, OVERLAY_WHITEOUT, NULL, 0) >= 0;
}

static gboolean
add_name(CamUpperDirectory *self, int fd, const struct dirent *entry, gboolean has_attributes,
	 GError **error)
{
	gboolean hides = FALSE;
	struct stat st = { 0 };

	if (g_str_has_prefix(entry->d_name, WHITEOUT_PREFIX)) {
		g_autofree char *shown = g_strescape(entry->d_name, NULL);

		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the file \"%s\" cannot be part of a layer: it would be read "
				     "as a whiteout",
				     shown);
	}
	if (entry->d_type == DT_CHR || entry->d_type == DT_UNKNOWN)
		hides = fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			cam_upper_is_whiteout(&st);
	else if (has_attributes && entry->d_type == DT_REG)
		hides = has_whiteout_attribute(fd, entry->d_name);
	g_ptr_array_add(hides ? self->whiteouts : self->names, g_strdup(entry->d_name));
	return TRUE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static gboolean
read_names(CamUpperDirectory *self, int fd, gboolean has_attributes, GError **error)
{
	int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	g_autoptr(AutoDir) dir = duplicate >= 0 ? fdopendir(duplicate) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return cam_set_error_errno(error, errno, "cannot list a directory");
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, ".."))
			continue;
		if (!add_name(self, fd, entry, has_attributes, error))
			return FALSE;
	}
	if (errno != 0)
		return cam_set_error_errno(error, errno, "cannot list a directory");
	g_ptr_array_sort(self->whiteouts, compare_names);
	g_ptr_array_sort(self->names, compare_names);
	return TRUE;
}

CamUpperDirectory *
cam_upper_directory_read(int fd, GError **error)
{
	g_autoptr(CamUpperDirectory) self = g_new0(CamUpperDirectory, 1);
	char opaque[4];
	ssize_t size;

	self->whiteouts = g_ptr_array_new_with_free_func(g_free);
	self->names = g_ptr_array_new_with_free_func(g_free);
	if (!read_xattrs(fd, &self->xattrs, error))
		return NULL;
	size = fgetxattr(fd, OVERLAY_OPAQUE, opaque, sizeof opaque);
	if (!read_names(self, fd, size == 1 && opaque[0] == 'x', error))
		return NULL;
	if (size == 1 && opaque[0] == 'y')
		g_ptr_array_insert(self->whiteouts, 0, g_strdup(WHITEOUT_OPAQUE));
	return g_steal_pointer(&self);
}
