/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"
#include "plugin/daemon/image-scanner.h"
#include "plugin/daemon/jobs.h"
#include "plugin/daemon/verdict-db.h"

G_BEGIN_DECLS

/* All of them outlive it. */
typedef struct {
	CamContainerd *containerd;
	CamSnapshotter *snapshotter;
	CamImageScanner *scanner;
	CamVerdictDb *verdicts;
	CamJobs *jobs;
	gboolean offline; /* look up no packages */
} CamImageLookParts;

/**
 * CamImageLook:
 *
 * Looks at images of containerd, in the background: one that is unpacked with this snapshotter is
 * taken into the store and scanned, unless it was scanned by these advisories already, and then its
 * packages that no source has looked at are looked up; one that is gone is forgotten. Thread-safe.
 */
typedef struct _CamImageLook CamImageLook;

CamImageLook *cam_image_look_new(const CamImageLookParts *parts);
/* The jobs must have been closed before. */
void cam_image_look_free(CamImageLook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamImageLook, cam_image_look_free)

void cam_image_look_later(CamImageLook *self, const char *name_space, const char *name,
			  CamJobPriority priority);
/* A snapshot was committed: the image that waited for it is looked at. */
void cam_image_look_on_commit(CamImageLook *self, const char *chain_id);
/* Now and then: those that wait for a commit. It may have been missed, and there is none where the
 * store knew all layers. */
void cam_image_look_at_pending(CamImageLook *self);
/* Those that were scanned by other advisories than there are now. */
void cam_image_look_at_stale(CamImageLook *self);

/* Those with packages that no source has looked at, though it may just have failed. */
void cam_image_look_at_unjudged(CamImageLook *self);

/**
 * cam_image_look_is_scanning:
 * @verdicts: (element-type CamVerdict)
 * @ask: look at those that were not scanned yet, now
 *
 * Whether one of these images is about to be scanned or its packages to be looked up; of none,
 * whether any image is.
 */
gboolean cam_image_look_is_scanning(CamImageLook *self, const GPtrArray *verdicts, gboolean ask);

G_END_DECLS
