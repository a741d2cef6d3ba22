/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"

G_BEGIN_DECLS

/**
 * cam_find_sources:
 * @repo_lines: (nullable) (element-type utf8): what --repo said, lines of sources.list(5)
 * @image: an image of the release
 * @os: the release of @image
 *
 * Where packages and changelogs for an image's release come from, for every command and for the
 * daemon: the lines of @repo_lines, else the configuration's, else the machine's with the codename
 * exchanged and what @image itself names.
 *
 * Returns: (transfer full) (element-type CamAptSource): at least one; NULL with
 *     %CAM_ERROR_NOT_FOUND where there is none: the message says for which release, and what to do
 */
GPtrArray *cam_find_sources(const CamConfig *config, const GPtrArray *repo_lines, CamStore *store,
			    const CamImage *image, const CamOsRelease *os,
			    GCancellable *cancellable, GError **error);

G_END_DECLS
