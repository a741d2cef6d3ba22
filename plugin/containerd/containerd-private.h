/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the files of CamContainerd talk to a service; private to them. */
#pragma once

#include "plugin/containerd/containerd-client.h"
#include "plugin/containerd/wire.h"

G_BEGIN_DECLS

/* Where a call takes place. */
typedef struct {
	const char *name_space; /* (nullable) */
	const char *lease;	/* (nullable) */
} CamContainerdScope;

CamGrpcChannel *cam_containerd_get_channel(CamContainerd *self);

/**
 * cam_containerd_call:
 * @service: for example &cam__images__images__descriptor
 * @method: "Get"
 * @request: of the type that the method takes
 *
 * Returns: (transfer full): a message of the type that the method returns; free it with
 *     cam_wire_free()
 */
gpointer
cam_containerd_call(CamContainerd *self, const ProtobufCServiceDescriptor *service,
		    const char *method, gconstpointer request, const CamContainerdScope *scope,
		    GCancellable *cancellable, GError **error);

/* A method that streams its answers, the request sent. */
CamGrpcCall *
cam_containerd_start(CamContainerd *self, const ProtobufCServiceDescriptor *service,
		     const char *method, gconstpointer request, const CamContainerdScope *scope,
		     GCancellable *cancellable, GError **error);
/* A method that streams both ways, nothing sent. */
CamGrpcCall *cam_containerd_open(CamContainerd *self, const ProtobufCServiceDescriptor *service,
				 const char *method, const CamContainerdScope *scope,
				 GCancellable *cancellable, GError **error);
/* *@message: (nullable): NULL at the end */
gboolean cam_containerd_receive(CamGrpcCall *call, const ProtobufCMessageDescriptor *type,
				gpointer *message, GError **error);

/* A table as the entries of a message on the stack. */
typedef struct {
	gsize n;
	Cam__Types__Entry **entries;
} CamContainerdLabels;
CamContainerdLabels cam_containerd_labels(GHashTable *table);
void cam_containerd_labels_clear(CamContainerdLabels *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CamContainerdLabels, cam_containerd_labels_clear)

/* Field mask of an update: "labels.KEY" for each, and @also (nullable). (transfer full): strv */
char **cam_containerd_label_paths(GHashTable *labels, const char *also);

G_END_DECLS
