/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens in containerd, as it happens. Of the payloads only those of images and of commits
 * are read.
 */
#include "plugin/containerd/containerd-events.h"

#include "plugin/containerd/containerd-private.h"
#include "proto/events.pb-c.h"
#include "proto/images.pb-c.h"
#include "proto/snapshots.pb-c.h"

struct _CamContainerdEvents {
	CamGrpcCall *call;
};

const char *const cam_containerd_image_events[] = {
	"topic==\"/images/create\"",
	"topic==\"/images/update\"",
	"topic==\"/images/delete\"",
	NULL,
};

static const struct {
	const char *topic;
	CamContainerdEventKind kind;
} kinds[] = {
	{ "/images/create", CAM_CONTAINERD_EVENT_IMAGE_CREATE },
	{ "/images/update", CAM_CONTAINERD_EVENT_IMAGE_UPDATE },
	{ "/images/delete", CAM_CONTAINERD_EVENT_IMAGE_DELETE },
	{ "/snapshot/commit", CAM_CONTAINERD_EVENT_SNAPSHOT_COMMIT },
};

void
cam_containerd_event_free(CamContainerdEvent *self)
{
	if (self == NULL)
		return;
	g_free(self->name_space);
	g_free(self->topic);
	g_free(self->image);
	g_free(self->snapshot);
	g_free(self);
}

/* All three payloads begin with the name: the shortest reads them all. */
static char *
image_of(const Cam__Google__Any *payload)
{
	g_autoptr(GBytes) bytes = NULL;
	Cam__Images__ImageDelete *message;
	char *name;

	if (payload == NULL)
		return NULL;
	bytes = g_bytes_new_static(payload->value.data, payload->value.len);
	message = cam_wire_unpack(&cam__images__image_delete__descriptor, bytes, NULL);
	name = message != NULL ? g_strdup(message->name) : NULL;
	cam_wire_free(message);
	return name;
}

static char *
snapshot_of(const Cam__Google__Any *payload)
{
	g_autoptr(GBytes) bytes = NULL;
	Cam__Snapshots__CommitEvent *message;
	char *name;

	if (payload == NULL)
		return NULL;
	bytes = g_bytes_new_static(payload->value.data, payload->value.len);
	message = cam_wire_unpack(&cam__snapshots__commit_event__descriptor, bytes, NULL);
	name = message != NULL ? g_strdup(message->name) : NULL;
	cam_wire_free(message);
	return name;
}

static CamContainerdEvent *
event_from_wire(const Cam__Events__Envelope *wire)
{
	CamContainerdEvent *self = g_new0(CamContainerdEvent, 1);

	self->name_space = g_strdup(wire->namespace_);
	self->topic = g_strdup(wire->topic);
	self->time = cam_wire_timestamp_get(wire->timestamp);
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (g_str_equal(kinds[i].topic, wire->topic))
			self->kind = kinds[i].kind;
	}
	if (self->kind == CAM_CONTAINERD_EVENT_SNAPSHOT_COMMIT)
		self->snapshot = snapshot_of(wire->event);
	else if (self->kind != CAM_CONTAINERD_EVENT_OTHER)
		self->image = image_of(wire->event);
	return self;
}

CamContainerdEvents *
cam_containerd_subscribe(CamContainerd *self, const char *const *filters, GCancellable *cancellable,
			 GError **error)
{
	Cam__Events__SubscribeRequest request = CAM__EVENTS__SUBSCRIBE_REQUEST__INIT;
	CamContainerdEvents *events;
	CamGrpcCall *call;

	request.filters = (char **) filters;
	request.n_filters = filters != NULL ? g_strv_length((char **) filters) : 0;
	call = cam_containerd_start(self, &cam__events__events__descriptor, "Subscribe", &request,
				    NULL, cancellable, error);
	if (call == NULL)
		return NULL;
	events = g_new0(CamContainerdEvents, 1);
	events->call = call;
	return events;
}

CamContainerdEvent *
cam_containerd_events_next(CamContainerdEvents *self, GError **error)
{
	CamContainerdEvent *event;
	gpointer message = NULL;

	if (!cam_containerd_receive(self->call, &cam__events__envelope__descriptor, &message,
				    error))
		return NULL;
	if (message == NULL) {
		cam_set_error(error, CAM_ERROR_UNAVAILABLE, "containerd ended the subscription");
		return NULL;
	}
	event = event_from_wire(message);
	cam_wire_free(message);
	return event;
}

void
cam_containerd_events_free(CamContainerdEvents *self)
{
	if (self == NULL)
		return;
	cam_grpc_call_free(self->call);
	g_free(self);
}
