/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/containerd/wire.h"

#include <string.h>

#include "proto/diff.pb-c.h"
#include "proto/snapshots.pb-c.h"

static gpointer
unpack(const ProtobufCMessageDescriptor *type, const char *data, gsize size, GError **error)
{
	/* Of the exact size: a read beyond it is seen by the address sanitizer. */
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);

	return cam_wire_unpack(type, bytes, error);
}

/* What containerd's Go client sends, byte for byte. */
static void
test_known_bytes(void)
{
	static const char data[] = "\x0a\x07"
				   "cambium"
				   "\x12\x05"
				   "k8/1a"
				   "\x1a\x01p"
				   "\x22\x08\x0a\x01"
				   "b\x12\x03"
				   "two"
				   "\x22\x05\x0a\x01"
				   "a\x12\x00";
	g_autoptr(GError) error = NULL;
	Cam__Snapshots__PrepareRequest *request = unpack(
		&cam__snapshots__prepare_request__descriptor, data, sizeof(data) - 1, &error);
	g_autoptr(GHashTable) labels = NULL;
	g_autoptr(GBytes) packed = NULL;
	gsize n;

	g_assert_no_error(error);
	g_assert_cmpstr(request->snapshotter, ==, "cambium");
	g_assert_cmpstr(request->key, ==, "k8/1a");
	g_assert_cmpstr(request->parent, ==, "p");
	labels = cam_wire_table_from_entries(request->n_labels, request->labels);
	g_assert_cmpuint(g_hash_table_size(labels), ==, 2);
	g_assert_cmpstr(g_hash_table_lookup(labels, "a"), ==, "");
	g_assert_cmpstr(g_hash_table_lookup(labels, "b"), ==, "two");

	/* Back, with the labels in order. */
	for (gsize i = 0; i < request->n_labels; i++)
		cam_wire_free(request->labels[i]);
	g_free(request->labels);
	request->labels = cam_wire_entries_from_table(labels, &n);
	request->n_labels = n;
	g_assert_cmpstr(request->labels[0]->key, ==, "a");
	packed = cam_wire_pack(request);
	/* Empty text is what a field has that is not there. */
	g_assert_cmpuint(g_bytes_get_size(packed), ==, sizeof(data) - 1 - 2);
	cam_wire_free(request);
}

static void
test_later_fields(void)
{
	/* Commit with the parent of containerd 2.2, and a field that nobody knows yet. */
	static const char data[] = "\x12\x01n\x1a\x01k\x2a\x02pp\xa2\x06\x03new";
	g_autoptr(GError) error = NULL;
	Cam__Snapshots__CommitRequest *request =
		unpack(&cam__snapshots__commit_request__descriptor, data, sizeof(data) - 1, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(request->name, ==, "n");
	g_assert_cmpstr(request->key, ==, "k");
	g_assert_cmpstr(request->parent, ==, "pp");
	cam_wire_free(request);
}

static void
test_malformed(void)
{
	static const struct {
		const char *data;
		gsize size;
		const char *message;
	} cases[] = {
		{ "\x12", 1, "*KeyRequest is malformed" },
		{ "\x12\x05key", 5, "*KeyRequest is malformed" },
		{ "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k", 12, "*KeyRequest is malformed" },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, "*KeyRequest is malformed" },
		{ "\x13\x01k", 3, "*KeyRequest is malformed" }, /* a group */
		{ "\x12\x03k\0y", 5, "the field key is not valid text" },
		{ "\x12\x02\xc3\x28", 4, "the field key is not valid text" },
		{ "\x12\x03\xed\xa0\x80", 5, "the field key is not valid text" },
		{ "hello world\n", 12, "*KeyRequest is malformed" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(unpack(&cam__snapshots__key_request__descriptor, cases[i].data,
				     cases[i].size, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
		g_assert_true(g_pattern_match_simple(cases[i].message, error->message));
	}
}

/* Of a message of a few hundred kilobytes protobuf-c would make dozens of megabytes. */
static void
test_many_fields(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *data = g_malloc((CAM_WIRE_MAX_FIELDS + 1) * 2);
	gsize size = CAM_WIRE_MAX_FIELDS * 2;
	gpointer message;

	for (gsize i = 0; i <= CAM_WIRE_MAX_FIELDS; i++)
		memcpy(data + 2 * i, "\x22\x00", 2);
	message = unpack(&cam__snapshots__prepare_request__descriptor, data, size, &error);
	g_assert_no_error(error);
	g_assert_nonnull(message);
	cam_wire_free(message);
	g_assert_null(unpack(&cam__snapshots__prepare_request__descriptor, data, size + 2, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_nested(void)
{
	/* Apply: the payload's Any has a type URL that is not UTF-8. */
	static const char data[] = "\x1a\x0b\x0a\x01k\x12\x06\x0a\x04"
				   "ab\xff\xfe";
	g_autoptr(GError) error = NULL;

	g_assert_null(
		unpack(&cam__diff__apply_request__descriptor, data, sizeof(data) - 1, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_cmpstr(error->message, ==, "the field type_url is not valid text");
}

static void
test_label_sizes(void)
{
	g_autofree char *value = g_strnfill(CAM_WIRE_MAX_LABEL - 3, 'v');
	g_autofree char *key = g_strnfill(CAM_WIRE_MAX_LABEL + 1, 'k');
	g_autoptr(GError) error = NULL;
	Cam__Types__Entry entry = CAM__TYPES__ENTRY__INIT, *entries[] = { &entry };

	entry.key = (char *) "abc";
	entry.value = value;
	g_assert_true(cam_wire_check_labels(1, entries, &error));
	entry.key = (char *) "abcd";
	g_assert_false(cam_wire_check_labels(1, entries, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	entry.key = key;
	entry.value = (char *) "";
	g_assert_false(cam_wire_check_labels(1, entries, &error));
	g_assert_cmpuint(strlen(error->message), <, 200);
}

static void
test_timestamps(void)
{
	static const struct {
		gint64 time, seconds;
		gint32 nanos;
	} cases[] = {
		{ 0, 0, 0 },
		{ G_GINT64_CONSTANT(1700000000123456789), 1700000000, 123456789 },
		{ -1, -1, 999999999 },
		{ -1000000000, -1, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Cam__Google__Timestamp *timestamp = cam_wire_timestamp_new(cases[i].time);

		g_assert_cmpint(timestamp->seconds, ==, cases[i].seconds);
		g_assert_cmpint(timestamp->nanos, ==, cases[i].nanos);
		g_assert_cmpint(cam_wire_timestamp_get(timestamp), ==, cases[i].time);
		timestamp->seconds = G_MAXINT64;
		timestamp->nanos = -5;
		g_assert_cmpint(cam_wire_timestamp_get(timestamp), >, 0);
		cam_wire_free(timestamp);
	}
	g_assert_cmpint(cam_wire_timestamp_get(NULL), ==, 0);
}

static void
test_descriptors(void)
{
	g_autofree char *digest = cam_digest_for_data("x", 1);
	g_autoptr(CamDescriptor) descriptor =
		cam_descriptor_new(CAM_MEDIA_TYPE_OCI_LAYER_GZIP, digest, 42);
	g_autoptr(CamDescriptor) back = NULL;
	g_autoptr(GError) error = NULL;
	Cam__Types__Descriptor *message;

	cam_descriptor_set_annotation(descriptor, "a", "b");
	message = cam_wire_descriptor_new(descriptor);
	back = cam_wire_descriptor_get(message, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(back->media_type, ==, CAM_MEDIA_TYPE_OCI_LAYER_GZIP);
	g_assert_cmpstr(back->digest, ==, digest);
	g_assert_cmpint(back->size, ==, 42);
	g_assert_cmpstr(cam_descriptor_get_annotation(back, "a"), ==, "b");

	message->size = -1;
	g_assert_null(cam_wire_descriptor_get(message, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	message->digest[3] = 'x';
	g_assert_null(cam_wire_descriptor_get(message, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_wire_descriptor_get(NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	cam_wire_free(message);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wire/known-bytes", test_known_bytes);
	g_test_add_func("/wire/later-fields", test_later_fields);
	g_test_add_func("/wire/malformed", test_malformed);
	g_test_add_func("/wire/many-fields", test_many_fields);
	g_test_add_func("/wire/nested", test_nested);
	g_test_add_func("/wire/label-sizes", test_label_sizes);
	g_test_add_func("/wire/timestamps", test_timestamps);
	g_test_add_func("/wire/descriptors", test_descriptors);
	return g_test_run();
}
