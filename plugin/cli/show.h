/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plugin/cli/cli.h"

G_BEGIN_DECLS

/* How images and their parts look on standard output, as table and as JSON; used by more than one
 * command. */

#define CAM_IMAGE_SCHEMA  "cambium.image/v1"
#define CAM_IMAGES_SCHEMA "cambium.images/v1"

/* "sha256:0123456789ab": enough of a digest for people */
char *cam_show_short_digest(const char *digest);
/* "2026-11-23 21:04", local time. @seconds: since 1970; 0 or less is "-" */
char *cam_show_time(gint64 seconds);

/* One image with its layers. */
gboolean cam_show_image(CamCli *cli, const CamImage *image, GError **error);
JsonObject *cam_show_image_json(const CamImage *image);

/* A table with one row for each; prints @nothing on standard error instead of an empty one. */
void cam_show_images(CamCli *cli, const GPtrArray *images);

/* "key  value" lines. @pairs: key, value, key, value, …, NULL; a NULL value leaves its line out,
 * which is why the count is given. */
void cam_show_pairs(CamCli *cli, const char *const pairs[][2], guint n_pairs);

void cam_show_table(CamCli *cli, CamTable *table);

G_END_DECLS
