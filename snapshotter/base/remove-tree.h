/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/**
 * cam_remove_tree_at:
 *
 * rm -rf of @path below @dirfd, whatever its depth, with few descriptors: no link is followed, no
 * mount entered, shut directories are opened up, immutable and append-only attributes taken off.
 * What is absent is no error. Removes all that can be removed before it fails with the first thing
 * that cannot.
 */
gboolean cam_remove_tree_at(int dirfd, const char *path, GError **error);

G_END_DECLS
