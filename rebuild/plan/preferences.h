/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * cam_preferences_read:
 * @excluded: (element-type utf8): names of packages are added that must not be installed from any
 *     repository
 * @not_honoured: (element-type utf8): a line is added for each file that says more than that
 *
 * Reads etc/apt/preferences and etc/apt/preferences.d of an image, apt_preferences(5). Only the
 * plain exclusion is honoured: package names with a negative priority for every version.
 */
gboolean cam_preferences_read(CamRootfs *rootfs, GHashTable *excluded, GPtrArray *not_honoured,
			      GError **error);

/* The pure part; FALSE if the text says more than exclusions. */
gboolean cam_preferences_parse(const char *text, gsize size, GHashTable *excluded);

G_END_DECLS
