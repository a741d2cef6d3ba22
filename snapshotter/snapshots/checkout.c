/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree made of hard links to objects, for kernels that cannot lay EROFS over the object store.
 * What stands on it must be read-only: whoever writes to a file here writes to the store.
 */
#include "snapshotter/snapshots/checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/snapshots/lower-tree.h"

#define NS_PER_SECOND G_GINT64_CONSTANT(1000000000)
#define COPY_CHUNK    (1u << 30)

typedef struct {
	const char *top;
	CamFd dirfd;
	int objects;
	gboolean link;
	GHashTable *linked; /* CamSha256: objects that a file of the tree is a link to */
	GHashTable *copied; /* index of a file that is a copy → its first path */
} Checkout;

static gboolean
failed(const CamLowerEntry *entry, GError **error)
{
	return cam_set_error_errno(error, errno, "cannot check out /%s", entry->path);
}

static const char *
relative(const CamLowerEntry *entry)
{
	return *entry->path ? entry->path : ".";
}

/* setxattr(2) has no *at() form before Linux 6.13: go through the top's own path. */
static gboolean
set_xattrs(Checkout *self, const CamLowerEntry *entry, GError **error)
{
	GVariant *xattrs = entry->stat->xattrs;
	gsize count = xattrs ? g_variant_n_children(xattrs) : 0;
	g_autofree char *path = NULL;

	if (count > 0)
		path = g_build_filename(self->top, entry->path, NULL);
	for (gsize i = 0; i < count; i++) {
		g_autoptr(GVariant) value = NULL;
		const char *name;
		gsize size;

		g_variant_get_child(xattrs, i, "(^&ay@ay)", &name, &value);
		gconstpointer data = g_variant_get_fixed_array(value, &size, 1);
		/* As in EROFS images: not what a container may not see, nor what the file system
		 * does not know. */
		if (g_str_has_prefix(name, "trusted.") ||
		    lsetxattr(path, name, data, size, 0) == 0 || errno == EOPNOTSUPP)
			continue;
		return failed(entry, error);
	}
	return TRUE;
}

static gboolean
set_times(Checkout *self, const CamLowerEntry *entry, GError **error)
{
	gint64 seconds = entry->mtime / NS_PER_SECOND, ns = entry->mtime % NS_PER_SECOND;
	struct timespec time = { seconds - (ns < 0), ns + (ns < 0 ? NS_PER_SECOND : 0) };
	struct timespec times[2] = { time, time };

	return utimensat(self->dirfd, relative(entry), times, AT_SYMLINK_NOFOLLOW) == 0 ||
	       failed(entry, error);
}

/* Owner first: changing it clears set-id bits and capabilities. */
static gboolean
set_metadata(Checkout *self, const CamLowerEntry *entry, GError **error)
{
	const CamStat *stat = entry->stat;

	if (fchownat(self->dirfd, relative(entry), stat->uid, stat->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return failed(entry, error);
	if (stat->type != CAM_NODE_SYMLINK &&
	    fchmodat(self->dirfd, relative(entry), stat->mode, 0) != 0)
		return failed(entry, error);
	return set_xattrs(self, entry, error) && set_times(self, entry, error);
}

static gboolean
copy_object(Checkout *self, const CamLowerEntry *entry, const char *object, GError **error)
{
	g_auto(CamFd) from = -1;
	g_auto(CamFd) to = -1;
	ssize_t copied = 1;

	to = openat(self->dirfd, entry->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (to < 0)
		return failed(entry, error);
	if (entry->stat->size > 0) {
		from = openat(self->objects, object, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (from < 0)
			return failed(entry, error);
		while (copied > 0)
			copied = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0);
		if (copied < 0)
			return failed(entry, error);
	}
	return set_metadata(self, entry, error);
}

/* TRUE if the file is there, a link to its object. Two files that are alike must not become one,
 * for programs tell by that what a hard link is. */
static gboolean
link_object(Checkout *self, const CamLowerEntry *entry, const char *object, GError **error)
{
	/* Empty files are as many as to exceed the file system's limit of links, which EMLINK
	 * also says of other files. */
	if (!self->link || entry->stat->size == 0 ||
	    (!entry->is_link && g_hash_table_contains(self->linked, entry->object)))
		return FALSE;
	if (linkat(self->objects, object, self->dirfd, entry->path, 0) == 0) {
		if (!entry->is_link)
			g_hash_table_add(self->linked,
					 g_memdup2(entry->object, sizeof(*entry->object)));
		return TRUE;
	}
	if (errno != EMLINK && errno != EXDEV)
		failed(entry, error);
	return FALSE;
}

static gboolean
check_out_regular(Checkout *self, const CamLowerEntry *entry, GError **error)
{
	gpointer index = GUINT_TO_POINTER(entry->index);
	const char *first = g_hash_table_lookup(self->copied, index);
	g_autoptr(GError) problem = NULL;
	char hex[65], object[80];

	if (entry->is_link && first)
		return linkat(self->dirfd, first, self->dirfd, entry->path, 0) == 0 ||
		       failed(entry, error);
	cam_sha256_to_hex(entry->object, hex);
	g_snprintf(object, sizeof(object), "%.2s/%s.file", hex, hex + 2);
	if (link_object(self, entry, object, &problem))
		return TRUE;
	if (problem) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	g_hash_table_insert(self->copied, index, g_strdup(entry->path));
	return copy_object(self, entry, object, error);
}

static gboolean
check_out_special(Checkout *self, const CamLowerEntry *entry, mode_t format, GError **error)
{
	dev_t device = makedev(entry->stat->rdev_major, entry->stat->rdev_minor);

	if (mknodat(self->dirfd, entry->path, format | 0600, device) != 0)
		return failed(entry, error);
	return set_metadata(self, entry, error);
}

static gboolean
visit(const CamLowerEntry *entry, gpointer user_data, GError **error)
{
	Checkout *self = user_data;

	switch (entry->stat->type) {
	case CAM_NODE_DIRECTORY:
		return *entry->path == '\0' || mkdirat(self->dirfd, entry->path, 0700) == 0 ||
		       failed(entry, error);
	case CAM_NODE_REGULAR:
		return check_out_regular(self, entry, error);
	case CAM_NODE_SYMLINK:
		if (symlinkat(entry->stat->link_target, self->dirfd, entry->path) != 0)
			return failed(entry, error);
		return set_metadata(self, entry, error);
	case CAM_NODE_CHARACTER:
		return check_out_special(self, entry, S_IFCHR, error);
	case CAM_NODE_BLOCK:
		return check_out_special(self, entry, S_IFBLK, error);
	case CAM_NODE_FIFO:
		return check_out_special(self, entry, S_IFIFO, error);
	}
	return TRUE;
}

/* Directories get their mode and time when nothing more is put into them. */
static gboolean
leave(const CamLowerEntry *directory, gpointer user_data, GError **error)
{
	return set_metadata(user_data, directory, error);
}

gboolean
cam_checkout_tree(CamRootfs *rootfs, CamTreeHistory *history, int objects, gboolean link,
		  const char *path, GCancellable *cancellable, GError **error)
{
	static const CamLowerVisitor visitor = { visit, leave };
	g_auto(CamFd) dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GHashTable) linked =
		g_hash_table_new_full(cam_sha256_hash, cam_sha256_equal, g_free, NULL);
	g_autoptr(GHashTable) copied = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	Checkout self = { path, dirfd, objects, link, linked, copied };

	if (dirfd < 0)
		return cam_set_error_errno(error, errno, "cannot open %s", path);
	return cam_lower_tree_walk(rootfs, history, &visitor, &self, cancellable, error);
}
