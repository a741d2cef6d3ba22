/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between a server and its calls. */
#pragma once

#include <grpc/grpc.h>

#include "plugin/containerd/grpc-server.h"

G_BEGIN_DECLS

/* Something that gRPC will say is done; the address of it is the tag. */
typedef struct {
	void (*done)(gpointer owner, gboolean ok);
	gpointer owner;
} CamGrpcTag;

typedef struct {
	const CamGrpcMethod *method;
	gpointer user_data;
} CamGrpcRoute;

struct _CamGrpcServerCall {
	CamGrpcServer *server;	   /* (unowned) */
	const CamGrpcRoute *route; /* (nullable): an unknown method */
	GCancellable *cancellable;
	GHashTable *headers; /* (nullable) name → value, once somebody asked */

	grpc_call *core;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *request;
	int cancelled;

	/* Of the thread that talks to gRPC alone. */
	CamGrpcTag arrived, received, closed, finished;
	GList link; /* in the queue of those without a request */
	gint64 since;
	guint open_ends; /* closed and finished, while they have not come */

	/* Of the handler's thread. */
	GBytes *kept; /* (nullable): sent together with what follows it */
	gboolean opened;

	/* Between the two. */
	CamGrpcTag sent;
	GMutex lock;
	GCond changed;
	gboolean sending, failed;
};

CamGrpcServerCall *cam_grpc_server_call_new(CamGrpcServer *server);
void cam_grpc_server_call_free(CamGrpcServerCall *self);
/* Begins to wait for the client's end and, with a route, for the request. */
void cam_grpc_server_call_begin(CamGrpcServerCall *self);
/* In a handler's thread, from the request to the status. Nobody may touch the call afterwards. */
void cam_grpc_server_call_run(CamGrpcServerCall *self);
/* @error: (nullable). Nobody may touch the call afterwards but through its tags. */
void cam_grpc_server_call_finish(CamGrpcServerCall *self, const GError *error);

G_END_DECLS
