/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * cam_notify:
 * @state: "READY=1", as sd_notify(3) has it
 *
 * Tells the service manager; without one nothing happens.
 */
void cam_notify(const char *state);
/* RELOADING=1 with the time that systemd wants to see. */
void cam_notify_reloading(void);

G_END_DECLS
