/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_package_time:
 * @path: a .deb
 * @seconds: (out): when it was built, seconds since 1970
 *
 * The time of deb(5)'s first archive member, which is the date of the changelog's last entry in
 * packages that are built reproducibly, and in any case the same for the same package.
 */
gboolean cam_package_time(const char *path, gint64 *seconds, GError **error);

G_END_DECLS
