/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/store/store-private.h"

G_BEGIN_DECLS

/**
 * CamVerification: what a run of cam_store_verify() has found so far.
 */
typedef struct {
	CamStore *store;
	OstreeRepo *repo;
	CamVerifyResult *result;
	GHashTable *bad_layers;	  /* diffIDs */
	GHashTable *broken_trees; /* those of them whose directories cannot be gone through */
	GHashTable *bad_objects;  /* OSTree object names (GVariant) */
	GHashTable *bad_files;	  /* CamSha256 of damaged file objects → CamVerifyProblem */
	GHashTable *bad_blobs;	  /* digests */
	CamProgress *progress;
	GCancellable *cancellable;
} CamVerification;

/* Takes @problem over, about the @kind of thing called @name; a cancellation is none and stays an
 * error: FALSE. */
gboolean cam_verification_add_problem(CamVerification *self, const char *kind, const char *name,
				      GError *problem, GError **error);
/* Databases and the images that mounts keep: all files that are no objects and no blobs. */
gboolean cam_verification_check_files(CamVerification *self, gboolean repair, GError **error);
/* Under the lock of the sweep. */
gboolean cam_verification_forget(CamVerification *self, GError **error);

G_END_DECLS
