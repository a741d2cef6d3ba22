/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * CamScanLimits: what one image may cost a scan. A package database beyond a limit is not read at
 * all: that is a problem of the inventory. Zero stands for the default.
 */
typedef struct {
	guint64 packages;      /* of one image, in all its databases */
	guint64 database_size; /* bytes of one package database */
	guint64 findings;      /* of one image */
} CamScanLimits;

#define CAM_SCAN_LIMITS_DEFAULT                                      \
	{                                                            \
		100000, G_GUINT64_CONSTANT(64) * 1024 * 1024, 200000 \
	}

G_END_DECLS
