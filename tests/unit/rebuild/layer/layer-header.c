/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Header bytes: numbers beyond the octal fields, and what no tar can say. */
#include "rebuild/layer/layer-header.h"

#include <string.h>

/* The value of a pax record, or NULL. @out starts with an extended header. */
static char *
find_record(GByteArray *out, const char *key)
{
	const char *data = (const char *) out->data;
	guint64 size = g_ascii_strtoull(data + 124, NULL, 8);
	const char *at = data + CAM_LAYER_BLOCK_SIZE, *end = at + size;

	g_assert_cmpint(data[156], ==, 'x');
	while (at < end) {
		char *rest;
		guint64 length = g_ascii_strtoull(at, &rest, 10);
		const char *equals = memchr(at, '=', length);

		g_assert_cmpint(*rest, ==, ' ');
		g_assert_cmpint(at[length - 1], ==, '\n');
		if (strlen(key) == (gsize) (equals - rest - 1) &&
		    memcmp(rest + 1, key, strlen(key)) == 0)
			return g_strndup(equals + 1, length - (gsize) (equals + 1 - at) - 1);
		at += length;
	}
	return NULL;
}

static void
assert_record(GByteArray *out, const char *key, const char *value)
{
	g_autofree char *found = find_record(out, key);

	g_assert_cmpstr(found, ==, value);
}

static void
test_small(void)
{
	CamStat stat = { .type = CAM_NODE_REGULAR,
			 .mode = 04755,
			 .uid = 2097151,
			 .gid = 1,
			 .size = G_GUINT64_CONSTANT(8589934591) };
	CamLayerMember member = { .path = "a",
				  .stat = &stat,
				  .mtime = G_GINT64_CONSTANT(8589934591) };
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	cam_layer_header_append(out, &member, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(out->len, ==, CAM_LAYER_BLOCK_SIZE);
	g_assert_cmpmem(out->data + 100, 8, "0004755", 8);
	g_assert_cmpmem(out->data + 108, 8, "7777777", 8);
	g_assert_cmpmem(out->data + 124, 12, "77777777777", 12);
	g_assert_cmpmem(out->data + 136, 12, "77777777777", 12);
}

static void
test_large(void)
{
	CamStat stat = { .type = CAM_NODE_REGULAR,
			 .uid = 2097152,
			 .gid = 4294967294,
			 .size = G_GUINT64_CONSTANT(8589934592) };
	CamLayerMember member = { .path = "a",
				  .stat = &stat,
				  .mtime = G_GINT64_CONSTANT(8589934592) };
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	cam_layer_header_append(out, &member, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(out->len, ==, 3 * CAM_LAYER_BLOCK_SIZE);
	assert_record(out, "size", "8589934592");
	assert_record(out, "uid", "2097152");
	assert_record(out, "gid", "4294967294");
	assert_record(out, "mtime", "8589934592");
	assert_record(out, "path", NULL);
}

/* Lengths around which a record's own length gains a digit. */
static void
test_record_lengths(void)
{
	for (gsize length = 80; length < 1100; length++) {
		g_autofree char *path = g_strnfill(length, 'p');
		CamStat stat = { .type = CAM_NODE_REGULAR };
		CamLayerMember member = { .path = path, .stat = &stat };
		g_autoptr(GByteArray) out = g_byte_array_new();

		g_assert_true(cam_layer_header_append(out, &member, NULL));
		g_assert_cmpuint(out->len % CAM_LAYER_BLOCK_SIZE, ==, 0);
		if (length > 100)
			assert_record(out, "path", path);
	}
}

static void
test_impossible(void)
{
	CamStat device = { .type = CAM_NODE_BLOCK, .rdev_major = 1, .rdev_minor = 1u << 21 };
	CamStat file = { .type = CAM_NODE_REGULAR };
	g_autoptr(GVariant) xattrs =
		g_variant_ref_sink(g_variant_new_parsed("[(b'user.a=b', @ay [0x01])]"));
	CamLayerMember with_device = { .path = "d", .stat = &device };
	CamLayerMember with_xattr = { .path = "x", .stat = &file, .xattrs = xattrs };
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_layer_header_append(out, &with_device, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(cam_layer_header_append(out, &with_xattr, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "user.a=b"));
}

static void
test_xattr_bytes(void)
{
	CamStat file = { .type = CAM_NODE_REGULAR };
	g_autoptr(GVariant) xattrs =
		g_variant_ref_sink(g_variant_new_parsed("[(b'user.a', @ay [0x00, 0x0a, 0x3d])]"));
	CamLayerMember member = { .path = "x", .stat = &file, .xattrs = xattrs };
	g_autoptr(GByteArray) out = g_byte_array_new();
	static const char record[] = "27 SCHILY.xattr.user.a=\0\n=\n";

	g_assert_true(cam_layer_header_append(out, &member, NULL));
	g_assert_cmpmem(out->data + CAM_LAYER_BLOCK_SIZE + 2, sizeof(record) - 3, record + 2,
			sizeof(record) - 3);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layer-header/small", test_small);
	g_test_add_func("/layer-header/large", test_large);
	g_test_add_func("/layer-header/record-lengths", test_record_lengths);
	g_test_add_func("/layer-header/impossible", test_impossible);
	g_test_add_func("/layer-header/xattr-bytes", test_xattr_bytes);
	return g_test_run();
}
