/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamGrpcServer:
 *
 * Answers calls of gRPC on connections that somebody else accepted. One thread talks to gRPC; each
 * call that has its request runs in one of a fixed number of other threads. Thread-safe.
 */
#define CAM_TYPE_GRPC_SERVER (cam_grpc_server_get_type())
G_DECLARE_FINAL_TYPE(CamGrpcServer, cam_grpc_server, CAM, GRPC_SERVER, GObject)

/* A call while its handler runs. */
typedef struct _CamGrpcServerCall CamGrpcServerCall;

/**
 * CamGrpcHandler:
 * @request: of the type that the method's table says
 *
 * Runs in a thread of its own and may take its time, but shall heed the call's cancellable. A
 * method that streams sends any number of messages, another one at most one; if it sends none, the
 * answer is an empty message.
 *
 * Returns: FALSE with an error, which ends the call with the status that stands for it
 */
typedef gboolean (*CamGrpcHandler)(CamGrpcServerCall *call, gconstpointer request,
				   gpointer user_data, GError **error);

typedef struct {
	const char *path; /* "/PACKAGE.SERVICE/METHOD"; NULL ends a table */
	const ProtobufCMessageDescriptor *request;
	CamGrpcHandler handle;
	gboolean streams;
} CamGrpcMethod;

/* 0 stands for the default. */
typedef struct {
	guint handlers;	       /* that run at the same time; 32 */
	guint calls;	       /* that have begun, the waiting ones included; 512 */
	guint message_size;    /* bytes of a request; 4 MiB, as gRPC itself */
	guint message_timeout; /* milliseconds until the request must be there; 20,000 */
} CamGrpcServerOptions;

/* @options: (nullable) */
CamGrpcServer *cam_grpc_server_new(const CamGrpcServerOptions *options);
/**
 * cam_grpc_server_add_service:
 * @methods: (transfer none): outlives the server
 * @user_data: (transfer full): for the handlers
 *
 * Only before cam_grpc_server_start().
 */
void cam_grpc_server_add_service(CamGrpcServer *self, const CamGrpcMethod *methods,
				 gpointer user_data, GDestroyNotify destroy);
gboolean cam_grpc_server_start(CamGrpcServer *self, GError **error);
/**
 * cam_grpc_server_add_connection:
 * @fd: (transfer full): a connected stream socket
 *
 * Between start and stop; at other times the connection is closed.
 */
void cam_grpc_server_add_connection(CamGrpcServer *self, int fd);
/**
 * cam_grpc_server_stop:
 * @grace: milliseconds
 *
 * Takes no more calls, lets those that run come to their end, cancels them after @grace, and
 * returns when all handlers have returned. The server cannot be started again.
 */
void cam_grpc_server_stop(CamGrpcServer *self, guint grace);
/* Calls that have begun and not ended. */
guint cam_grpc_server_get_n_calls(CamGrpcServer *self);

/* Cancelled when the client goes away, gives up or loses patience, and when the server stops. */
GCancellable *cam_grpc_server_call_get_cancellable(CamGrpcServerCall *self);
/* (nullable) (transfer none): what the client sent as the header @name, in lower case */
const char *cam_grpc_server_call_get_header(CamGrpcServerCall *self, const char *name);
/* (nullable) (transfer none): containerd's namespace */
const char *cam_grpc_server_call_get_namespace(CamGrpcServerCall *self);
/**
 * cam_grpc_server_call_send:
 * @message: (transfer none): of protobuf-c
 *
 * Waits until the message before is on its way, so that a slow client slows its stream down.
 * %CAM_ERROR_CANCELLED if the client is gone.
 */
gboolean cam_grpc_server_call_send(CamGrpcServerCall *self, gconstpointer message, GError **error);

G_END_DECLS
