/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Import of a layer from anywhere: it is refused with an error of Cambium's own, or it is in the
 * store whole: its tar comes out again bit for bit, its tree can be merged and made into an image.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshotter/base/fd.h"
#include "snapshotter/base/remove-tree.h"
#include "snapshotter/snapshots/erofs-image.h"
#include "snapshotter/store/store.h"

#define BLOCK 512

/* ---- the store, one for all inputs ---- */

static char *store_path;
static CamStore *store;

static void
remove_store(void)
{
	g_clear_object(&store);
	cam_remove_tree_at(AT_FDCWD, store_path, NULL);
	g_clear_pointer(&store_path, g_free);
}

static CamStore *
get_store(void)
{
	g_autoptr(GError) error = NULL;

	if (store)
		return store;
	/* In memory where that is possible: every accepted layer syncs the file system. */
	store_path = g_strdup("/dev/shm/cam-fuzz-XXXXXX");
	if (!g_mkdtemp(store_path)) {
		g_free(store_path);
		store_path = g_dir_make_tmp("cam-fuzz-XXXXXX", NULL);
	}
	store = cam_store_open(store_path, TRUE, NULL, &error);
	g_assert_no_error(error);
	atexit(remove_store);
	return store;
}

/* ---- one input ---- */

static void
expect_refusal(const GError *error)
{
	static const CamError codes[] = { CAM_ERROR_INVALID_ARGUMENT, CAM_ERROR_DATA_LOSS,
					  CAM_ERROR_RESOURCE_EXHAUSTED, CAM_ERROR_UNIMPLEMENTED };

	for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
		if (g_error_matches(error, CAM_ERROR, codes[i]))
			return;
	g_error("an error that was not to be expected: %s", error->message);
}

static void
check_export(const char *diff_id)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) layer = cam_store_open_layer(get_store(), diff_id, &error);
	g_autoptr(CamHasher) hasher = cam_hasher_new();
	guint8 buffer[16 * 1024];
	gssize size;

	g_assert_no_error(error);
	while ((size = g_input_stream_read(layer, buffer, sizeof(buffer), NULL, &error)) > 0)
		cam_hasher_update(hasher, buffer, (gsize) size);
	g_assert_no_error(error);
	g_autofree char *digest = cam_hasher_finish(hasher);
	g_assert_cmpstr(digest, ==, diff_id);
}

static void
check_tree(const char *diff_id)
{
	const char *const diff_ids[] = { diff_id, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamRootfs) rootfs = cam_store_open_rootfs(get_store(), diff_ids, NULL, &error);
	g_autoptr(CamTreeHistory) history = NULL;
	g_auto(CamFd) fd = memfd_create("image", MFD_CLOEXEC);

	/* A layer may be whole and yet not be unpacked: a hard link to what it does not have. */
	if (!rootfs) {
		expect_refusal(error);
		return;
	}
	history = cam_tree_history_load(get_store(), diff_ids, &error);
	g_assert_no_error(error);
	if (!cam_erofs_image_write(rootfs, history, FALSE, fd, NULL, &error))
		expect_refusal(error);
}

static void
run(const guint8 *data, gsize size)
{
	g_autoptr(GInputStream) blob =
		g_memory_input_stream_new_from_data(data, (gssize) size, NULL);
	CamLayerLimits limits = { .max_size = 64 << 20, .max_entries = 10000 };
	g_autoptr(GError) error = NULL;
	g_autoptr(CamLayerInfo) info =
		cam_store_import_layer(get_store(), blob, NULL, NULL, &limits, NULL, NULL, &error);

	if (!info) {
		expect_refusal(error);
		return;
	}
	check_export(info->diff_id);
	check_tree(info->diff_id);
}

static void
set_checksum(guint8 *header)
{
	guint sum = 0;

	memset(header + 148, ' ', 8);
	for (guint i = 0; i < BLOCK; i++)
		sum += header[i];
	g_snprintf((char *) header + 148, 8, "%06o", sum);
}

/* Headers that were damaged are tried with a right checksum too, or nothing behind the check would
 * ever see them. */
int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree guint8 *copy = g_memdup2(data, size);

	run(data, size);
	for (gsize at = 0; at + BLOCK <= size; at += BLOCK)
		if (memcmp(copy + at + 257, "ustar", 5) == 0)
			set_checksum(copy + at);
	if (size > 0 && memcmp(copy, data, size) != 0)
		run(copy, size);
	return 0;
}

/* ---- seeds ---- */

static void
add_member(GByteArray *tar, char type, const char *name, const char *link, const char *content,
	   const char *version)
{
	guint8 header[BLOCK] = { 0 }, zeros[BLOCK] = { 0 };
	gsize size = content ? strlen(content) : 0;

	g_strlcpy((char *) header, name, 100);
	g_snprintf((char *) header + 100, 8, "%07o", type == '5' ? 0755 : 04644);
	g_snprintf((char *) header + 108, 8, "%07o", 1000);
	g_snprintf((char *) header + 116, 8, "%07o", 0);
	g_snprintf((char *) header + 124, 12, "%011o", (guint) size);
	g_snprintf((char *) header + 136, 12, "%011o", 1700000000);
	header[156] = (guint8) type;
	g_strlcpy((char *) header + 157, link ? link : "", 100);
	memcpy(header + 257, version, 8);
	if (type == '3' || type == '4') {
		g_snprintf((char *) header + 329, 8, "%07o", 1);
		g_snprintf((char *) header + 337, 8, "%07o", 3);
	}
	set_checksum(header);
	g_byte_array_append(tar, header, BLOCK);
	if (size > 0)
		g_byte_array_append(tar, (const guint8 *) content, (guint) size);
	g_byte_array_append(tar, zeros, -(guint) size & (BLOCK - 1));
}

static GBytes *
finish_tar(GByteArray *tar)
{
	guint8 end[2 * BLOCK] = { 0 };

	g_byte_array_append(tar, end, sizeof(end));
	return g_byte_array_free_to_bytes(tar);
}

static GBytes *
make_pax(void)
{
	static const char ustar[] = "ustar\0"
				    "00";
	GByteArray *tar = g_byte_array_new();

	add_member(tar, '5', "./", NULL, NULL, ustar);
	add_member(tar, '5', "etc/", NULL, NULL, ustar);
	add_member(tar, 'x', "pax", NULL,
		   "22 path=etc/a-longer-\n30 mtime=1700000000.123456789\n"
		   "30 SCHILY.xattr.user.note=abc\n",
		   ustar);
	add_member(tar, '0', "etc/short", NULL, "content of a file\n", ustar);
	add_member(tar, '1', "etc/hard", "etc/a-longer-", NULL, ustar);
	add_member(tar, '2', "link", "etc/../../out", NULL, ustar);
	add_member(tar, '0', "link2/through", NULL, "x", ustar);
	add_member(tar, '3', "null", NULL, NULL, ustar);
	add_member(tar, '6', "fifo", NULL, NULL, ustar);
	add_member(tar, '0', "etc/.wh.gone", NULL, NULL, ustar);
	add_member(tar, '0', "var/.wh..wh..opq", NULL, NULL, ustar);
	add_member(tar, '0', "null", NULL, "a file in a device's place", ustar);
	return finish_tar(tar);
}

static GBytes *
make_gnu(void)
{
	static const char gnu[] = "ustar  ";
	GByteArray *tar = g_byte_array_new();
	g_autofree char *long_name = g_strnfill(200, 'n'), *long_link = g_strnfill(300, 'l');

	add_member(tar, 'L', "././@LongLink", NULL, long_name, gnu);
	add_member(tar, '0', "n", NULL, "long", gnu);
	add_member(tar, 'K', "././@LongLink", NULL, long_link, gnu);
	add_member(tar, '2', "s", "l", NULL, gnu);
	add_member(tar, '5', "d", NULL, NULL, gnu);
	add_member(tar, '0', "d/f", NULL, "1", gnu);
	add_member(tar, '0', "d", NULL, "a file in a directory's place", gnu);
	return finish_tar(tar);
}

static GBytes *
compress(GBytes *plain)
{
	g_autoptr(GZlibCompressor) gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
	g_autoptr(GInputStream) base = g_memory_input_stream_new_from_bytes(plain);
	g_autoptr(GInputStream) stream = g_converter_input_stream_new(base, G_CONVERTER(gzip));
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();

	g_output_stream_splice(out, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL);
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

GPtrArray *
cam_fuzz_seeds(void)
{
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, make_pax());
	g_ptr_array_add(seeds, make_gnu());
	g_ptr_array_add(seeds, compress(g_ptr_array_index(seeds, 0)));
	return seeds;
}
