/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

typedef enum {
	CAM_DISPLAY_BARS,  /* a line that is drawn again and again: terminals */
	CAM_DISPLAY_LINES, /* one line for each step that took long */
	CAM_DISPLAY_NONE,
} CamDisplayStyle;

/**
 * CamProgressDisplay: shows what a CamProgress tells. Its signals may come from any thread.
 */
typedef struct _CamProgressDisplay CamProgressDisplay;

CamProgressDisplay *
cam_progress_display_new(CamProgress *progress, FILE *out, CamDisplayStyle style, guint width);
/* Takes the drawn line away, so that something else can be printed; the next update draws it
 * again. */
void cam_progress_display_clear(CamProgressDisplay *self);
void cam_progress_display_free(CamProgressDisplay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamProgressDisplay, cam_progress_display_free)

G_END_DECLS
