/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_seccomp_filter_open:
 *
 * Returns: a file descriptor on the filter as BPF, at its beginning; the caller closes it. -1 with
 *     @error
 */
int cam_seccomp_filter_open(GError **error);

G_END_DECLS
