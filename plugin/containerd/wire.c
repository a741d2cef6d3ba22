/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes to messages and back, and the messages that containerd's services share. Bytes are checked
 * before protobuf-c reads them: it takes strings with NULs inside, which C would see shortened, and
 * it spends some forty times the size of what consists of empty fields.
 */
#include "plugin/containerd/wire.h"

#include <string.h>

#define MAX_DEPTH      16
#define NANOSECONDS    G_GINT64_CONSTANT(1000000000)
#define MAX_TIMESTAMP  (G_MAXINT64 / NANOSECONDS - 1)
#define SHOWN_OF_LABEL 32

typedef struct {
	const guint8 *at, *end;
} Span;

static gboolean
read_varint(Span *span, guint64 *value)
{
	*value = 0;
	for (guint shift = 0; shift < 64 && span->at < span->end; shift += 7) {
		guint8 byte = *span->at++;

		*value |= (guint64) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean
take(Span *span, guint64 size, Span *taken)
{
	if (size > (gsize) (span->end - span->at))
		return FALSE;
	*taken = (Span){ span->at, span->at + size };
	span->at += size;
	return TRUE;
}

/* The value of a field; *@taken is its payload. */
static gboolean
read_value(Span *span, guint wire_type, Span *taken)
{
	guint64 size;

	switch (wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		*taken = (Span){ span->at, span->at };
		return read_varint(span, &size);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return take(span, 8, taken);
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return take(span, 4, taken);
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return read_varint(span, &size) && take(span, size, taken);
	}
	return FALSE;
}

static gboolean check_fields(const ProtobufCMessageDescriptor *type, Span span, guint depth,
			     guint *left, GError **error);

static gboolean
check_field(const ProtobufCFieldDescriptor *field, Span value, guint depth, guint *left,
	    GError **error)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_fields(field->descriptor, value, depth + 1, left, error);
	if (field->type == PROTOBUF_C_TYPE_STRING &&
	    !g_utf8_validate_len((const char *) value.at, (gsize) (value.end - value.at), NULL))
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the field %s is not valid text", field->name);
	return TRUE;
}

static gboolean
check_fields(const ProtobufCMessageDescriptor *type, Span span, guint depth, guint *left,
	     GError **error)
{
	if (depth > MAX_DEPTH)
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "a message %s is nested too deeply", type->short_name);
	while (span.at < span.end) {
		const ProtobufCFieldDescriptor *field;
		guint64 tag;
		Span value;

		if (!read_varint(&span, &tag) || tag > G_MAXUINT32 ||
		    !read_value(&span, tag & 7, &value))
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a message %s is malformed", type->short_name);
		if ((*left)-- == 0)
			return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
					     "a message has more than %d fields",
					     CAM_WIRE_MAX_FIELDS);
		field = protobuf_c_message_descriptor_get_field(type, (guint) (tag >> 3));
		if (field == NULL || (tag & 7) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			continue;
		if (!check_field(field, value, depth, left, error))
			return FALSE;
	}
	return TRUE;
}

gpointer
cam_wire_unpack(const ProtobufCMessageDescriptor *type, GBytes *bytes, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	guint left = CAM_WIRE_MAX_FIELDS;
	ProtobufCMessage *message;

	if (!check_fields(type, (Span){ data, data + size }, 0, &left, error))
		return NULL;
	message = protobuf_c_message_unpack(type, NULL, size, data);
	if (message == NULL)
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "a message %s is malformed",
			      type->short_name);
	return message;
}

GBytes *
cam_wire_pack(gconstpointer message)
{
	gsize size = protobuf_c_message_get_packed_size(message);
	guint8 *data = g_malloc(size);

	protobuf_c_message_pack(message, data);
	return g_bytes_new_take(data, size);
}

void
cam_wire_free(gpointer message)
{
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
}

GHashTable *
cam_wire_table_from_entries(gsize n, Cam__Types__Entry *const *entries)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (gsize i = 0; i < n; i++)
		g_hash_table_replace(table, g_strdup(entries[i]->key), g_strdup(entries[i]->value));
	return table;
}

static int
compare_keys(gconstpointer a, gconstpointer b, gpointer user_data)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

Cam__Types__Entry **
cam_wire_entries_from_table(GHashTable *table, gsize *n)
{
	g_autofree gpointer *keys = NULL;
	Cam__Types__Entry **entries;
	guint length = 0;

	*n = 0;
	if (table == NULL || g_hash_table_size(table) == 0)
		return NULL;
	keys = g_hash_table_get_keys_as_array(table, &length);
	g_qsort_with_data(keys, (gint) length, sizeof(gpointer), compare_keys, NULL);
	entries = g_new(Cam__Types__Entry *, length);
	for (guint i = 0; i < length; i++) {
		entries[i] = g_new(Cam__Types__Entry, 1);
		cam__types__entry__init(entries[i]);
		entries[i]->key = g_strdup(keys[i]);
		entries[i]->value = g_strdup(g_hash_table_lookup(table, keys[i]));
	}
	*n = length;
	return entries;
}

gboolean
cam_wire_check_labels(gsize n, Cam__Types__Entry *const *labels, GError **error)
{
	for (gsize i = 0; i < n; i++) {
		gsize size = strlen(labels[i]->key) + strlen(labels[i]->value);
		g_autofree char *beginning = NULL;

		if (size <= CAM_WIRE_MAX_LABEL)
			continue;
		beginning = g_utf8_substring(
			labels[i]->key, 0, MIN(g_utf8_strlen(labels[i]->key, -1), SHOWN_OF_LABEL));
		return cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
				     "the label %s has %" G_GSIZE_FORMAT
				     " bytes of key and value; at most %d are allowed",
				     beginning, size, CAM_WIRE_MAX_LABEL);
	}
	return TRUE;
}

char **
cam_wire_strings_copy(const char *const *strings, gsize *n)
{
	*n = strings != NULL ? g_strv_length((char **) strings) : 0;
	return *n > 0 ? g_strdupv((char **) strings) : NULL;
}

Cam__Google__Timestamp *
cam_wire_timestamp_new(gint64 time)
{
	Cam__Google__Timestamp *timestamp = g_new(Cam__Google__Timestamp, 1);

	cam__google__timestamp__init(timestamp);
	timestamp->seconds = time / NANOSECONDS;
	timestamp->nanos = (gint32) (time % NANOSECONDS);
	if (timestamp->nanos < 0) {
		timestamp->nanos += (gint32) NANOSECONDS;
		timestamp->seconds--;
	}
	return timestamp;
}

gint64
cam_wire_timestamp_get(const Cam__Google__Timestamp *timestamp)
{
	if (timestamp == NULL)
		return 0;
	return CLAMP(timestamp->seconds, -MAX_TIMESTAMP, MAX_TIMESTAMP) * NANOSECONDS +
	       CLAMP(timestamp->nanos, 0, NANOSECONDS - 1);
}

static void
add_annotation(JsonObject *object, const char *key, JsonNode *value, gpointer user_data)
{
	if (JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_STRING)
		g_hash_table_insert(user_data, g_strdup(key), json_node_dup_string(value));
}

Cam__Types__Descriptor *
cam_wire_descriptor_new(const CamDescriptor *descriptor)
{
	Cam__Types__Descriptor *message = g_new(Cam__Types__Descriptor, 1);
	JsonObject *annotations = cam_json_get_object(descriptor->json, "annotations");
	g_autoptr(GHashTable) table =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	cam__types__descriptor__init(message);
	message->media_type = g_strdup(descriptor->media_type);
	message->digest = g_strdup(descriptor->digest);
	message->size = descriptor->size;
	if (annotations != NULL)
		json_object_foreach_member(annotations, add_annotation, table);
	message->annotations = cam_wire_entries_from_table(table, &message->n_annotations);
	return message;
}

CamDescriptor *
cam_wire_descriptor_get(const Cam__Types__Descriptor *descriptor, GError **error)
{
	CamDescriptor *result;

	if (descriptor == NULL) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT, "a descriptor is missing");
		return NULL;
	}
	if (!cam_digest_check(descriptor->digest, error))
		return NULL;
	if (descriptor->size < 0) {
		cam_set_error(error, CAM_ERROR_INVALID_ARGUMENT,
			      "the descriptor of %s has no valid size", descriptor->digest);
		return NULL;
	}
	result = cam_descriptor_new(descriptor->media_type, descriptor->digest, descriptor->size);
	for (gsize i = 0; i < descriptor->n_annotations; i++)
		cam_descriptor_set_annotation(result, descriptor->annotations[i]->key,
					      descriptor->annotations[i]->value);
	return result;
}
