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
/* The same for a document of an image or a registry, which Go programs read too: an object with two
 * members that are one to Go's encoding/json, which does not look at case, is INVALID_ARGUMENT. */
JsonObject *cam_json_parse_document(GBytes *bytes, gsize max_size, GError **error);

typedef enum {
	CAM_JSON_ANY,
	CAM_JSON_STRING,
	CAM_JSON_INTEGER,
	CAM_JSON_BOOLEAN,
	CAM_JSON_OBJECT,
	CAM_JSON_ARRAY,
	CAM_JSON_STRINGS,    /* an array of them */
	CAM_JSON_STRING_MAP, /* an object of them */
} CamJsonType;

typedef struct {
	const char *name;
	CamJsonType type;
} CamJsonMember;

/* INVALID_ARGUMENT where a member is one of @known (ended by NULL) but for its case, or of another
 * type: Go's encoding/json takes the first, and refuses the second. null is of every type; other
 * members are nobody's. */
gboolean cam_json_check_members(JsonObject *object, const CamJsonMember *known, GError **error);
/* Typed, total getters: %NULL, -1 or FALSE where the member is absent or of another type. */
const char *cam_json_get_string(JsonObject *object, const char *member);
gint64 cam_json_get_int(JsonObject *object, const char *member, gint64 fallback);
JsonObject *cam_json_get_object(JsonObject *object, const char *member);
JsonArray *cam_json_get_array(JsonObject *object, const char *member);

G_END_DECLS
