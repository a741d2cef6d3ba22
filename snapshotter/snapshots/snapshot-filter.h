/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshots/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamSnapshotFilter:
 *
 * containerd's filter language (its package `filters`) for snapshots:
 *
 *   filter    = selector ("," selector)*            all of them must match
 *   selector  = field ("." field)* [operator value]  without operator: the field is there
 *   field     = [A-Za-z0-9_]+ | "quoted as in Go"
 *   operator  = "==" | "!=" | "~="                  the last is a regular expression
 *   value     = text without spaces and commas | quoted; for ~= also between / or |
 *
 * Fields are name, parent, kind (active, view, committed) and labels; what follows "labels." is the
 * key, dots and all.
 */
typedef struct _CamSnapshotFilter CamSnapshotFilter;

/**
 * cam_snapshot_filter_parse:
 * @filters: (nullable): NULL-terminated; one that matches is enough, none or an empty one means all
 *
 * A regular expression that cannot be compiled is no error: it matches nothing, as in containerd.
 * Expressions are those of GRegex; unlike in Go, \w, \d and \b know the letters of all scripts.
 *
 * Returns: (transfer full): %CAM_ERROR_INVALID_ARGUMENT says where the filter is wrong
 */
CamSnapshotFilter *cam_snapshot_filter_parse(const char *const *filters, GError **error);
gboolean cam_snapshot_filter_matches(const CamSnapshotFilter *self, const CamSnapshotInfo *info);
void cam_snapshot_filter_free(CamSnapshotFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamSnapshotFilter, cam_snapshot_filter_free)

G_END_DECLS
