/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"
#include "plugin/daemon/verdict-db.h"

G_BEGIN_DECLS

/* On the snapshot of a container that the policy only warns about: the reason in a few words. */
#define CAM_POLICY_LABEL "containerd.io/snapshot/cambium.policy"

/* Microseconds that a container waits at most for a scan of its image, and for the network that a
 * look-up of its packages takes. */
#define CAM_POLICY_GATE_PATIENCE (10 * G_USEC_PER_SEC)

/**
 * CamPolicyGate: asked before a snapshot for a container is made. Thread-safe.
 */
typedef struct _CamPolicyGate CamPolicyGate;

/* Whether images with these layers are being scanned or looked up; @ask: begin to, if they never
 * were. */
typedef gboolean (*CamScanningFunc)(const GPtrArray *verdicts, gboolean ask, gpointer user_data);

/* @verdicts: (nullable): none: everything counts as never scanned. It must outlive the gate. */
CamPolicyGate *
cam_policy_gate_new(CamVerdictDb *verdicts, CamScanningFunc scanning, gpointer user_data);
void cam_policy_gate_free(CamPolicyGate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamPolicyGate, cam_policy_gate_free)

/* @config: (transfer full): its policy holds from now on; before, everything is allowed */
void cam_policy_gate_set_config(CamPolicyGate *self, CamConfig *config);

/**
 * cam_policy_gate_check:
 * @key: as containerd sends it: NAMESPACE/NUMBER/KEY; one that begins with "extract-" unpacks a
 *     layer and always passes
 * @parent: of a committed snapshot, its name ends in a chainID; "" always passes
 * @labels: (inout) (nullable): gets %CAM_POLICY_LABEL where the policy only warns
 *
 * Where the image is just being scanned or looked up, and would be refused for want of a verdict,
 * it waits for that, %CAM_POLICY_GATE_PATIENCE at most. What known findings refuse is refused at
 * once. %CAM_ERROR_FAILED_PRECONDITION says what is wrong with the image and what can be
 * done.
 */
gboolean cam_policy_gate_check(CamPolicyGate *self, const char *key, const char *parent,
			       GHashTable *labels, GError **error);

G_END_DECLS
