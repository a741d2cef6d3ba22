/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/config.h"

G_BEGIN_DECLS

/**
 * cam_find_sources:
 * @repo_lines: (nullable) (element-type utf8): what --repo said, lines of sources.list(5)
 * @image: an image of the release
 * @os: the release of @image
 * @remarks: (element-type utf8): gets a sentence for each part of the image's own apt configuration
 *     that cannot be used
 *
 * Where packages and changelogs for an image's release come from, for every command and for the
 * daemon: the lines of @repo_lines, else the configuration's, else the machine's with the codename
 * exchanged and what @image proposes beyond them. For a derivative these are the sources of the
 * release that it is based on, unless the configuration has some for itself. An image proposes
 * locations, never trust (see %CAM_APT_PROPOSED), so what is derived from them holds for every
 * image of the release; only where the user has it believed its own keys count, and such sources
 * are @image_only.
 *
 * Returns: (transfer full) (element-type CamAptSource): at least one; NULL with
 *     %CAM_ERROR_NOT_FOUND where there is none: the message says for which release, and what to do
 */
GPtrArray *cam_find_sources(const CamConfig *config, const GPtrArray *repo_lines, CamStore *store,
			    const CamImage *image, const CamOsRelease *os, GPtrArray *remarks,
			    GCancellable *cancellable, GError **error);

G_END_DECLS
