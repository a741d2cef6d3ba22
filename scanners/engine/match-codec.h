/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"

G_BEGIN_DECLS

/* For storing. (element-type CamMatch) */
GBytes *cam_matches_to_bytes(const GPtrArray *matches);
/* (nullable): NULL for bytes that no matches make. */
GPtrArray *cam_matches_from_bytes(GBytes *bytes);

G_END_DECLS
