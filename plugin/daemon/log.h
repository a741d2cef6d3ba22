/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"

G_BEGIN_DECLS

/**
 * cam_log_start:
 *
 * From now on what the process logs through GLib goes to the journal where standard error is the
 * journal, and as lines with time and level to standard error elsewhere. Once a process.
 */
void cam_log_start(CamLogLevel level);
/* From any thread. */
void cam_log_set_level(CamLogLevel level);

/* The line, with its newline, that @message becomes at @time (microseconds since 1970). */
char *cam_log_format(gint64 time, CamLogLevel level, const char *message);

G_END_DECLS
