/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/**
 * CamPathFilter: the path-exclude and path-include options of an image's dpkg.cfg (dpkg(1)).
 */
typedef struct _CamPathFilter CamPathFilter;

CamPathFilter *cam_path_filter_new(void);
/* Reads etc/dpkg/dpkg.cfg and etc/dpkg/dpkg.cfg.d of an image, which may be absent. */
CamPathFilter *cam_path_filter_read(CamRootfs *rootfs, GError **error);
/* Adds the options of one file. */
void cam_path_filter_parse(CamPathFilter *self, const char *text, gsize size);
/* @path: without leading "/"; the last option that matches decides. */
gboolean cam_path_filter_excludes(const CamPathFilter *self, const char *path);
void cam_path_filter_free(CamPathFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamPathFilter, cam_path_filter_free)

G_END_DECLS
