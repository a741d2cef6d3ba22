/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever bytes come as a request: what is taken has valid strings, and packing it again gives a
 * message that is taken too.
 */
#include "fuzz.h"

#include "plugin/containerd/wire.h"
#include "proto/diff.pb-c.h"
#include "proto/snapshots.pb-c.h"

static const ProtobufCMessageDescriptor *const types[] = {
	&cam__snapshots__prepare_request__descriptor, &cam__snapshots__update_request__descriptor,
	&cam__snapshots__list_request__descriptor,    &cam__diff__apply_request__descriptor,
	&cam__diff__diff_request__descriptor,
};

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autoptr(GError) error = NULL;
		ProtobufCMessage *message = cam_wire_unpack(types[i], bytes, &error);
		ProtobufCMessage *again;
		g_autoptr(GBytes) packed = NULL;

		g_assert_true((message == NULL) == (error != NULL));
		if (message == NULL)
			continue;
		g_assert_true(protobuf_c_message_check(message));
		packed = cam_wire_pack(message);
		again = cam_wire_unpack(types[i], packed, NULL);
		g_assert_nonnull(again);
		cam_wire_free(again);
		cam_wire_free(message);
	}
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	/* Labels, a mask and a time before 1970. */
	static const char update[] =
		"\x12\x29\x0a\x04\x6e\x61\x6d\x65\x18\x03\x22\x0d\x08\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\x01\x10\x05\x32\x10\x0a\x03\x6b\x65\x79\x12\x09\x6c\x61\x62\x65\x6c\x73"
		"\x2e\xc3\xa4\x1a\x0a\x0a\x08\x6c\x61\x62\x65\x6c\x73\x2e\x61";
	static const char apply[] = "\x0a\x0e\x0a\x01t\x12\x01"
				    "d\x18\x05\x2a\x04\x0a\x00\x12\x00"
				    "\x12\x0b\x0a\x04"
				    "bind\x22\x03ro,"
				    "\x1a\x09\x0a\x01k\x12\x04\x0a\x02"
				    "ab\x20\x01";
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, g_bytes_new_static(update, sizeof(update) - 1));
	g_ptr_array_add(seeds, g_bytes_new_static(apply, sizeof(apply) - 1));
	return seeds;
}
