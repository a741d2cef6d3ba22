/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reading apt's configuration needs of one source beyond apt-sources.h. */
#pragma once

#include "scanners/apt/apt-sources.h"
#include "scanners/apt/deb822.h"

G_BEGIN_DECLS

/* In one configuration of apt, beyond which it is refused. */
#define CAM_APT_MAX_SOURCES 1024
/* Whether one more is allowed. */
gboolean cam_apt_source_check_count(const GPtrArray *sources, GError **error);

/* Appends what the current paragraph of a .sources file says: one source for each pair of URI and
 * suite; none if it is disabled or has no binary packages. */
gboolean cam_apt_source_add_paragraph(CamDeb822 *paragraph, GPtrArray *sources, GError **error);

G_END_DECLS
