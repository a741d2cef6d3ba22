/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/proof/layer-proof.h"
#include "rebuild/publish/fix-memory.h"
#include "rebuild/sandbox/sandbox.h"

G_BEGIN_DECLS

/**
 * CamFixProof: holds layers against the packages of one plan, for one image.
 */
typedef struct _CamFixProof CamFixProof;

/* All arguments must outlive it. @memory: (nullable): where what packages ship is remembered. */
CamFixProof *
cam_fix_proof_new(CamStore *store, const CamImage *image, CamRootfs *before, const CamFixPlan *plan,
		  CamFixMemory *memory, const CamSandboxLimits *limits, CamProgress *progress,
		  GCancellable *cancellable);
void cam_fix_proof_free(CamFixProof *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamFixProof, cam_fix_proof_free)

/* Begins to read, beside what is done meanwhile, the packages that are not known yet. @debs: a
 * verified file for each package of the plan, NULL-terminated. */
void cam_fix_proof_read_packages(CamFixProof *self, const char *const *debs);

/* (element-type CamLayerDoubt): what of the layer @diff_id of the store, on the image, nothing
 * explains. NOT_FOUND where packages were not read. */
GPtrArray *cam_fix_proof_judge(CamFixProof *self, const char *diff_id, GError **error);

/* Whether a layer that was made for another image may go on this one: a CamFixMemoryAccepts, with
 * @user_data a CamFixProof. Nothing of the layer is run. */
gboolean
cam_fix_proof_accepts(const char *diff_id, gpointer user_data, gboolean *accepted, GError **error);

G_END_DECLS
