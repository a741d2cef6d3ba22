/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "snapshotter/oci/error.h"

G_BEGIN_DECLS

/* Canonical bytes of a JSON document we author: no white space, members in insertion order. */
GBytes *cam_json_to_bytes(JsonObject *object);
/* A deep copy to edit. */
JsonObject *cam_json_object_copy(JsonObject *object);
/* Parses one JSON object of at most @max_size bytes (and a nesting of at most 64). */
JsonObject *cam_json_parse_object(GBytes *bytes, gsize max_size, GError **error);
/* Typed, total getters: %NULL, -1 or FALSE where the member is absent or of another type. */
const char *cam_json_get_string(JsonObject *object, const char *member);
gint64 cam_json_get_int(JsonObject *object, const char *member, gint64 fallback);
JsonObject *cam_json_get_object(JsonObject *object, const char *member);
JsonArray *cam_json_get_array(JsonObject *object, const char *member);

G_END_DECLS
