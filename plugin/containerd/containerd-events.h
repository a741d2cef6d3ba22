/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/containerd/containerd-client.h"

G_BEGIN_DECLS

typedef enum {
	CAM_CONTAINERD_EVENT_OTHER,
	CAM_CONTAINERD_EVENT_IMAGE_CREATE,
	CAM_CONTAINERD_EVENT_IMAGE_UPDATE,
	CAM_CONTAINERD_EVENT_IMAGE_DELETE,
	CAM_CONTAINERD_EVENT_SNAPSHOT_COMMIT,
} CamContainerdEventKind;

typedef struct {
	CamContainerdEventKind kind;
	char *name_space;
	char *topic;	/* "/images/create" */
	char *image;	/* (nullable): name, of events of images */
	char *snapshot; /* (nullable): name, of commits */
	gint64 time;	/* nanoseconds since 1970 */
} CamContainerdEvent;
void cam_containerd_event_free(CamContainerdEvent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamContainerdEvent, cam_containerd_event_free)

/* Filters for those who care for images alone; NULL-terminated. */
extern const char *const cam_containerd_image_events[];

/**
 * CamContainerdEvents: a subscription. Used by one thread at a time.
 */
typedef struct _CamContainerdEvents CamContainerdEvents;

/**
 * cam_containerd_subscribe:
 * @filters: (nullable): containerd's, `topic=="/images/create"`; one that matches is enough
 *
 * Events of all namespaces from the moment on at which containerd has read the request; it keeps
 * none, and nothing but the first event tells that moment. So list what there is after subscribing,
 * not before, and once more after the first event.
 */
CamContainerdEvents *cam_containerd_subscribe(CamContainerd *self, const char *const *filters,
					      GCancellable *cancellable, GError **error);
/* Waits for the next one, until the cancellable of the subscription ends it. A daemon that goes
 * away is UNAVAILABLE; then one subscribes again. */
CamContainerdEvent *cam_containerd_events_next(CamContainerdEvents *self, GError **error);
void cam_containerd_events_free(CamContainerdEvents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamContainerdEvents, cam_containerd_events_free)

G_END_DECLS
