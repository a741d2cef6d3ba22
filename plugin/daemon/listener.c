/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listening on unix sockets: those of systemd or one of our own. What is spoken on a connection is
 * others' business.
 */
#include "plugin/daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD	3 /* SD_LISTEN_FDS_START */
#define MAX_SYSTEMD_FDS 16
#define BACKLOG		SOMAXCONN
#define ACCEPT_PAUSE	(100 * 1000) /* microseconds, where descriptors or memory ran out */
#define RESERVED_FDS	256	     /* that connections leave to what they ask for */

struct _CamListener {
	GArray *fds; /* int */
	char *name;
	char *path;	   /* (nullable): of a socket of our own */
	struct stat inode; /* of that socket */
	int wake;
	GThread *thread;
	CamListenerFunc func;
	gpointer user_data;
};

static CamListener *
listener_new(void)
{
	CamListener *self = g_new0(CamListener, 1);

	self->fds = g_array_new(FALSE, FALSE, sizeof(int));
	self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return self;
}

static void
add_fd(CamListener *self, int fd)
{
	g_array_append_val(self->fds, fd);
}

static int
get_fd(CamListener *self, guint index)
{
	return g_array_index(self->fds, int, index);
}

/* ---- systemd's sockets ---- */

/* How many there are for this process. */
static guint
count_systemd_fds(void)
{
	const char *pid = g_getenv("LISTEN_PID"), *fds = g_getenv("LISTEN_FDS");
	guint64 count = 0, listener = 0;

	if (pid != NULL && fds != NULL &&
	    g_ascii_string_to_unsigned(pid, 10, 1, G_MAXINT32, &listener, NULL) &&
	    listener == (guint64) getpid() &&
	    !g_ascii_string_to_unsigned(fds, 10, 0, MAX_SYSTEMD_FDS, &count, NULL))
		count = 0;
	g_unsetenv("LISTEN_PID");
	g_unsetenv("LISTEN_FDS");
	g_unsetenv("LISTEN_FDNAMES");
	return (guint) count;
}

static gboolean
check_systemd_fd(int fd, GError **error)
{
	int family = 0, listening = 0;
	socklen_t size = sizeof(int);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening &&
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
		return TRUE;
	return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			     "descriptor %d of LISTEN_FDS is not a unix socket that listens: see "
			     "ListenStream in the .socket unit",
			     fd);
}

/* The path that a socket is bound to; NULL for an abstract one. */
static char *
bound_path(int fd)
{
	struct sockaddr_un address = { 0 };
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *) &address, &size) != 0 ||
	    address.sun_path[0] == '\0')
		return NULL;
	return g_strndup(address.sun_path, sizeof(address.sun_path));
}

CamListener *
cam_listener_new_from_systemd(GError **error)
{
	guint count = count_systemd_fds();
	g_autoptr(CamListener) self = NULL;
	g_autofree char *path = NULL;

	if (count == 0)
		return NULL;
	self = listener_new();
	for (guint i = 0; i < count; i++) {
		if (!check_systemd_fd(FIRST_FD + (int) i, error))
			return NULL;
		add_fd(self, FIRST_FD + (int) i);
	}
	path = bound_path(FIRST_FD);
	self->name = g_strdup_printf("%s (of systemd)", path != NULL ? path : "socket");
	return g_steal_pointer(&self);
}

/* ---- our own ---- */

/* Whether @path can be bound to: there is nothing, or the socket of a dead process was removed. */
static gboolean
clear_path(const char *path, const struct sockaddr_un *address, GError **error)
{
	g_auto(CamFd) fd = -1;
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ||
		       cam_set_error_errno(error, errno, "cannot look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
				     "%s exists and is no socket: name another with --socket",
				     path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cam_set_error_errno(error, errno, "cannot make a socket");
	/* EAGAIN: there is a listener, and its queue is full. */
	if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0 ||
	    errno == EAGAIN)
		return cam_set_error(error, CAM_ERROR_ALREADY_EXISTS,
				     "another process listens on %s: stop it, or name another "
				     "socket with --socket",
				     path);
	if (errno != ECONNREFUSED)
		return cam_set_error_errno(error, errno, "cannot find out who listens on %s", path);
	g_message("replacing %s, which a process that is gone has left", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return cam_set_error_errno(error, errno, "cannot remove %s", path);
	return TRUE;
}

static gboolean
bind_path(CamListener *self, int fd, const struct sockaddr_un *address, GError **error)
{
	/* Nobody else may connect, not even for the moment between bind() and a chmod(). */
	mode_t mask = umask(0177);
	int status = bind(fd, (const struct sockaddr *) address, sizeof(*address));
	int saved = errno;

	umask(mask);
	if (status != 0)
		return cam_set_error_errno(error, saved, "cannot make the socket %s", self->path);
	if (lstat(self->path, &self->inode) != 0 || listen(fd, BACKLOG) != 0)
		return cam_set_error_errno(error, errno, "cannot listen on %s", self->path);
	return TRUE;
}

CamListener *
cam_listener_new(const char *path, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autoptr(CamListener) self = NULL;
	g_autofree char *parent = g_path_get_dirname(path);
	int fd;

	if (!g_path_is_absolute(path) || strlen(path) >= sizeof(address.sun_path)) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "'%s' cannot be a socket: it must be an absolute path of at most %u "
			      "bytes",
			      path, (guint) sizeof(address.sun_path) - 1);
		return NULL;
	}
	strcpy(address.sun_path, path);
	if (g_mkdir_with_parents(parent, 0755) != 0) {
		cam_set_error_errno(error, errno, "cannot make %s for the socket", parent);
		return NULL;
	}
	if (!clear_path(path, &address, error))
		return NULL;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		cam_set_error_errno(error, errno, "cannot make a socket");
		return NULL;
	}
	self = listener_new();
	add_fd(self, fd);
	self->path = g_strdup(path);
	self->name = g_strdup(path);
	return bind_path(self, fd, &address, error) ? g_steal_pointer(&self) : NULL;
}

/* ---- taking in ---- */

/* Connections on which nothing is asked stay: gRPC's GRPC_ARG_MAX_CONNECTION_IDLE_MS closes those
 * that it was given as descriptors twice. So their number has a bound. The lowest free descriptor
 * is taken, so its number tells how many are in use. */
static gboolean
is_one_too_many(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       (rlim_t) fd + RESERVED_FDS > limit.rlim_cur;
}

/* FALSE if nothing is to be had for a while. */
static gboolean
accept_one(CamListener *self, int fd)
{
	g_auto(CamFd) client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client >= 0 && is_one_too_many(client)) {
		g_warning(
			"refusing a connection: %d descriptors are in use, and the limit leaves no "
			"more (LimitNOFILE of the service)",
			client);
		return FALSE;
	}
	if (client >= 0) {
		self->func(cam_fd_steal(&client), self->user_data);
		return TRUE;
	}
	if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
		return TRUE;
	g_warning("cannot accept a connection: %s", g_strerror(errno));
	return FALSE;
}

static gpointer
run(gpointer data)
{
	CamListener *self = data;
	g_autofree struct pollfd *polled = g_new0(struct pollfd, self->fds->len + 1);

	for (guint i = 0; i < self->fds->len; i++)
		polled[i] = (struct pollfd){ .fd = get_fd(self, i), .events = POLLIN };
	polled[self->fds->len] = (struct pollfd){ .fd = self->wake, .events = POLLIN };
	while (poll(polled, self->fds->len + 1, -1) > 0 || errno == EINTR) {
		if (polled[self->fds->len].revents != 0)
			break;
		for (guint i = 0; i < self->fds->len; i++) {
			if (polled[i].revents != 0 && !accept_one(self, polled[i].fd))
				g_usleep(ACCEPT_PAUSE);
		}
	}
	return NULL;
}

const char *
cam_listener_get_name(CamListener *self)
{
	return self->name;
}

gboolean
cam_listener_start(CamListener *self, CamListenerFunc func, gpointer user_data, GError **error)
{
	g_return_val_if_fail(self->thread == NULL, FALSE);

	self->func = func;
	self->user_data = user_data;
	self->thread = cam_thread_start("listener", run, self, error);
	return self->thread != NULL;
}

void
cam_listener_stop(CamListener *self)
{
	static const guint64 one = 1;
	struct stat st;

	if (self->thread != NULL) {
		cam_write_all(self->wake, &one, sizeof(one), NULL);
		g_thread_join(g_steal_pointer(&self->thread));
	}
	/* By then it may be somebody else's. */
	if (self->path != NULL && lstat(self->path, &st) == 0 && st.st_ino == self->inode.st_ino &&
	    st.st_dev == self->inode.st_dev)
		unlink(self->path);
	for (guint i = 0; i < self->fds->len; i++)
		close(get_fd(self, i));
	g_array_set_size(self->fds, 0);
}

void
cam_listener_free(CamListener *self)
{
	if (self == NULL)
		return;
	cam_listener_stop(self);
	g_array_unref(self->fds);
	cam_fd_close(self->wake);
	g_free(self->path);
	g_free(self->name);
	g_free(self);
}
