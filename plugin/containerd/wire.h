/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "proto/google.pb-c.h"
#include "proto/types.pb-c.h"
#include "snapshotter/snapshotter.h"

G_BEGIN_DECLS

/*
 * Messages of protobuf-c, and what all services of containerd have in common. A message is a tree
 * on the heap with strings of its own; cam_wire_free() frees all of it.
 */

#define CAM_WIRE_MAX_FIELDS (256 * 1024) /* of one message with all that it holds */
#define CAM_WIRE_MAX_LABEL  4096 /* bytes of a key and its value together, as containerd's */

/**
 * cam_wire_unpack:
 * @type: for example &cam__snapshots__list_request__descriptor
 *
 * Strings of the result are valid UTF-8 and end where the sender's did: a NUL inside is refused.
 *
 * Returns: (transfer full): a message of @type; %CAM_ERROR_INVALID_ARGUMENT
 */
gpointer cam_wire_unpack(const ProtobufCMessageDescriptor *type, GBytes *bytes, GError **error);
/* @message: any message of protobuf-c */
GBytes *cam_wire_pack(gconstpointer message);
/* @message: (nullable) (transfer full) */
void cam_wire_free(gpointer message);

/* (transfer full) (element-type utf8 utf8): of two entries with the same key the last one counts */
GHashTable *cam_wire_table_from_entries(gsize n, Cam__Types__Entry *const *entries);
/* @table: (nullable) (element-type utf8 utf8)
 * Returns: (transfer full) (nullable): *@n entries in the order of their keys */
Cam__Types__Entry **cam_wire_entries_from_table(GHashTable *table, gsize *n);
/* %CAM_ERROR_INVALID_ARGUMENT for a label that is longer than containerd allows. */
gboolean cam_wire_check_labels(gsize n, Cam__Types__Entry *const *labels, GError **error);

/* (transfer full): @strings: (nullable) NULL-terminated */
char **cam_wire_strings_copy(const char *const *strings, gsize *n);

/* @time: nanoseconds since 1970 */
Cam__Google__Timestamp *cam_wire_timestamp_new(gint64 time);
/* @timestamp: (nullable): counts as 1970; what does not fit becomes the nearest that does */
gint64 cam_wire_timestamp_get(const Cam__Google__Timestamp *timestamp);

Cam__Types__Descriptor *cam_wire_descriptor_new(const CamDescriptor *descriptor);
/* @descriptor: (nullable): %CAM_ERROR_INVALID_ARGUMENT as for a wrong one */
CamDescriptor *cam_wire_descriptor_get(const Cam__Types__Descriptor *descriptor, GError **error);

G_END_DECLS
