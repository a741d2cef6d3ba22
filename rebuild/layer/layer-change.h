/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "rebuild/layer/layer-writer.h"

G_BEGIN_DECLS

#define CAM_WHITEOUT_PREFIX ".wh."

typedef enum {
	CAM_LAYER_ENTRY,
	CAM_LAYER_HARDLINK,
	CAM_LAYER_WHITEOUT,
	CAM_LAYER_PARENT, /* nobody added it: it stands above something that was */
} CamLayerChangeKind;

/**
 * CamLayerChange: one path of a layer to be.
 */
typedef struct {
	CamLayerChangeKind kind;
	char *path;	    /* in its one spelling; the root is "" */
	CamStat stat;	    /* entries and parents; without xattrs */
	GVariant *xattrs;   /* (nullable): those that may stand in a layer, sorted by name */
	gint64 mtime;	    /* seconds since 1970 */
	char *target;	    /* hard links */
	CamOpenFunc open;   /* (nullable) */
	gpointer user_data; /* of @open */
} CamLayerChange;

CamLayerChange *cam_layer_change_new(CamLayerChangeKind kind, const char *path);
/* Copies @stat with the xattrs that are allowed. */
void cam_layer_change_set_stat(CamLayerChange *self, const CamStat *stat);
gboolean cam_layer_change_is_directory(const CamLayerChange *self);
/* The tar's order, for arrays of pointers: component by component, a directory before what is in
 * it; among siblings whiteouts first, as layer.md asks for. */
int cam_layer_change_compare(gconstpointer a, gconstpointer b);
void cam_layer_change_free(CamLayerChange *self);

/* The one spelling of a path, or %CAM_ERROR_INVALID_ARGUMENT where no layer can name it. */
char *cam_layer_path_clean(const char *path, GError **error);

G_END_DECLS
