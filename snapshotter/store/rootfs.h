/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/store/tree.h"

G_BEGIN_DECLS

/**
 * CamRootfs:
 *
 * A read-only file tree whose every part has a content identity: the merged tree of an image, or
 * the tree of one layer. This is all that scanners and the forensic diff see of the store.
 * Implementations: OSTree trees (store/ostree-rootfs.c) and an in-memory twin for tests
 * (store/memory-rootfs.c). Thread-safe.
 *
 * Identities:
 * - of a file (whatever is no directory): covers content, mode, owner, xattrs, link target,
 *   device number; not the name, not times.
 * - of a tree (the children of a directory): covers names and identities of all that lies below.
 * - of a directory's own metadata: mode, owner, xattrs.
 * Equal identities mean equal things, across images and over time: results may be remembered by
 * them.
 */
#define CAM_TYPE_ROOTFS (cam_rootfs_get_type())
G_DECLARE_DERIVABLE_TYPE(CamRootfs, cam_rootfs, CAM, ROOTFS, GObject)

typedef enum {
	CAM_NODE_REGULAR,
	CAM_NODE_DIRECTORY,
	CAM_NODE_SYMLINK,
	CAM_NODE_CHARACTER,
	CAM_NODE_BLOCK,
	CAM_NODE_FIFO,
} CamNodeType;

typedef struct {
	CamNodeType type;
	guint32 mode; /* permission bits with set-id and sticky, no type bits */
	guint32 uid, gid;
	guint64 size;	   /* regular files */
	char *link_target; /* (nullable): symbolic links */
	guint32 rdev_major, rdev_minor;
	GVariant *xattrs; /* (nullable) a(ayay), names NUL-terminated, sorted by name */
} CamStat;

void cam_stat_clear(CamStat *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamStat, cam_stat_clear)

struct _CamRootfsClass {
	GObjectClass parent_class;

	/* The root directory as an entry with the name "". */
	void (*get_root)(CamRootfs *self, CamEntry *root);
	CamTree *(*open_tree)(CamRootfs *self, const CamEntry *directory, GError **error);
	gboolean (*stat)(CamRootfs *self, const CamEntry *entry, CamStat *out, GError **error);
	/* Regular files only; a seekable stream is not promised. */
	GInputStream *(*open)(CamRootfs *self, const CamEntry *file, GError **error);
	/* Plain sha256 of a regular file's content. */
	gboolean (*content_sha256)(CamRootfs *self, const CamEntry *file, CamSha256 *out,
				   GError **error);
};

void cam_rootfs_get_root(CamRootfs *self, CamEntry *root);
CamTree *cam_rootfs_open_tree(CamRootfs *self, const CamEntry *directory, GError **error);
gboolean cam_rootfs_stat(CamRootfs *self, const CamEntry *entry, CamStat *out, GError **error);
GInputStream *cam_rootfs_open(CamRootfs *self, const CamEntry *file, GError **error);
gboolean
cam_rootfs_content_sha256(CamRootfs *self, const CamEntry *file, CamSha256 *out, GError **error);

/**
 * cam_rootfs_lookup:
 * @path: from the root, with or without leading "/"; "" is the root
 * @follow: whether a symbolic link at the end is followed (those before it always are). Links
 *     resolve inside the tree, at most 40 of them; `..` stops at the root.
 * @real_path: (out) (optional): where the entry really lies, without leading "/"
 * @out: (out): its name points into storage that lives as long as @self
 *
 * %CAM_ERROR_NOT_FOUND where there is nothing.
 */
gboolean cam_rootfs_lookup(CamRootfs *self, const char *path, gboolean follow, char **real_path,
			   CamEntry *out, GError **error);

/* The content of the regular file at @path (links followed). NOT_FOUND; FAILED_PRECONDITION for
 * another kind of file; RESOURCE_EXHAUSTED beyond @max_size. */
GBytes *cam_rootfs_read(CamRootfs *self, const char *path, gsize max_size, GError **error);
GBytes *
cam_rootfs_read_entry(CamRootfs *self, const CamEntry *file, gsize max_size, GError **error);

G_END_DECLS
