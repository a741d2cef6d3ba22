/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamGrpcChannel:
 *
 * A client's connection to a gRPC server on a unix socket; it is made when it is first needed, and
 * again when it broke. Thread-safe. Messages are bytes: what they mean is the caller's.
 */
#define CAM_TYPE_GRPC_CHANNEL (cam_grpc_channel_get_type())
G_DECLARE_FINAL_TYPE(CamGrpcChannel, cam_grpc_channel, CAM, GRPC_CHANNEL, GObject)

/* @socket: an absolute path of at most 107 bytes, else %CAM_ERROR_INVALID_ARGUMENT. Nothing is
 * connected yet. */
CamGrpcChannel *cam_grpc_channel_new(const char *socket, GError **error);
const char *cam_grpc_channel_get_socket(CamGrpcChannel *self);

typedef struct {
	const char *name_space; /* (nullable): header containerd-namespace */
	const char *lease;	/* (nullable): header containerd-lease */
	guint timeout;		/* milliseconds until UNAVAILABLE; 0: none */
} CamGrpcCallOptions;

/**
 * cam_grpc_channel_call:
 * @method: "/containerd.services.version.v1.Version/Version"
 * @options: (nullable)
 *
 * One request, one answer. Errors are those that the server answered, by the table of
 * grpc-status.h; %CAM_ERROR_UNAVAILABLE with the reason if nobody listens at the socket.
 *
 * Returns: (transfer full): the answer
 */
GBytes *
cam_grpc_channel_call(CamGrpcChannel *self, const char *method, GBytes *request,
		      const CamGrpcCallOptions *options, GCancellable *cancellable, GError **error);

/**
 * CamGrpcCall:
 *
 * A call with any number of messages in both directions. Used by one thread at a time; the
 * cancellable may be cancelled from any. An error ends it: what can be done then is to free it.
 */
typedef struct _CamGrpcCall CamGrpcCall;

CamGrpcCall *
cam_grpc_channel_start(CamGrpcChannel *self, const char *method, const CamGrpcCallOptions *options,
		       GCancellable *cancellable, GError **error);
/* A server-streaming call: sends the one request. */
CamGrpcCall *cam_grpc_channel_start_stream(CamGrpcChannel *self, const char *method,
					   GBytes *request, const CamGrpcCallOptions *options,
					   GCancellable *cancellable, GError **error);
/* A server that ended the call early is an error, its own where it gave one. */
gboolean cam_grpc_call_send(CamGrpcCall *self, GBytes *message, GError **error);
/* Nothing more will be sent. */
gboolean cam_grpc_call_close(CamGrpcCall *self, GError **error);
/* *@message: (out) (transfer full) (nullable): NULL at the end of a call that went well */
gboolean cam_grpc_call_receive(CamGrpcCall *self, GBytes **message, GError **error);
/* Also ends a call that is still running. */
void cam_grpc_call_free(CamGrpcCall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamGrpcCall, cam_grpc_call_free)

G_END_DECLS
