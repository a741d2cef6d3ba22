/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamPathFilter: the path-exclude and path-include options of dpkg(1), in their order.
 */
typedef struct _CamPathFilter CamPathFilter;

CamPathFilter *cam_path_filter_new(void);
void cam_path_filter_add(CamPathFilter *self, const char *pattern, gboolean exclude);
/* @path: without leading "/"; the last option that matches decides. */
gboolean cam_path_filter_excludes(const CamPathFilter *self, const char *path);
void cam_path_filter_free(CamPathFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamPathFilter, cam_path_filter_free)

G_END_DECLS
