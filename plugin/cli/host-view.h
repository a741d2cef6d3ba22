/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"
#include "plugin/host.h"

G_BEGIN_DECLS

#define CAM_HOST_SCHEMA "cambium.host/v1"

/**
 * CamHostRow: an image of the host together with what the store and its scan know about it.
 */
typedef struct {
	const CamHostImage *image;
	char *stored; /* (nullable): its name in the store */
	gboolean scanned;
	CamSeverity risk; /* as in CamScanResult; if it was scanned */
	guint n_unjudged; /* packages that are not judged */
	guint counts[CAM_SEVERITY_CRITICAL + 1];
	char *fix;     /* (nullable): the newest repair of it that the host or the store has */
	char *problem; /* (nullable): why it was not scanned */
} CamHostRow;
void cam_host_row_free(CamHostRow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamHostRow, cam_host_row_free)

/* "containerd://default/shop:1.0" */
char *cam_host_location(const CamHostImage *image);

/* @names: (element-type utf8): a set of names that exist.
 * Returns: (transfer full) (nullable): the last of NAME_fix, NAME_fix2, … that does */
char *cam_host_find_fix(const char *name, const char *suffix, GHashTable *names);

/* @rows: (element-type CamHostRow) */
JsonObject *cam_host_to_json(const GPtrArray *rows, const char *address);
char *cam_host_to_table(const GPtrArray *rows, const CamTableStyle *style);

G_END_DECLS
