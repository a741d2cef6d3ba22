/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * CamDeadline:
 *
 * A bound for a blocking call that can be cancelled but takes no time-out of its own: a thread that
 * cancels the call's GCancellable when the time is over.
 */
typedef struct _CamDeadline CamDeadline;

/* @chained: (nullable): cancels the call too. %CAM_ERROR_RESOURCE_EXHAUSTED where no thread can be
 * made. */
CamDeadline *cam_deadline_new(guint milliseconds, GCancellable *chained, GError **error);
/* (transfer none): for the call */
GCancellable *cam_deadline_get_cancellable(CamDeadline *self);
/* The time begins anew; from any thread. */
void cam_deadline_extend(CamDeadline *self);
/* Whether the time was over before the call ended. */
gboolean cam_deadline_has_passed(CamDeadline *self);
void cam_deadline_free(CamDeadline *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamDeadline, cam_deadline_free)

G_END_DECLS
