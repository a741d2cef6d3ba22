/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamListener: the sockets on which clients arrive, and the thread that takes them in.
 */
typedef struct _CamListener CamListener;

/* Takes over @fd, a connected socket that is non-blocking and closed on exec. Called in the
 * listener's thread. */
typedef void (*CamListenerFunc)(int fd, gpointer user_data);

/**
 * cam_listener_new_from_systemd:
 *
 * The sockets that the service manager passed, sd_listen_fds(3). Takes them out of the environment.
 *
 * Returns: (nullable): NULL without error where it passed none
 */
CamListener *cam_listener_new_from_systemd(GError **error);

/**
 * cam_listener_new:
 * @path: absolute, at most 107 bytes
 *
 * Makes a socket that only this user may connect to, and the directory that it lies in. The socket
 * of a process that has died is replaced; %CAM_ERROR_ALREADY_EXISTS for one that somebody listens
 * on, and for what is no socket.
 */
CamListener *cam_listener_new(const char *path, GError **error);

/* Where it listens, for people. */
const char *cam_listener_get_name(CamListener *self);
gboolean
cam_listener_start(CamListener *self, CamListenerFunc func, gpointer user_data, GError **error);
/* Takes in nobody any more. A socket of its own is removed, one of systemd's stays in its care. */
void cam_listener_stop(CamListener *self);
void cam_listener_free(CamListener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamListener, cam_listener_free)

G_END_DECLS
