/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * cam_layer_prune:
 * @path: from the root, without leading "/"
 *
 * Whether a change at @path is the trace of an installation and not its result: locks, backups,
 * logs, caches that are made anew when they are missed, what only the sandbox sees. Below a
 * directory for which it says TRUE everything is.
 */
gboolean cam_layer_prune(const char *path, gboolean is_directory);

/**
 * cam_layer_source_of_pyc:
 *
 * (nullable): the path of the Python source that a compiled file stands for; NULL if @path is none.
 */
char *cam_layer_source_of_pyc(const char *path);

G_END_DECLS
