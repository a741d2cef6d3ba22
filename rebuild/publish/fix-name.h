/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/* How many names are tried before giving up. */
#define CAM_FIX_NAME_ATTEMPTS 99

/*
 * The rule of names: a fixed image is named `<tag>_fix` beside its original. No tag is ever moved
 * (unless asked to overwrite): one that stands for another image makes the next be `<tag>_fix2`,
 * `<tag>_fix3`, …. The suffix does not pile up: the fix of `1.0_fix` is `1.0_fix2`. An archive is
 * not changed: the fixed one lies beside it, `app_fix.tar`.
 */

/* The name to try as number @attempt, from 0. %CAM_ERROR_INVALID_ARGUMENT beyond the 128
 * characters that a tag may have. */
CamReference *
cam_fix_name(const CamReference *original, const char *suffix, guint attempt, GError **error);

/**
 * cam_fix_location:
 * @source: where the original came from: registry, layout or archive
 * @name: name of the original in the store, for a source that does not name its one image
 *
 * The place to write to.
 */
CamLocation *
cam_fix_location(const CamLocation *source, const CamReference *name, const char *suffix,
		 guint attempt, gboolean overwrite, GError **error);

G_END_DECLS
