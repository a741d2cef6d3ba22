/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/snapshots/image-cache.h"

/*
 * The folder of EROFS images beside the store. An image holds metadata alone and depends on nothing
 * but its layers, so that it is named by their chainID.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/snapshots/erofs-image.h"

#define FOLDER "erofs"
/* Raised when the same layers give other bytes than before. */
#define IMAGE_REVISION "1"
#define SUFFIX	       ".r" IMAGE_REVISION ".erofs"
#define SUFFIX_HIDDEN  ".r" IMAGE_REVISION "h.erofs"

static char *
image_path(const char *const *diff_ids, gboolean hide_objects)
{
	g_autofree char *chain_id = NULL;

	for (; *diff_ids; diff_ids++) {
		char *next = cam_chain_id(chain_id, *diff_ids);

		g_free(chain_id);
		chain_id = next;
	}
	return g_strconcat(FOLDER "/", chain_id ? cam_digest_hex(chain_id) : "empty",
			   hide_objects ? SUFFIX_HIDDEN : SUFFIX, NULL);
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
	if (fdatasync(fd) != 0)
		return cam_set_error_errno(error, errno, "cannot write %s", path);
	g_snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, proc, dirfd, path, AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST)
		return cam_set_error_errno(error, errno, "cannot keep %s", path);
	return TRUE;
}

int
cam_image_cache_open(CamStore *store, const char *const *diff_ids, gboolean hide_objects,
		     GCancellable *cancellable, GError **error)
{
	g_autofree char *path = image_path(diff_ids, hide_objects);
	int dirfd = cam_store_get_dirfd(store);
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		if (!make_image(store, diff_ids, path, hide_objects, cancellable, error))
			return -1;
		fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		cam_set_error_errno(error, errno, "cannot open %s", path);
	return fd;
}

/* The chainID that a file's name stands for, or NULL if no image of ours has such a name. */
static char *
chain_id_of(const char *name)
{
	const char *dot = strchr(name, '.');
	g_autofree char *hex = dot ? g_strndup(name, (gsize) (dot - name)) : NULL;
	CamSha256 sha256;

	if (!hex || strlen(hex) != 2 * CAM_SHA256_SIZE || !cam_sha256_from_hex(hex, &sha256) ||
	    !(g_str_equal(dot, SUFFIX) || g_str_equal(dot, SUFFIX_HIDDEN)))
		return NULL;
	return cam_sha256_to_digest(&sha256);
}

static gboolean
prune_one(int folder, const char *name, gboolean dry_run, guint64 *bytes, GError **error)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot look at image %s", name);
	}
	*bytes += (guint64) st.st_blocks * 512;
	if (dry_run || unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	return cam_set_error_errno(error, errno, "cannot remove image %s", name);
}

static void
dir_close(DIR *dir)
{
	closedir(dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DIR, dir_close)

gboolean
cam_image_cache_prune(int store_dirfd, gboolean (*is_live)(const char *chain_id, gpointer),
		      gpointer user_data, gboolean dry_run, guint64 *bytes, GError **error)
{
	g_auto(CamFd) fd =
		openat(store_dirfd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *entry;

	*bytes = 0;
	if (fd < 0)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot open the store's images");
	int folder = fd;
	g_autoptr(DIR) dir = fdopendir(cam_fd_steal(&fd));
	while ((entry = readdir(dir))) {
		g_autofree char *chain_id = chain_id_of(entry->d_name);

		if (entry->d_name[0] == '.' || (chain_id && is_live(chain_id, user_data)))
			continue;
		if (!prune_one(folder, entry->d_name, dry_run, bytes, error))
			return FALSE;
	}
	return TRUE;
}
