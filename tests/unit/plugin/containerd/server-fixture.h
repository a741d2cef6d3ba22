/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server of ours on a socket of its own, and a channel to it; for tests of services. */
#pragma once

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugin/containerd/grpc-channel.h"
#include "plugin/containerd/grpc-server.h"
#include "plugin/containerd/wire.h"

typedef struct {
	char *directory, *socket;
	int listener;
	GThread *acceptor;
	CamGrpcServer *server;
	CamGrpcChannel *channel;
} ServerFixture;

static gpointer
server_fixture_accept(gpointer data)
{
	ServerFixture *self = data;
	int fd;

	while ((fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		cam_grpc_server_add_connection(self->server, fd);
	return NULL;
}

/* @server: (transfer full): with its services; is started */
static inline void
server_fixture_start(ServerFixture *self, CamGrpcServer *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	self->directory = g_dir_make_tmp("cam-XXXXXX", NULL);
	self->socket = g_build_filename(self->directory, "s", NULL);
	g_strlcpy(address.sun_path, self->socket, sizeof(address.sun_path));
	self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(self->listener, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(self->listener, 16), ==, 0);
	self->server = server;
	g_assert_true(cam_grpc_server_start(server, NULL));
	self->acceptor = g_thread_new("accept", server_fixture_accept, self);
	self->channel = cam_grpc_channel_new(self->socket, NULL);
}

static inline void
server_fixture_stop(ServerFixture *self)
{
	g_clear_object(&self->channel);
	cam_grpc_server_stop(self->server, 1000);
	shutdown(self->listener, SHUT_RDWR);
	g_thread_join(self->acceptor);
	close(self->listener);
	g_object_unref(self->server);
	g_unlink(self->socket);
	g_rmdir(self->directory);
	g_free(self->socket);
	g_free(self->directory);
}

/* The answer as message of @type; NULL with the error that the server answered. */
static inline gpointer
server_fixture_call(ServerFixture *self, const char *method, gconstpointer request,
		    const ProtobufCMessageDescriptor *type, const CamGrpcCallOptions *options,
		    GError **error)
{
	g_autoptr(GBytes) bytes = cam_wire_pack(request);
	g_autoptr(GBytes) answer =
		cam_grpc_channel_call(self->channel, method, bytes, options, NULL, error);

	return answer != NULL ? cam_wire_unpack(type, answer, error) : NULL;
}
