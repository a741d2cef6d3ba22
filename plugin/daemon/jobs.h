/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamJobs: work that may wait, done in the background by a few threads of low priority.
 *
 * Each job has a key. Of one key there is at most one that waits and one that runs: what is asked
 * for twice is done once, and what is asked for while it runs is done once more. Failures are
 * logged. Thread-safe.
 */
typedef struct _CamJobs CamJobs;

typedef enum {
	CAM_JOB_IDLE,	/* some day */
	CAM_JOB_NORMAL, /* nobody waits */
	CAM_JOB_SOON,	/* somebody may be waiting */
} CamJobPriority;

typedef gboolean (*CamJobFunc)(gpointer data, GCancellable *cancellable, GError **error);

CamJobs *cam_jobs_new(guint n_threads, GError **error);

/**
 * cam_jobs_add:
 * @key: for people too: "scan k8s.io/shop:1.0"
 * @data: owned by the queue, freed with @destroy also if the job is never done
 *
 * A waiting job with this key keeps its place, or moves to that of the higher priority; @data is
 * then freed.
 */
void cam_jobs_add(CamJobs *self, const char *key, CamJobPriority priority, CamJobFunc func,
		  gpointer data, GDestroyNotify destroy);
/* Whether one waits or runs. */
gboolean cam_jobs_has(CamJobs *self, const char *key);
/* Whether any does. */
gboolean cam_jobs_is_busy(CamJobs *self);
/* What waits is dropped, what runs is cancelled. */
void cam_jobs_cancel(CamJobs *self, const char *key);
/* Until nothing waits or runs. */
void cam_jobs_wait(CamJobs *self);
/* Drops what waits, cancels what runs and waits for it. What is added later is dropped. */
void cam_jobs_close(CamJobs *self);
void cam_jobs_free(CamJobs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamJobs, cam_jobs_free)

G_END_DECLS
