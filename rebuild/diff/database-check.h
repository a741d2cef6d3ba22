/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/diff/attribution.h"

G_BEGIN_DECLS

/* Explains @change if it is the part of dpkg's database that the package changes must alter. */
gboolean cam_database_check(const CamEvidence *evidence, CamPathChange *change, GError **error);

G_END_DECLS
