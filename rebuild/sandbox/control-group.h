/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamControlGroup: a control group of its own for the processes of one sandbox, which bounds their
 * memory and their number in the kernel: of version 2 where memory and pids are delegated to the
 * group that this process is in or to one above it, else of version 1.
 */
typedef struct _CamControlGroup CamControlGroup;

typedef enum {
	CAM_CONTROL_GROUP_FINE,
	CAM_CONTROL_GROUP_MEMORY,    /* processes were killed for want of memory */
	CAM_CONTROL_GROUP_PROCESSES, /* no more could be made */
} CamControlGroupState;

/* (nullable): NULL where there are no control groups, or none that this process may make. */
CamControlGroup *cam_control_group_new(guint64 memory, guint64 processes);
/* For use between fork and exec: the calling process joins. */
void cam_control_group_join(const CamControlGroup *self);
CamControlGroupState cam_control_group_get_state(const CamControlGroup *self);
/* Whether the kernel bounds these; else a watch must. */
gboolean cam_control_group_bounds_memory(const CamControlGroup *self);
gboolean cam_control_group_bounds_processes(const CamControlGroup *self);
/* All processes in it must have ended, or be about to. */
void cam_control_group_free(CamControlGroup *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamControlGroup, cam_control_group_free)

G_END_DECLS
