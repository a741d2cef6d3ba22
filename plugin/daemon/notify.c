/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol of sd_notify(3): one datagram to the socket in $NOTIFY_SOCKET. It is documented as
 * stable for those who do without libsystemd, which is a megabyte.
 */
#include "plugin/daemon/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "snapshotter/snapshotter.h"

void
cam_notify(const char *state)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gsize length = path != NULL ? strlen(path) : 0;
	socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length);
	g_auto(CamFd) fd = -1;

	if (length < 2 || length >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (*path == '@') /* abstract */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			     (const struct sockaddr *) &address, size) < 0)
		g_debug("cannot tell the service manager %s: %s", state, g_strerror(errno));
}

void
cam_notify_reloading(void)
{
	g_autofree char *state = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
						 g_get_monotonic_time());

	cam_notify(state);
}
