/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to a gRPC server on a unix socket, over gRPC's C core, and what to say if it
 * cannot be had. Calls are grpc-call.c.
 */
#include "plugin/containerd/grpc-channel-private.h"

#include <errno.h>
#include <grpc/grpc_security.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "plugin/containerd/grpc-library.h"

/* containerd sends and takes at most 16 MiB. */
#define MAX_MESSAGE (16 * 1024 * 1024)

/* Milliseconds. A daemon that was started again shall be met soon; one that listens may take its
 * time to answer. */
#define FIRST_RECONNECT 100
#define LAST_RECONNECT	500
#define CONNECT_TIMEOUT 20000

struct _CamGrpcChannel {
	GObject parent_instance;
	char *socket;
	grpc_channel *core;
};

G_DEFINE_FINAL_TYPE(CamGrpcChannel, cam_grpc_channel, G_TYPE_OBJECT)

static void
cam_grpc_channel_finalize(GObject *object)
{
	CamGrpcChannel *self = CAM_GRPC_CHANNEL(object);

	g_clear_pointer(&self->core, grpc_channel_destroy);
	g_free(self->socket);
	cam_grpc_library_release();
	G_OBJECT_CLASS(cam_grpc_channel_parent_class)->finalize(object);
}

static void
cam_grpc_channel_class_init(CamGrpcChannelClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = cam_grpc_channel_finalize;
}

static void
cam_grpc_channel_init(CamGrpcChannel *self)
{
	cam_grpc_library_hold();
}

static grpc_arg
integer(const char *key, int value)
{
	return (grpc_arg){ .type = GRPC_ARG_INTEGER, .key = (char *) key, .value.integer = value };
}

static grpc_channel *
make_core(const char *socket)
{
	g_autofree char *target = g_strconcat("unix:", socket, NULL);
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	grpc_arg args[] = {
		integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MAX_MESSAGE),
		integer(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, MAX_MESSAGE),
		integer(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, FIRST_RECONNECT),
		/* In spite of its name, what an attempt to connect may take. */
		integer(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT),
		integer(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, LAST_RECONNECT),
		integer(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
		integer(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
		/* Two channels to one socket shall not share the other's back-off. */
		integer(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
	};
	grpc_channel_args all = { G_N_ELEMENTS(args), args };
	grpc_channel *core = grpc_channel_create(target, credentials, &all);

	grpc_channel_credentials_release(credentials);
	return core;
}

CamGrpcChannel *
cam_grpc_channel_new(const char *socket, GError **error)
{
	g_autoptr(CamGrpcChannel) self = NULL;
	struct sockaddr_un address;

	if (!g_path_is_absolute(socket) || strlen(socket) >= sizeof(address.sun_path)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "%s cannot be a socket: an absolute path of at most %zu bytes is "
			      "wanted",
			      socket, sizeof(address.sun_path) - 1);
		return NULL;
	}
	self = g_object_new(CAM_TYPE_GRPC_CHANNEL, NULL);
	self->socket = g_strdup(socket);
	self->core = make_core(socket);
	return g_steal_pointer(&self);
}

const char *
cam_grpc_channel_get_socket(CamGrpcChannel *self)
{
	return self->socket;
}

grpc_channel *
cam_grpc_channel_get_core(CamGrpcChannel *self)
{
	return self->core;
}

/* 0 if somebody listens there. */
static int
probe(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_auto(CamFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	return connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0 ? 0 : errno;
}

gboolean
cam_grpc_channel_set_unavailable(CamGrpcChannel *self, const char *details, GError **error)
{
	int problem = probe(self->socket);

	switch (problem) {
	case 0:
	case EAGAIN:
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE, "the connection to %s broke: %s",
				     self->socket, details);
	case ENOENT:
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE,
				     "cannot connect to %s: there is no such socket; is its "
				     "daemon running?",
				     self->socket);
	case ECONNREFUSED:
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE,
				     "cannot connect to %s: nobody listens there; is its daemon "
				     "running?",
				     self->socket);
	case EACCES:
	case EPERM:
		return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
				     "cannot connect to %s: this user may not; run it as root",
				     self->socket);
	default:
		return cam_set_error(error, CAM_ERROR_UNAVAILABLE, "cannot connect to %s: %s",
				     self->socket, g_strerror(problem));
	}
}
