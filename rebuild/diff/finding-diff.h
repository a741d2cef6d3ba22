/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/scanners.h"

G_BEGIN_DECLS

/**
 * cam_diff_findings:
 * @before, @after: (element-type CamFinding)
 * @closed, @remaining, @introduced: (element-type CamFinding): copies are added, in the given order
 *
 * A finding remains if the same vulnerability is found in the same package of the same
 * architecture, in whatever version.
 */
void cam_diff_findings(const GPtrArray *before, const GPtrArray *after, GPtrArray *closed,
		       GPtrArray *remaining, GPtrArray *introduced);

G_END_DECLS
