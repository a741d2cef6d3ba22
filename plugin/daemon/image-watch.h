/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/daemon/image-look.h"

G_BEGIN_DECLS

/* All of them outlive the watch. */
typedef struct {
	const char *root; /* of the store */
	CamContainerd *containerd;
	CamVerdictDb *verdicts;
	CamJobs *jobs;
	CamImageLook *look;
	const char *const *namespaces; /* (nullable): all */
} CamImageWatchParts;

/**
 * CamImageWatch:
 *
 * Follows containerd's images, and looks at those that something happened to. It has a thread of
 * its own and never makes containerd wait; where that is away it tries again, and then looks at
 * everything that there is.
 */
typedef struct _CamImageWatch CamImageWatch;

CamImageWatch *cam_image_watch_new(const CamImageWatchParts *parts, GError **error);
/* To be called every few seconds, by one thread: also new advisories are noticed here. */
void cam_image_watch_tick(CamImageWatch *self);
/* Ends the thread. The jobs must have been closed before. */
void cam_image_watch_free(CamImageWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamImageWatch, cam_image_watch_free)

G_END_DECLS
