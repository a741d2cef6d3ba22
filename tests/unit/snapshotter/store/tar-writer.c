/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Header bytes: numbers beyond the octal fields, what no tar can say, and that the reader reads
 * what was meant. */
#include "snapshotter/store/tar-writer.h"

#include <string.h>

#include "snapshotter/store/tar-reader.h"

#define NSEC_PER_SEC G_GINT64_CONSTANT(1000000000)

/* The value of a pax record, or NULL. @out starts with an extended header. */
static char *
find_record(GByteArray *out, const char *key)
{
	const char *data = (const char *) out->data;
	guint64 size = g_ascii_strtoull(data + 124, NULL, 8);
	const char *at = data + CAM_TAR_BLOCK_SIZE, *end = at + size;

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
	CamTarMember member = { .path = "a",
				.stat = &stat,
				.mtime = G_GINT64_CONSTANT(8589934591) * NSEC_PER_SEC };
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	cam_tar_append_header(out, &member, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(out->len, ==, CAM_TAR_BLOCK_SIZE);
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
	CamTarMember member = { .path = "a",
				.stat = &stat,
				.mtime = G_GINT64_CONSTANT(8589934592) * NSEC_PER_SEC };
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	cam_tar_append_header(out, &member, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(out->len, ==, 3 * CAM_TAR_BLOCK_SIZE);
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
		CamTarMember member = { .path = path, .stat = &stat };
		g_autoptr(GByteArray) out = g_byte_array_new();

		g_assert_true(cam_tar_append_header(out, &member, NULL));
		g_assert_cmpuint(out->len % CAM_TAR_BLOCK_SIZE, ==, 0);
		if (length > 100)
			assert_record(out, "path", path);
	}
}

static void
test_times(void)
{
	static const struct {
		gint64 mtime;
		const char *record;
	} times[] = {
		{ 0, NULL },
		{ 1700000000 * NSEC_PER_SEC, NULL },
		{ 1700000000 * NSEC_PER_SEC + 1, "1700000000.000000001" },
		{ 1700000000 * NSEC_PER_SEC + 250000000, "1700000000.25" },
		{ -1, "-0.000000001" },
		{ -5 * NSEC_PER_SEC, "-5" },
		{ -5 * NSEC_PER_SEC - 250000000, "-5.25" },
	};
	CamStat stat = { .type = CAM_NODE_REGULAR };

	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		CamTarMember member = { .path = "t", .stat = &stat, .mtime = times[i].mtime };
		g_autoptr(GByteArray) out = g_byte_array_new();

		g_assert_true(cam_tar_append_header(out, &member, NULL));
		if (times[i].record == NULL)
			g_assert_cmpuint(out->len, ==, CAM_TAR_BLOCK_SIZE);
		else
			assert_record(out, "mtime", times[i].record);
	}
}

/* ---- against the reader ---- */

typedef struct {
	GByteArray *tar;
	gsize position;
} Feed;

static gssize
feed_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	Feed *feed = user_data;
	gsize n = MIN(size, feed->tar->len - feed->position);

	memcpy(buffer, feed->tar->data + feed->position, n);
	feed->position += n;
	return (gssize) n;
}

/* Up to @max bytes, now and then with all that a name can hold. */
static char *
random_name(GRand *rand, gint32 max)
{
	static const char *const parts[] = { "a", "b/", "\xc3\xa9", "\xff", "\n", " ", "=", "..." };
	g_autoptr(GString) name = g_string_new("n");
	gint32 wanted = g_rand_int_range(rand, 1, max);

	while ((gint32) name->len < wanted)
		g_string_append(name, parts[g_rand_int_range(rand, 0, G_N_ELEMENTS(parts))]);
	g_string_append_c(name, 'e');
	return g_string_free(g_steal_pointer(&name), FALSE);
}

static GVariant *
random_xattrs(GRand *rand)
{
	GVariantBuilder builder;

	if (g_rand_boolean(rand))
		return NULL;
	g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
	for (gint32 i = g_rand_int_range(rand, 1, 4); i > 0; i--) {
		g_autofree char *name = g_strdup_printf("user.%c", 'z' - i);
		guint8 value[40];
		gsize size = (gsize) g_rand_int_range(rand, 1, sizeof value);

		for (gsize k = 0; k < size; k++)
			value[k] = (guint8) g_rand_int(rand);
		g_variant_builder_add(
			&builder, "(@ay@ay)", g_variant_new_bytestring(name),
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, size, 1));
	}
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static gint64
random_time(GRand *rand)
{
	gint64 time = (gint64) (((guint64) g_rand_int(rand) << 32) | g_rand_int(rand));

	time >>= g_rand_int_range(rand, 1, 40);
	return g_rand_boolean(rand) ? time : time / NSEC_PER_SEC * NSEC_PER_SEC;
}

static guint32
random_number(GRand *rand)
{
	return (g_rand_int(rand) >> g_rand_int_range(rand, 0, 32)) & ~1u;
}

static void
assert_same_xattrs(GVariant *read, GVariant *meant)
{
	if (meant == NULL)
		g_assert_null(read);
	else
		g_assert_true(g_variant_equal(read, meant));
}

static void
check_member(const CamTarMember *member)
{
	static const CamTarSource source = { .read = feed_read };
	g_autoptr(GByteArray) tar = g_byte_array_new();
	Feed feed = { .tar = tar };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	g_autoptr(GError) error = NULL;
	const CamStat *stat = member->stat;
	const CamTarEntry *entry;

	g_assert_true(cam_tar_append_header(tar, member, &error));
	g_assert_no_error(error);
	entry = cam_tar_reader_next(reader, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(entry->path, ==, member->path);
	g_assert_cmpstr(entry->link_target, ==,
			member->hardlink != NULL ? member->hardlink : stat->link_target);
	g_assert_cmpuint(entry->mode, ==, stat->mode);
	g_assert_cmpuint(entry->uid, ==, stat->uid);
	g_assert_cmpuint(entry->gid, ==, stat->gid);
	g_assert_cmpint(entry->mtime, ==, member->mtime);
	g_assert_cmpuint(entry->stored_size, ==, entry->type == CAM_TAR_REGULAR ? stat->size : 0);
	if (stat->type == CAM_NODE_CHARACTER && member->hardlink == NULL) {
		g_assert_cmpuint(entry->rdev_major, ==, stat->rdev_major);
		g_assert_cmpuint(entry->rdev_minor, ==, stat->rdev_minor);
	}
	assert_same_xattrs(entry->xattrs, member->hardlink != NULL ? NULL : member->xattrs);
}

static void
test_read_back(void)
{
	static const CamNodeType types[] = { CAM_NODE_REGULAR, CAM_NODE_DIRECTORY, CAM_NODE_SYMLINK,
					     CAM_NODE_CHARACTER, CAM_NODE_FIFO };
	g_autoptr(GRand) rand = g_rand_new_with_seed(2026);

	for (guint i = 0; i < 4000; i++) {
		g_autofree char *path = random_name(rand, i % 9 == 0 ? 1200 : 120);
		g_autofree char *other = random_name(rand, i % 7 == 0 ? 1200 : 110);
		g_autoptr(GVariant) xattrs = random_xattrs(rand);
		CamStat stat = {
			.type = types[i % G_N_ELEMENTS(types)],
			.mode = g_rand_int(rand) & 07777,
			.uid = random_number(rand),
			.gid = random_number(rand),
			.size = (guint64) random_number(rand) << g_rand_int_range(rand, 0, 8),
			.rdev_major = g_rand_int(rand) & 0xfff,
			.rdev_minor = g_rand_int(rand) & 0xfffff,
		};
		CamTarMember member = {
			.path = path, .stat = &stat, .xattrs = xattrs, .mtime = random_time(rand)
		};

		if (stat.type == CAM_NODE_SYMLINK)
			stat.link_target = other;
		else if (i % 11 == 0)
			member.hardlink = other;
		check_member(&member);
	}
}

static void
test_impossible(void)
{
	CamStat device = { .type = CAM_NODE_BLOCK, .rdev_major = 1, .rdev_minor = 1u << 21 };
	CamStat file = { .type = CAM_NODE_REGULAR };
	g_autoptr(GVariant) xattrs =
		g_variant_ref_sink(g_variant_new_parsed("[(b'user.a=b', @ay [0x01])]"));
	CamTarMember with_device = { .path = "d", .stat = &device };
	CamTarMember with_xattr = { .path = "x", .stat = &file, .xattrs = xattrs };
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(cam_tar_append_header(out, &with_device, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(cam_tar_append_header(out, &with_xattr, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "user.a=b"));
}

static void
test_xattr_bytes(void)
{
	CamStat file = { .type = CAM_NODE_REGULAR };
	g_autoptr(GVariant) xattrs =
		g_variant_ref_sink(g_variant_new_parsed("[(b'user.a', @ay [0x00, 0x0a, 0x3d])]"));
	CamTarMember member = { .path = "x", .stat = &file, .xattrs = xattrs };
	g_autoptr(GByteArray) out = g_byte_array_new();
	static const char record[] = "27 SCHILY.xattr.user.a=\0\n=\n";

	g_assert_true(cam_tar_append_header(out, &member, NULL));
	g_assert_cmpmem(out->data + CAM_TAR_BLOCK_SIZE + 2, sizeof(record) - 3, record + 2,
			sizeof(record) - 3);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tar-writer/small", test_small);
	g_test_add_func("/tar-writer/large", test_large);
	g_test_add_func("/tar-writer/record-lengths", test_record_lengths);
	g_test_add_func("/tar-writer/times", test_times);
	g_test_add_func("/tar-writer/read-back", test_read_back);
	g_test_add_func("/tar-writer/impossible", test_impossible);
	g_test_add_func("/tar-writer/xattr-bytes", test_xattr_bytes);
	return g_test_run();
}
