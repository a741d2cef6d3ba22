/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * cam_interrupt_watch:
 *
 * From now on the first SIGINT, SIGTERM or SIGHUP cancels @cancellable, and a second one ends the
 * process at once. SIGPIPE is ignored: writing tells. To be called once a process.
 */
void cam_interrupt_watch(GCancellable *cancellable);

/* The signal that came first, or 0. */
int cam_interrupt_signal(void);

G_END_DECLS
