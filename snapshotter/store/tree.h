/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/digest.h"

G_BEGIN_DECLS

typedef struct {
	const char *name; /* one component, raw bytes as in the image, never "." or ".." */
	gboolean is_directory;
	CamSha256 id;	/* file identity, or tree identity of a directory */
	CamSha256 meta; /* directories: identity of their own metadata; files: zeros */
} CamEntry;

/**
 * CamTree: the entries of one directory, directories and files together, sorted by the bytes of
 * the name. Reference-counted.
 */
typedef struct _CamTree CamTree;
CamTree *cam_tree_ref(CamTree *self);
void cam_tree_unref(CamTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamTree, cam_tree_unref)
guint cam_tree_size(CamTree *self);
const CamEntry *cam_tree_get(CamTree *self, guint index);
/* (nullable) */
const CamEntry *cam_tree_find(CamTree *self, const char *name);

/* For implementations: entries are copied and sorted. */
CamTree *cam_tree_new(const CamEntry *entries, guint n_entries);

/* GHashFunc and GEqualFunc for tables whose keys are CamSha256 (identities, digests). */
guint cam_sha256_hash(gconstpointer sha256);
gboolean cam_sha256_equal(gconstpointer a, gconstpointer b);

G_END_DECLS
