/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of JSON documents before they are built. Private to this folder. */
#pragma once

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

#define CAM_JSON_MAX_DEPTH 64

/* INVALID_ARGUMENT unless @text is one JSON value in UTF-8. @unique_names: also where an object has
 * two members that Go's encoding/json would take as one; in annotations, labels, ports and volumes,
 * whose names are data, only equal ones. */
gboolean cam_json_text_check(const char *text, gsize size, gboolean unique_names, GError **error);
/* (transfer full): what @name is compared by. */
char *cam_json_fold_name(const char *name);

G_END_DECLS
