/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/base/progress.h"
#include "snapshotter/oci/image-config.h"
#include "snapshotter/oci/manifest.h"
#include "snapshotter/store/rootfs.h"

G_BEGIN_DECLS

/**
 * CamStore:
 *
 * The content-addressed store of images. On disk:
 *
 *   DIR/repo/           OSTree repository: layers, merged rootfs trees, skeletons
 *   DIR/blobs/ALGORITHM/ manifests, indexes, configs, and the compressed layers made here
 *   DIR/state.db        SQLite: images, layers and the blobs they came from, leases, content
 * digests DIR/tmp/            one directory a running operation, locked by it; dead ones are swept
 *   DIR/lock            flock: shared by operations, exclusive for the sweep of gc
 *
 * Other rooms keep their own files in DIR (memo.db, advisories.db, cache/…); they ask
 * cam_store_get_path().
 *
 * Opening is cheap: the OSTree repository is opened when it is first needed. A CamStore may be
 * shared by threads. Several processes may use one store.
 */
#define CAM_TYPE_STORE (cam_store_get_type())
G_DECLARE_FINAL_TYPE(CamStore, cam_store, CAM, STORE, GObject)

/**
 * cam_store_open:
 * @create: make it if it does not exist; otherwise that is %CAM_ERROR_NOT_FOUND
 */
CamStore *
cam_store_open(const char *path, gboolean create, GCancellable *cancellable, GError **error);
const char *cam_store_get_path(CamStore *self);
/* dirfd of the store's directory, owned by the store. */
int cam_store_get_dirfd(CamStore *self);
/* The directory, made and locked for this process and removed when the store is closed, where an
 * operation may put what it cannot hold in memory: same file system as the store. */
int cam_store_get_tmp_dirfd(CamStore *self, char **path, GError **error);

/**
 * CamStoreHold:
 *
 * While one exists (in any process), gc sweeps nothing. Whoever puts several things that only
 * become reachable at the end (layers, blobs, then the image that names them), or reads what
 * somebody might remove, holds the store meanwhile. Taking it waits for a running sweep, and for
 * a waiting one a few seconds, unless this thread has a hold. Never call gc under a hold of one's
 * own.
 */
typedef struct _CamStoreHold CamStoreHold;
CamStoreHold *cam_store_hold(CamStore *self, GCancellable *cancellable, GError **error);
void cam_store_release(CamStoreHold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamStoreHold, cam_store_release)

/* ---- blobs: small documents, and layers compressed here ---- */

/* Returns: (transfer full): the digest. Durable when this returns; present ones are kept. */
char *cam_store_put_blob(CamStore *self, GBytes *bytes, GError **error);
/* The same under a digest of any algorithm; DATA_LOSS if it is another one's. */
gboolean cam_store_put_blob_as(CamStore *self, GBytes *bytes, const char *digest, GError **error);
/* Reads @content to its end; @digest (nullable) is checked, the real one is returned. */
char *cam_store_put_blob_stream(CamStore *self, GInputStream *content, const char *digest,
				gint64 *size, GCancellable *cancellable, GError **error);
/* Verified against @digest. NOT_FOUND; RESOURCE_EXHAUSTED beyond @max_size. */
GBytes *cam_store_get_blob(CamStore *self, const char *digest, gsize max_size, GError **error);
GInputStream *cam_store_open_blob(CamStore *self, const char *digest, gint64 *size, GError **error);
gboolean cam_store_has_blob(CamStore *self, const char *digest);

/* ---- layers ---- */

typedef struct {
	guint64 max_size;    /* uncompressed bytes; 0 means the default, 64 GiB */
	guint64 max_entries; /* default 4 million */
	guint32 max_ratio;   /* uncompressed : compressed beyond the first 64 MiB; default 1000 */
	gboolean allow_ambiguous; /* import also what CamTarAmbiguity names */
} CamLayerLimits;

typedef struct {
	char *diff_id;
	guint64 size;	     /* of the uncompressed tar */
	guint64 entries;     /* tar members */
	guint64 files;	     /* regular files with content */
	guint64 new_objects; /* content objects that the store did not have */
	guint64 new_bytes;
} CamLayerInfo;
void cam_layer_info_free(CamLayerInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLayerInfo, cam_layer_info_free)

/* Whether the layer of this diffID is in the store, whole. */
gboolean cam_store_has_layer(CamStore *self, const char *diff_id);
/* (nullable): the diffID of a layer that once came as this blob and is in the store. */
char *cam_store_layer_for_blob(CamStore *self, const char *blob_digest);
/* The blobs, as descriptors, that are known to hold this layer. (element-type CamDescriptor) */
GPtrArray *cam_store_blobs_for_layer(CamStore *self, const char *diff_id, GError **error);
/* Remembers that @descriptor holds the layer. */
gboolean cam_store_add_layer_blob(CamStore *self, const char *diff_id,
				  const CamDescriptor *descriptor, GError **error);

/**
 * cam_store_import_layer:
 * @blob: the layer as it travels, compressed or not; read once, front to back, to its end
 * @descriptor: (nullable): media type, digest and size that it must have
 * @diff_id: (nullable): what its uncompressed form must hash to
 * @limits: (nullable)
 *
 * Streams a layer into the store (DESIGN: decompress, digest, parse, write objects; nothing is
 * unpacked to disk first; memory is bounded whatever the size of layer or file). All or nothing:
 * the layer's ref and row appear together at the end. Errors: DATA_LOSS (digest, size, truncated,
 * checksum), INVALID_ARGUMENT (malformed or hostile tar; the message names entry and offset),
 * RESOURCE_EXHAUSTED (a cap; disk full).
 */
CamLayerInfo *
cam_store_import_layer(CamStore *self, GInputStream *blob, const CamDescriptor *descriptor,
		       const char *diff_id, const CamLayerLimits *limits, CamProgress *progress,
		       GCancellable *cancellable, GError **error);

/* The uncompressed tar, bit for bit. Fails with DATA_LOSS, at the latest instead of the end, if
 * it does not hash to @diff_id. */
GInputStream *cam_store_open_layer(CamStore *self, const char *diff_id, GError **error);
/* NOT_FOUND. */
CamLayerInfo *cam_store_get_layer_info(CamStore *self, const char *diff_id, GError **error);

/**
 * CamLayerEntry: one member of a layer's tar, for those who need what trees do not keep.
 */
typedef struct {
	const char *path; /* cleaned, no leading "/", raw bytes */
	CamNodeType type;
	gboolean is_hardlink;	 /* @link_target is then a path in the layer */
	gboolean is_whiteout;	 /* @path is what is removed */
	gboolean is_opaque;	 /* @path is the directory whose lower content is hidden */
	const char *link_target; /* (nullable) */
	guint32 mode, uid, gid;
	gint64 mtime; /* nanoseconds since 1970 */
	guint64 size;
	guint32 rdev_major, rdev_minor;
	GVariant *xattrs;	  /* (nullable) a(ayay) */
	const CamSha256 *content; /* (nullable): sha256 of content; regular files */
	const CamSha256 *object;  /* (nullable): identity as in CamEntry */
} CamLayerEntry;

/* Return FALSE with @error set to stop. */
typedef gboolean (*CamLayerEntryFunc)(const CamLayerEntry *entry, gpointer user_data,
				      GError **error);
/* Calls @func for every member in tar order; reads only the skeleton. */
gboolean cam_store_foreach_layer_entry(CamStore *self, const char *diff_id, CamLayerEntryFunc func,
				       gpointer user_data, GError **error);

/* ---- chains ---- */

/**
 * cam_store_find_chain:
 * @diff_ids: (out) (transfer full) (nullable): the layers, base first, NULL-terminated, that build
 *     @chain_id; NULL without error where it is not known or one of its layers is not in the store
 *
 * Hold the store from before the call until a lease or an image names what was found.
 */
gboolean
cam_store_find_chain(CamStore *self, const char *chain_id, char ***diff_ids, GError **error);
/* Remembers the chains of all prefixes of @diff_ids, until gc finds that a layer is gone.
 * cam_store_put_image() does it for its image. */
gboolean cam_store_add_chain(CamStore *self, const char *const *diff_ids, GError **error);

/* ---- trees ---- */

/* Raised when the same layers give another merged tree than before. Trees that were made by another
 * rule are made anew when they are asked for; what is remembered by chainID belongs to one rule. */
#define CAM_TREE_RULE 2

/* The tree of one layer alone, as if it were the lowest. */
CamRootfs *cam_store_open_layer_tree(CamStore *self, const char *diff_id, GError **error);
/**
 * cam_store_open_rootfs:
 * @diff_ids: base first
 *
 * The merged tree of a chain; made from metadata alone when it is first asked for, then kept.
 */
CamRootfs *cam_store_open_rootfs(CamStore *self, const char *const *diff_ids,
				 GCancellable *cancellable, GError **error);

/* ---- images ---- */

/**
 * CamImage: a named image of the store with its documents parsed.
 */
typedef struct {
	char *name;	    /* reference, with tag or digest */
	char *source;	    /* (nullable): location that it was imported from or written to */
	char *index_digest; /* (nullable): the index that it was selected from */
	gint64 imported_at; /* microseconds since 1970, UTC */
	CamManifest *manifest;
	CamImageConfig *config;
	char **diff_ids; /* base first, NULL-terminated */
	char *chain_id;	 /* of all layers; of an image without layers "" */
	char *base_name; /* (nullable): of a fixed image, the name of the original */
} CamImage;
void cam_image_free(CamImage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamImage, cam_image_free)

/**
 * cam_store_put_image:
 * @manifest_digest: a manifest that was put as a blob; so must be its config, and all its layers
 *     must be in the store, else %CAM_ERROR_FAILED_PRECONDITION
 * @replace: FALSE: a name that stands for another manifest is %CAM_ERROR_ALREADY_EXISTS
 */
gboolean cam_store_put_image(CamStore *self, const char *name, const char *manifest_digest,
			     const char *index_digest, const char *source, const char *base_name,
			     gboolean replace, GError **error);
/* @name: a reference, a manifest digest, a config digest (image id), or an unambiguous prefix of
 * at least 6 hex digits of those. NOT_FOUND suggests names that are near. */
CamImage *cam_store_get_image(CamStore *self, const char *name, GError **error);
/* (element-type CamImage), by name. An image whose documents cannot be read is left out and
 * reported by verify. */
GPtrArray *cam_store_list_images(CamStore *self, GError **error);
/* (element-type utf8): the names alone, sorted; reads no document. */
GPtrArray *cam_store_list_image_names(CamStore *self, GError **error);
/* Removes the name; content goes with gc. */
gboolean cam_store_remove_image(CamStore *self, const char *name, GError **error);

/* ---- care ---- */

typedef struct {
	guint images, layers, rootfs, blobs; /* that would be or were removed */
	guint64 objects, bytes;
} CamGcResult;
/* @dry_run: only say. Waits for running operations unless cancelled. A lease keeps what it names:
 * of a chain also its layers. A chain whose layers all stay keeps its merged tree and its metadata
 * image. */
gboolean cam_store_gc(CamStore *self, gboolean dry_run, CamProgress *progress, CamGcResult *result,
		      GCancellable *cancellable, GError **error);

/**
 * cam_store_remove_with_reserve:
 * @remove: forgets something; may be called twice
 *
 * On a disk without a free byte no database can be written to, not even to remove rows. If @remove
 * fails for that (%CAM_ERROR_RESOURCE_EXHAUSTED) it is called once more with the space that the
 * store keeps for it.
 */
typedef gboolean (*CamStoreRemoval)(gpointer data, GError **error);
gboolean cam_store_remove_with_reserve(CamStore *self, CamStoreRemoval remove, gpointer data,
				       GError **error);
/* Keeps that space again, if there is room. */
void cam_store_make_reserve(CamStore *self);

/* Removes @name in @dirfd, a directory of the store's file system, whatever it holds. It is moved
 * to the store's aside/ first, where what cannot be removed stays: an error only if @name stays. */
gboolean cam_store_discard(CamStore *self, int dirfd, const char *name, GError **error);
/* Tries again to remove what is there. */
void cam_store_sweep_aside(CamStore *self);

/* Keeps layers (diffIDs), chains and blobs until @expires (microseconds since 1970; 0: until
 * deleted). A lease that exists gets @digests in addition, and the new end. Waits for a sweep that
 * runs: unless the caller holds the store, what it names may be gone then. Durable, and so is the
 * layers' being in the store, when this returns. */
gboolean cam_store_add_lease(CamStore *self, const char *id, const char *const *digests,
			     gint64 expires, GError **error);
gboolean cam_store_remove_lease(CamStore *self, const char *id, GError **error);
/* (transfer full) (element-type utf8): the ids that begin with @prefix, sorted; without those whose
 * time is over. */
GPtrArray *cam_store_list_leases(CamStore *self, const char *prefix, GError **error);

typedef struct {
	char *subject; /* "layer sha256:…", "object …", "blob sha256:…", "image shop:1.0" */
	char *problem; /* text for people */
	GPtrArray *paths;   /* (element-type utf8): of an object: files that it is, a few of them */
	GPtrArray *images;  /* (element-type utf8): of an object: images that have it */
	GHashTable *layers; /* of an object: diffIDs of the layers that have it */
} CamVerifyProblem;
void cam_verify_problem_free(CamVerifyProblem *self);

typedef struct {
	guint layers, objects, blobs, images; /* how many were checked */
	guint files;			      /* databases and images of mounts that were checked */
	guint unmended;			      /* problems that forgetting and fetching cannot end */
	GPtrArray *problems; /* (element-type CamVerifyProblem), empty if all is well */
	GPtrArray *affected; /* (element-type utf8): names of the images that a problem concerns */
	gboolean forgotten;  /* what is damaged was forgotten: cam_store_restore() brings it back */
	GPtrArray *lost;     /* (element-type CamLayerInfo): the layers that were forgotten */
} CamVerifyResult;
void cam_verify_result_clear(CamVerifyResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamVerifyResult, cam_verify_result_clear)

/**
 * cam_store_verify:
 * @repair: forget what is damaged (objects, blobs, and the layers that need them), so that
 *     cam_store_restore() or the next import of an affected image fetches it again instead of
 *     believing that it is there. The names of images stay.
 *
 * Re-creates every layer and compares it with its diffID, re-hashes every object and blob, reads
 * every database and every metadata image of mounts, and checks that every image is whole. Problems
 * are no error.
 */
gboolean cam_store_verify(CamStore *self, gboolean repair, CamProgress *progress,
			  CamVerifyResult *result, GCancellable *cancellable, GError **error);

G_END_DECLS
