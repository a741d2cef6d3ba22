/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this folder share of a CamStore; nobody else includes it.
 */
#include <ostree.h>

#include "snapshotter/base/database.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/store/store.h"

G_BEGIN_DECLS

/* Opened, or made, when it is first asked for; (transfer none). Thread-safe. */
OstreeRepo *cam_store_get_repo(CamStore *self, GError **error);

/**
 * cam_store_lock_state:
 *
 * The connection to state.db, for the caller alone until the locker goes. Hold it briefly and
 * never while waiting for a stream.
 */
GMutexLocker *cam_store_lock_state(CamStore *self, CamDatabase **state);

/**
 * cam_store_lock_sweep:
 *
 * The opposite of a CamStoreHold: waits until nobody holds the store and keeps new holders
 * waiting. -1 on error.
 */
int cam_store_lock_sweep(CamStore *self, GCancellable *cancellable, GError **error);

/* Gives that space back to the file system; FALSE if there was none. */
gboolean cam_store_release_reserve(CamStore *self);

/* A file without a name, on the store's file system. -1 on error. */
int cam_store_open_tmpfile(CamStore *self, GError **error);

/* Removes the tmp directories of processes that are gone, or sets them aside: no command fails for
 * what another one left. */
void cam_store_sweep_tmp(CamStore *self);

/* Names of the OSTree refs that keep a layer and a merged tree. The digests must be valid sha256.
 */
#define CAM_STORE_LAYER_REFS  "cambium/layer/sha256"
#define CAM_STORE_ROOTFS_REFS "cambium/rootfs/sha256"
char *cam_store_layer_ref(const char *diff_id);
char *cam_store_rootfs_ref(const char *chain_id);

/* The note in their commits that says by which rule a tree was made (CAM_TREE_RULE, "u"). */
#define CAM_COMMIT_RULE "cambium.tree-rule"

/* The row that says that a layer is there. */
gboolean cam_layers_insert(CamDatabase *state, const CamLayerInfo *info, GError **error);
gboolean cam_layers_delete(CamDatabase *state, const char *diff_id, GError **error);
/* Makes the whole layer and compares it with its diffID. */
gboolean
cam_layer_drain(CamStore *self, const char *diff_id, GCancellable *cancellable, GError **error);

/* The mark that the chains of all images are in the table of chains. */
#define CAM_MARK_CHAINS "chains"
/* Remembers the chains of @diff_ids within the caller's transaction. */
gboolean cam_chains_insert(CamDatabase *state, const char *const *diff_ids, GError **error);

/* The image's name, source and index digest, without the documents, which may be damaged. */
CamImage *
cam_images_find_row(CamStore *self, const char *name, char **manifest_digest, GError **error);
/* Whether a name that was listed a moment ago has been removed since, by another process perhaps:
 * cambiumd forgets what containerd no longer has whenever it likes. */
gboolean cam_images_is_gone(CamStore *self, const char *name);
/* (transfer full) (element-type utf8): the leases that name @digest. */
GPtrArray *cam_leases_of(CamStore *self, const char *digest, GError **error);

/* Where mounts keep their metadata images, "<chainID hex>.erofs". */
#define CAM_STORE_EROFS_DIR "erofs"
/* Whether that is one from before they had checksums, which no mount uses any more. */
static inline gboolean
cam_store_is_old_image(const char *name)
{
	return g_str_has_suffix(name, ".erofs") && !g_str_has_suffix(name, ".r3.erofs") &&
	       !g_str_has_suffix(name, ".r3h.erofs");
}

/* The file of a blob below the store's directory: "blobs/sha256/…". @digest must be valid. */
char *cam_store_blob_path(const char *digest);

/* Descriptor of a file object's content; a missing one is DATA_LOSS. Not for symbolic links. */
int cam_store_open_object(CamStore *self, const CamSha256 *object, GError **error);

/* Whether there is such a file object, of any kind. */
gboolean cam_store_has_object(CamStore *self, const CamSha256 *object);

/* The sha256 of a file object's content, if it is known. */
gboolean cam_store_lookup_content(CamStore *self, const CamSha256 *object, CamSha256 *sha256,
				  gboolean *found, GError **error);

G_END_DECLS
