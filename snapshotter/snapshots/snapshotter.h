/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/mount.h"
#include "snapshotter/snapshots/snapshot.h"

G_BEGIN_DECLS

/**
 * CamSnapshotter:
 *
 * Snapshots as containerd understands them (its package `snapshots`), over a store. Keys, names and
 * parents are opaque text of the caller. It knows no wire format. Thread-safe; one for each store,
 * in one process (%CAM_ERROR_FAILED_PRECONDITION for a second one).
 *
 * On disk, in the store's directory:
 *
 *   snapshots.db        SQLite: snapshots, labels, the layers that they consist of
 *   snapshots/ID/fs     upper directory of an active snapshot, or of a committed one whose content
 *                       is not in the store yet; snapshots/ID/work beside it
 *   lower/ID            where the merged tree of a chain is mounted while somebody needs it
 */
#define CAM_TYPE_SNAPSHOTTER (cam_snapshotter_get_type())
G_DECLARE_FINAL_TYPE(CamSnapshotter, cam_snapshotter, CAM, SNAPSHOTTER, GObject)

typedef struct {
	CamMountMethod method;
	guint adopt_after; /* milliseconds without a request before uppers are adopted; 0: 1000 */
	CamLayerLimits limits; /* of layers that are applied */
} CamSnapshotterOptions;

/**
 * cam_snapshotter_open:
 * @options: (nullable)
 *
 * Repairs what a crash left: rows without directories, directories without rows, mounts, leases.
 * What it repaired it says through g_message().
 */
CamSnapshotter *cam_snapshotter_open(CamStore *store, const CamSnapshotterOptions *options,
				     GCancellable *cancellable, GError **error);
CamStore *cam_snapshotter_get_store(CamSnapshotter *self);

/**
 * cam_snapshotter_close:
 *
 * Ends background work and unmounts what no process uses. Running containers keep what they have
 * mounted. Nothing may be asked afterwards.
 */
void cam_snapshotter_close(CamSnapshotter *self);

/**
 * cam_snapshotter_prepare:
 * @parent: name of a committed snapshot, or ""
 * @labels: (nullable) (element-type utf8 utf8)
 *
 * Returns: (transfer full) (element-type CamSnapshotMount): the mounts of a new active snapshot.
 *     ALREADY_EXISTS for a known key or name; also, after making the committed snapshot that the
 *     label `containerd.io/snapshot.ref` asks for, where the store can build that chainID.
 *     NOT_FOUND for the parent; INVALID_ARGUMENT if it is not committed.
 */
GPtrArray *cam_snapshotter_prepare(CamSnapshotter *self, const char *key, const char *parent,
				   GHashTable *labels, GCancellable *cancellable, GError **error);
/* The same, but read-only, and never from the store's knowledge. */
GPtrArray *cam_snapshotter_view(CamSnapshotter *self, const char *key, const char *parent,
				GHashTable *labels, GCancellable *cancellable, GError **error);
/* FAILED_PRECONDITION for a committed snapshot. */
GPtrArray *cam_snapshotter_mounts(CamSnapshotter *self, const char *key, GCancellable *cancellable,
				  GError **error);
/**
 * cam_snapshotter_commit:
 * @parent: (nullable): where the snapshot was prepared without one: the parent that it gets
 *     (containerd 2.2)
 *
 * Answers at once; what lies in the upper directory is adopted by the store in the background.
 * FAILED_PRECONDITION for a view or a committed snapshot.
 */
gboolean cam_snapshotter_commit(CamSnapshotter *self, const char *name, const char *key,
				const char *parent, GHashTable *labels, GError **error);
/* FAILED_PRECONDITION while it has children. */
gboolean cam_snapshotter_remove(CamSnapshotter *self, const char *key, GError **error);
CamSnapshotInfo *cam_snapshotter_stat(CamSnapshotter *self, const char *key, GError **error);
/**
 * cam_snapshotter_update:
 * @paths: (nullable): field mask: "labels" or "labels.KEY"; NULL or empty: all labels. Others are
 *     INVALID_ARGUMENT.
 *
 * Returns: (transfer full): as it is now
 */
CamSnapshotInfo *cam_snapshotter_update(CamSnapshotter *self, const char *name, GHashTable *labels,
					const char *const *paths, GError **error);
/* Bytes on disk and inodes of the snapshot itself, without its parents. */
gboolean cam_snapshotter_usage(CamSnapshotter *self, const char *key, guint64 *size,
			       guint64 *inodes, GCancellable *cancellable, GError **error);
/**
 * cam_snapshotter_list:
 * @filters: (nullable): containerd's filters; one that matches is enough, none means all
 *
 * Returns: (transfer full) (element-type CamSnapshotInfo): by name; INVALID_ARGUMENT for a filter
 *     that cannot be read
 */
GPtrArray *cam_snapshotter_list(CamSnapshotter *self, const char *const *filters, GError **error);
/* Removes what removed snapshots left on disk. */
gboolean cam_snapshotter_cleanup(CamSnapshotter *self, GCancellable *cancellable, GError **error);

/**
 * cam_snapshotter_apply:
 * @mounts: (element-type CamSnapshotMount): as prepare returned them
 * @blob: the layer, compressed or not
 * @descriptor: media type, size and digest of @blob
 *
 * Streams a layer into the store and makes it part of the active snapshot whose mounts these are;
 * its upper directory stays empty. Mounts that are not of this snapshotter are UNIMPLEMENTED.
 *
 * Returns: (transfer full): what was imported
 */
CamLayerInfo *
cam_snapshotter_apply(CamSnapshotter *self, GPtrArray *mounts, GInputStream *blob,
		      const CamDescriptor *descriptor, GCancellable *cancellable, GError **error);
/* (transfer full): the key of the active snapshot whose mounts these are; UNIMPLEMENTED if of none.
 */
char *cam_snapshotter_find_key(CamSnapshotter *self, GPtrArray *mounts, GError **error);

/**
 * cam_snapshotter_open_diff:
 * @lower, @upper: (element-type CamSnapshotMount): mounts of snapshots of this snapshotter
 *
 * Returns: (transfer full): the uncompressed layer tar that makes @upper out of @lower. For a
 *     snapshot that consists of one layer of the store this is that layer, bit for bit.
 *     UNIMPLEMENTED for mounts that are not ours, or where @upper does not stand on @lower.
 */
GInputStream *cam_snapshotter_open_diff(CamSnapshotter *self, GPtrArray *lower, GPtrArray *upper,
					GCancellable *cancellable, GError **error);

/**
 * cam_snapshotter_expect_differ:
 * @expected: whether the client is known to unpack layers through cam_snapshotter_apply(), as it is
 *     after the first one. A client that connects anew may have another configuration: FALSE.
 *
 * While it does, the snapshots that layers are unpacked into (their keys end in "extract-…") need
 * not be mountable before somebody asks for their mounts, which saves an image of each layer below.
 */
void cam_snapshotter_expect_differ(CamSnapshotter *self, gboolean expected);

/* Adopts what waits for it now, and returns when nothing is left to adopt. */
void cam_snapshotter_settle(CamSnapshotter *self);

G_END_DECLS
