/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamLowerTimes: the times of the directories of an image, which trees do not keep: those of the
 * topmost layer that has the directory.
 */
typedef struct _CamLowerTimes CamLowerTimes;

CamLowerTimes *cam_lower_times_new(CamStore *store, const char *const *diff_ids, GError **error);
/* Seconds since 1970, or -1 where no layer has the directory. A CamMtimeFunc. */
gint64 cam_lower_times_get(const char *path, gpointer self);
void cam_lower_times_free(CamLowerTimes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamLowerTimes, cam_lower_times_free)

G_END_DECLS
