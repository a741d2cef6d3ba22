/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/attribution.h"

G_BEGIN_DECLS

/* Explains @change if a program that runs on upgrades makes that path, and what it makes it from
 * did change. */
void cam_regenerated_check(const CamEvidence *evidence, CamPathChange *change);

/* (nullable) (transfer full): DIR/NAME.py of DIR/__pycache__/NAME.cpython-311[.opt-1].pyc */
char *cam_byte_code_get_source(const char *path);

G_END_DECLS
