/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/sandbox/control-group.h"
#include "rebuild/sandbox/sandbox.h"

G_BEGIN_DECLS

/**
 * CamSandboxGuard: holds one sandbox to its limits. Memory and processes are bounded by a control
 * group where there is one; what is not is looked at several times a second, and the sandbox is
 * ended when it is beyond.
 */
typedef struct {
	CamSandboxLimits limits; /* none is zero */
	char *grows;		 /* (nullable): the directory that its writes end up in */
	CamControlGroup *group;	 /* (nullable) */
	gint64 next_disk;	 /* monotonic time of the next look at the disk */
} CamSandboxGuard;

void
cam_sandbox_guard_init(CamSandboxGuard *self, const CamSandboxLimits *limits, const char *grows);
/* For use between fork and exec. */
void cam_sandbox_guard_enter(const CamSandboxGuard *self);
/* @pid: of bubblewrap. RESOURCE_EXHAUSTED, with the limit and where it is configured: the sandbox
 * is to be ended. */
gboolean cam_sandbox_guard_check(CamSandboxGuard *self, GPid pid, GError **error);
/* The same when it has ended: whether that was for a limit. */
gboolean cam_sandbox_guard_check_end(CamSandboxGuard *self, int status, GError **error);
/* How long to wait until the next check, in milliseconds. */
int cam_sandbox_guard_interval(const CamSandboxGuard *self);
void cam_sandbox_guard_clear(CamSandboxGuard *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamSandboxGuard, cam_sandbox_guard_clear)

G_END_DECLS
