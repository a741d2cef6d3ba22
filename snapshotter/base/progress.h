/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * CamProgress:
 *
 * What a long operation tells about itself. The operation calls begin/advance/end from any
 * thread; `updated` (phase, done, total, unit) is emitted in the thread that advances, at most
 * ten times a second and phase and always at begin and end; at the end total is what was done,
 * so that done = total tells it. Libraries never print: the command
 * line draws bars from this signal, the daemon sends events.
 *
 * A phase is a short text for people ("layer 2/3", "downloading libssl3"); several may be open at
 * once. Every function accepts a NULL progress and then does nothing.
 */
#define CAM_TYPE_PROGRESS (cam_progress_get_type())
G_DECLARE_FINAL_TYPE(CamProgress, cam_progress, CAM, PROGRESS, GObject)

typedef enum {
	CAM_PROGRESS_BYTES,
	CAM_PROGRESS_ITEMS,
} CamProgressUnit;

CamProgress *cam_progress_new(void);
/* @total may be 0 where it is not known. Returns an id, never 0 unless @self is NULL. */
guint cam_progress_begin(CamProgress *self, const char *phase, guint64 total, CamProgressUnit unit);
void cam_progress_advance(CamProgress *self, guint id, guint64 amount);
void cam_progress_end(CamProgress *self, guint id);
/* A line worth telling that is not a quantity ("base layer is in the store already"): `message`. */
void cam_progress_message(CamProgress *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
