/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/attribution.h"

G_BEGIN_DECLS

/* Explains @change if a program that runs on upgrades makes that path, and what it makes it from
 * did change. */
void cam_regenerated_check(const CamEvidence *evidence, CamPathChange *change);

G_END_DECLS
