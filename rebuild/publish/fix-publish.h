/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/publish/fix.h"

G_BEGIN_DECLS

/**
 * cam_fix_publish:
 * @fixed: an unnamed image of the store; gets its name, its source and its place
 * @written_to: (out): (nullable): the location that it was written to
 *
 * Names the image by the rule of fix-name.h, in the store and at the place that the original came
 * from (or @options' destination), and writes it there: what is there already is not sent again.
 * A name that stands for this very image already is finished work.
 */
gboolean cam_fix_publish(CamStore *store, const CamImage *original, CamImage *fixed,
			 const CamFixOptions *options, char **written_to, CamProgress *progress,
			 GCancellable *cancellable, GError **error);

G_END_DECLS
