/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The folder of EROFS images beside the store. An image holds metadata alone and depends on nothing
 * but its layers, so that it is named by their chainID.
 */
#include "snapshotter/snapshots/image-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/sealed-file.h"
#include "snapshotter/snapshots/erofs-image.h"

/* gc removes from it what is named "<hex of a chainID that nobody needs>.….erofs". */
#define FOLDER "erofs"
/* Raised when the same layers give other bytes than before. */
#define IMAGE_REVISION 3

static char *
image_path(const char *const *diff_ids, guint revision, gboolean hide_objects)
{
	g_autofree char *chain_id = NULL;

	for (; *diff_ids; diff_ids++) {
		char *next = cam_chain_id(chain_id, *diff_ids);

		g_free(chain_id);
		chain_id = next;
	}
	return g_strdup_printf(FOLDER "/%s.r%u%s.erofs",
			       chain_id ? cam_digest_hex(chain_id) : "empty", revision,
			       hide_objects ? "h" : "");
}

/* A file that is mounted lives on. */
static void
remove_older(int dirfd, const char *const *diff_ids, gboolean hide_objects)
{
	for (guint revision = 1; revision < IMAGE_REVISION; revision++) {
		g_autofree char *path = image_path(diff_ids, revision, hide_objects);

		unlinkat(dirfd, path, 0);
	}
}

/* Writes the image to a file without a name, then names it: there is never half an image. */
static gboolean
make_image(CamStore *store, const char *const *diff_ids, const char *path, gboolean hide_objects,
	   GCancellable *cancellable, GError **error)
{
	int dirfd = cam_store_get_dirfd(store);
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(store, diff_ids, cancellable, error);
	g_autoptr(CamTreeHistory) history = NULL;
	char proc[64];

	if (!rootfs || !cam_mkdirs_at(dirfd, FOLDER, 0700, error))
		return FALSE;
	history = cam_tree_history_load(store, diff_ids, error);
	if (!history)
		return FALSE;
	g_auto(CamFd) fd = openat(dirfd, FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return cam_set_error_errno(error, errno, "cannot make an image in the store");
	if (!cam_erofs_image_write(rootfs, history, hide_objects, fd, cancellable, error))
		return FALSE;
	if (!cam_sealed_file_seal(fd, error))
		return FALSE;
	if (fdatasync(fd) != 0)
		return cam_set_error_errno(error, errno, "cannot write %s", path);
	g_snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, proc, dirfd, path, AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST)
		return cam_set_error_errno(error, errno, "cannot keep %s", path);
	remove_older(dirfd, diff_ids, hide_objects);
	return TRUE;
}

/* One that is there and whole; -1 with errno or, if it is damaged, with EBADMSG. */
static int
open_whole(int dirfd, const char *path)
{
	g_auto(CamFd) fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	g_autoptr(GError) problem = NULL;

	if (fd < 0 || cam_sealed_file_check(fd, path, &problem))
		return cam_fd_steal(&fd);
	g_message("%s, and is made anew", problem->message);
	errno = EBADMSG;
	return -1;
}

int
cam_image_cache_open(CamStore *store, const char *const *diff_ids, gboolean hide_objects,
		     GCancellable *cancellable, GError **error)
{
	g_autofree char *path = image_path(diff_ids, IMAGE_REVISION, hide_objects);
	int dirfd = cam_store_get_dirfd(store);
	int fd = open_whole(dirfd, path);

	/* Who has the damaged one mounted keeps it. */
	if (fd < 0 && errno == EBADMSG && unlinkat(dirfd, path, 0) == 0)
		errno = ENOENT;
	if (fd < 0 && errno == ENOENT) {
		if (!make_image(store, diff_ids, path, hide_objects, cancellable, error))
			return -1;
		fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open %s", path);
	return fd;
}
