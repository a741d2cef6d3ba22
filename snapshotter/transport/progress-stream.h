/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "snapshotter/base/progress.h"

G_BEGIN_DECLS

/* A stream that advances @phase by what is read through it. Closing it leaves @base open. */
GInputStream *cam_progress_stream_new(GInputStream *base, CamProgress *progress, guint phase);

G_END_DECLS
