/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/advisory/advisory-db.h"

G_BEGIN_DECLS

/* For storing. @matches: (element-type CamMatch) */
GBytes *cam_matches_to_bytes(const GPtrArray *matches, const CamCoverage *coverage);
/* (nullable): NULL for bytes that no matches make. @coverage: filled, whatever it held before */
GPtrArray *cam_matches_from_bytes(GBytes *bytes, CamCoverage *coverage);

G_END_DECLS
