/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/tree-diff.h"
#include "rebuild/proof/layer-proof.h"

G_BEGIN_DECLS

#define CAM_PROOF_MAX_FILE (256 * 1024 * 1024) /* of a derived file that is read whole */

/* A path that a planned package ships, by where it really lies. */
typedef struct {
	const CamDebEntry *entry;
	guint package; /* index */
} CamProvenPath;

/* All that paths are judged by. */
typedef struct {
	CamRootfs *before, *after;
	const GPtrArray *packages; /* (element-type CamPlannedPackage) */
	const GPtrArray *contents; /* (element-type CamDebContent) */
	GHashTable *shipped;	   /* (element-type utf8 CamProvenPath) */
	GHashTable *formerly;	   /* (element-type utf8): listed by the versions that go */
	GHashTable *parents;	   /* directory as packaged → where it really lies */
	GHashTable *diversions;	   /* (element-type utf8 utf8): path → "PACKAGE PATH" */
	GHashTable *changes;	   /* (element-type utf8 CamPathChange) */
	GPtrArray *byte_code;	   /* (nullable) */
} CamProof;

/* What a check says of a path: NULL where it is not its business, else "" for explained, else the
 * reason why not. All (transfer full). */
char *cam_proof_records(const CamProof *self, const CamPathChange *change, GError **error);
char *cam_proof_derived(const CamProof *self, const CamPathChange *change, GError **error);

/* What @path leads to in the tree after, if it is a path that a planned package ships. */
const CamProvenPath *cam_proof_find_shipped(const CamProof *self, const char *path);

/* (nullable) (transfer full): a regular file's content as text; NULL where it is none or has a NUL.
 */
char *cam_proof_read_text(CamRootfs *rootfs, const char *path);

/* An ordinary file of the system: root's, without privileges, @mode or 0600. */
gboolean cam_proof_is_plain(const CamStat *stat, guint32 mode);

G_END_DECLS
