/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of the decompressing, compressing and read-ahead streams. */
#include "snapshotter/base/compression.h"

#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

/* A stream that gives at most @step bytes a read, so that every boundary is met. */
#define TEST_TYPE_SLOW_STREAM (test_slow_stream_get_type())
G_DECLARE_FINAL_TYPE(TestSlowStream, test_slow_stream, TEST, SLOW_STREAM, GMemoryInputStream)
struct _TestSlowStream {
	GMemoryInputStream parent;
	gsize step;
	gboolean fail_at_end;
};
G_DEFINE_FINAL_TYPE(TestSlowStream, test_slow_stream, G_TYPE_MEMORY_INPUT_STREAM)

static gssize
slow_read(GInputStream *stream, void *buffer, gsize count, GCancellable *c, GError **error)
{
	TestSlowStream *self = TEST_SLOW_STREAM(stream);
	gssize n = G_INPUT_STREAM_CLASS(test_slow_stream_parent_class)
			   ->read_fn(stream, buffer, MIN(count, self->step), c, error);

	if (n == 0 && self->fail_at_end) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "gone");
		return -1;
	}
	return n;
}

static void
test_slow_stream_init(TestSlowStream *self)
{
}

static void
test_slow_stream_class_init(TestSlowStreamClass *klass)
{
	G_INPUT_STREAM_CLASS(klass)->read_fn = slow_read;
}

static GInputStream *
slow_stream(GBytes *bytes, gsize step)
{
	TestSlowStream *self = g_object_new(TEST_TYPE_SLOW_STREAM, NULL);

	g_memory_input_stream_add_bytes(G_MEMORY_INPUT_STREAM(self), bytes);
	self->step = step;
	return G_INPUT_STREAM(self);
}

static GBytes *
read_all(GInputStream *stream, gsize step, GError **error)
{
	g_autoptr(GByteArray) all = g_byte_array_new();
	g_autofree guint8 *buffer = g_malloc(step);

	while (TRUE) {
		gssize n = g_input_stream_read(stream, buffer, step, NULL, error);
		if (n < 0)
			return NULL;
		if (n == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&all));
		g_byte_array_append(all, buffer, (guint) n);
	}
}

static GBytes *
decompress(GBytes *bytes, CamCompression compression, gsize in_step, gsize out_step, GError **error)
{
	g_autoptr(GInputStream) base = slow_stream(bytes, in_step);
	g_autoptr(GInputStream) stream = cam_decompress_stream_new(base, compression);

	return read_all(stream, out_step, error);
}

static GBytes *
compress(GBytes *bytes, CamCompression compression, gsize in_step, gsize out_step)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) base = slow_stream(bytes, in_step);
	g_autoptr(GInputStream) stream = cam_compress_stream_new(base, compression, &error);

	g_assert_no_error(error);
	GBytes *result = read_all(stream, out_step, &error);
	g_assert_no_error(error);
	return result;
}

/* Half text, half noise, @size bytes. */
static GBytes *
sample(gsize size)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	guint8 *data = g_malloc(size + 1);

	for (gsize i = 0; i < size; i++)
		data[i] = (i / 5000) % 2 ? (guint8) g_rand_int(rand) : "cambium "[i % 8];
	return g_bytes_new_take(data, size);
}

static GBytes *
concatenate(GBytes *a, GBytes *b)
{
	GByteArray *all = g_byte_array_new();

	g_byte_array_append(all, g_bytes_get_data(a, NULL), (guint) g_bytes_get_size(a));
	g_byte_array_append(all, g_bytes_get_data(b, NULL), (guint) g_bytes_get_size(b));
	return g_byte_array_free_to_bytes(all);
}

static const CamCompression both[] = { CAM_COMPRESSION_GZIP, CAM_COMPRESSION_ZSTD };

static void
test_round_trip(void)
{
	static const gsize sizes[] = { 0, 1, 511, 70000, 3000000 };

	for (guint i = 0; i < G_N_ELEMENTS(sizes) * 2; i++) {
		g_autoptr(GError) error = NULL;
		CamCompression compression = both[i % 2];
		g_autoptr(GBytes) plain = sample(sizes[i / 2]);
		g_autoptr(GBytes) packed = compress(plain, compression, 8192, 8192);
		g_autoptr(GBytes) again = compress(plain, compression, 999, 70001);
		g_assert_true(g_bytes_equal(packed, again));
		g_assert_cmpint(cam_compression_guess(g_bytes_get_data(packed, NULL),
						      g_bytes_get_size(packed)),
				==, compression);
		g_autoptr(GBytes) out =
			decompress(packed, CAM_COMPRESSION_AUTO, 4096, 100000, &error);
		g_assert_no_error(error);
		g_assert_true(g_bytes_equal(out, plain));
	}
}

static void
test_boundaries(void)
{
	g_autoptr(GBytes) plain = sample(12000);

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) packed = compress(plain, both[i], 8192, 8192);
		g_autoptr(GBytes) two = concatenate(packed, packed);
		g_autoptr(GBytes) three = concatenate(two, packed);
		g_autoptr(GBytes) expect2 = concatenate(plain, plain);
		g_autoptr(GBytes) expect = concatenate(expect2, plain);
		for (gsize step = 1; step < 20; step++) {
			g_autoptr(GBytes) out = decompress(three, both[i], step, 23 - step, &error);
			g_assert_no_error(error);
			g_assert_true(g_bytes_equal(out, expect));
		}
	}
}

/* Members that end at every position of the decoder's input chunk. */
static void
test_members_across_chunks(void)
{
	for (guint i = 0; i < 2; i++) {
		for (gsize shift = 0; shift < 48; shift++) {
			g_autoptr(GError) error = NULL;
			g_autoptr(GRand) rand = g_rand_new_with_seed(1);
			gsize size = 128 * 1024 - 40 + shift;
			guint8 *noise = g_malloc(size);
			for (gsize k = 0; k < size; k++)
				noise[k] = (guint8) g_rand_int(rand);
			g_autoptr(GBytes) plain = g_bytes_new_take(noise, size);
			g_autoptr(GBytes) packed = compress(plain, both[i], 1 << 20, 1 << 20);
			g_autoptr(GBytes) two = concatenate(packed, packed);
			g_autoptr(GBytes) expect = concatenate(plain, plain);
			g_autoptr(GBytes) out = decompress(two, both[i], 1 << 20, 1 << 20, &error);
			g_assert_no_error(error);
			g_assert_true(g_bytes_equal(out, expect));
		}
	}
}

static void
test_damage(void)
{
	g_autoptr(GBytes) plain = sample(20000);
	g_autoptr(GBytes) garbage = g_bytes_new_static("garbage behind the end", 22);

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GBytes) packed = compress(plain, both[i], 8192, 8192);
		gsize size = g_bytes_get_size(packed);
		/* Every truncation, except to nothing, is found. */
		for (gsize cut = 1; cut < size; cut += cut < 64 || size - cut < 64 ? 1 : 977) {
			g_autoptr(GError) error = NULL;
			g_autoptr(GBytes) part = g_bytes_new_from_bytes(packed, 0, cut);
			g_assert_null(decompress(part, both[i], 8192, 8192, &error));
			g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		}
		/* A flipped bit in the content or in the checksum is found. */
		for (gsize at = 32; at < size; at += 509) {
			g_autoptr(GError) error = NULL;
			g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(packed, NULL), size);
			copy[size - at] ^= 0x10;
			g_autoptr(GBytes) bad = g_bytes_new(copy, size);
			g_assert_null(decompress(bad, both[i], 8192, 8192, &error));
			g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		}
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) with_tail = concatenate(packed, garbage);
		g_assert_null(decompress(with_tail, both[i], 8192, 8192, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
		g_clear_error(&error);
		g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
		g_assert_null(decompress(nothing, both[i], 1, 1, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	}
}

static void
test_plain(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) plain = sample(300000);
	g_autoptr(GBytes) out = decompress(plain, CAM_COMPRESSION_AUTO, 1000, 4096, &error);

	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(out, plain));
	g_autoptr(GInputStream) base = slow_stream(plain, 10);
	g_assert_null(cam_compress_stream_new(base, CAM_COMPRESSION_AUTO, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_media_types(void)
{
	static const struct {
		const char *type;
		CamCompression compression;
	} table[] = {
		{ "application/vnd.oci.image.layer.v1.tar", CAM_COMPRESSION_NONE },
		{ "application/vnd.oci.image.layer.v1.tar+gzip", CAM_COMPRESSION_GZIP },
		{ "application/vnd.oci.image.layer.v1.tar+zstd", CAM_COMPRESSION_ZSTD },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		  CAM_COMPRESSION_GZIP },
		{ "application/vnd.docker.image.rootfs.diff.tar", CAM_COMPRESSION_NONE },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", CAM_COMPRESSION_GZIP },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", CAM_COMPRESSION_ZSTD },
		{ "application/octet-stream", CAM_COMPRESSION_AUTO },
		{ NULL, CAM_COMPRESSION_AUTO },
	};

	for (guint i = 0; i < G_N_ELEMENTS(table); i++)
		g_assert_cmpint(cam_compression_for_media_type(table[i].type), ==,
				table[i].compression);
}

static void
test_readahead(void)
{
	static const gsize sizes[] = { 0, 1, 256 * 1024, 256 * 1024 + 1, 3000000 };

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) plain = sample(sizes[i]);
		g_autoptr(GInputStream) base = slow_stream(plain, 60000);
		g_autoptr(GInputStream) stream = cam_readahead_stream_new(base, 3);
		g_autoptr(GBytes) out = read_all(stream, 10007, &error);
		g_assert_no_error(error);
		g_assert_true(g_bytes_equal(out, plain));
		/* The end stays the end. */
		guint8 byte;
		g_assert_cmpint(g_input_stream_read(stream, &byte, 1, NULL, &error), ==, 0);
		g_assert_no_error(error);
	}
}

static void
test_readahead_abandoned(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) plain = sample(3000000);
	g_autoptr(GInputStream) base = slow_stream(plain, 60000);
	g_autoptr(GInputStream) unread = cam_readahead_stream_new(base, 2);
	g_clear_object(&unread);

	g_autoptr(GInputStream) base2 = slow_stream(plain, 60000);
	g_autoptr(GInputStream) closed = cam_readahead_stream_new(base2, 2);
	guint8 byte;
	g_assert_cmpint(g_input_stream_read(closed, &byte, 1, NULL, &error), ==, 1);
	g_assert_true(g_input_stream_close(closed, NULL, &error));
	g_assert_no_error(error);
}

static void
test_readahead_error(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) plain = sample(300000);
	g_autoptr(GInputStream) base = slow_stream(plain, 60000);
	TEST_SLOW_STREAM(base)->fail_at_end = TRUE;
	g_autoptr(GInputStream) stream = cam_readahead_stream_new(base, 2);
	g_autofree guint8 *buffer = g_malloc(400000);
	gsize n;

	/* All bytes before the error arrive, then the error, again and again. */
	g_assert_false(g_input_stream_read_all(stream, buffer, 400000, &n, NULL, &error));
	g_assert_cmpuint(n, ==, 300000);
	g_assert_cmpint(error->domain, ==, CAM_ERROR);
	g_clear_error(&error);
	g_assert_cmpint(g_input_stream_read(stream, buffer, 1, NULL, &error), ==, -1);
	g_assert_cmpint(error->domain, ==, CAM_ERROR);
}

static gpointer
cancel_soon(gpointer cancellable)
{
	g_usleep(100 * G_TIME_SPAN_MILLISECOND);
	g_cancellable_cancel(cancellable);
	return NULL;
}

/* The base gives nothing: neither does it hold a reader who is cancelled, through any depth. */
static void
test_readahead_cancelled(void)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;
	int fds[2];
	char byte;

	g_assert_cmpint(pipe(fds), ==, 0);
	g_autoptr(GInputStream) base = g_unix_input_stream_new(fds[0], TRUE);
	g_autoptr(GInputStream) inner = cam_readahead_stream_new(base, 2);
	g_autoptr(GInputStream) outer = cam_readahead_stream_new(inner, 2);
	GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
	g_assert_cmpint(g_input_stream_read(outer, &byte, 1, cancellable, &error), <, 0);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	g_thread_join(thread);
	close(fds[1]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/compression/round-trip", test_round_trip);
	g_test_add_func("/base/compression/boundaries", test_boundaries);
	g_test_add_func("/base/compression/members-across-chunks", test_members_across_chunks);
	g_test_add_func("/base/compression/damage", test_damage);
	g_test_add_func("/base/compression/plain", test_plain);
	g_test_add_func("/base/compression/media-types", test_media_types);
	g_test_add_func("/base/compression/readahead", test_readahead);
	g_test_add_func("/base/compression/readahead-abandoned", test_readahead_abandoned);
	g_test_add_func("/base/compression/readahead-cancelled", test_readahead_cancelled);
	g_test_add_func("/base/compression/readahead-error", test_readahead_error);
	return g_test_run();
}
