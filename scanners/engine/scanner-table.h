/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scanners/engine/scanner.h"

G_BEGIN_DECLS

/* NULL-terminated; the definition is made by meson. */
extern const CamScanner *const cam_scanners[];

G_END_DECLS
