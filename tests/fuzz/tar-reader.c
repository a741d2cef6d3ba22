/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target of the tar reader: whatever the bytes, it ends, reads nothing that is not there, and
 * the bytes that it tells and the contents together are the archive.
 */
#include "snapshotter/store/tar-reader.h"

#include <string.h>

#include "fuzz.h"
#include "tests/unit/snapshotter/store/tar-sample.h"

typedef struct {
	const guint8 *data;
	gsize size, position;
	guint64 raw;
} Feed;

static gssize
feed_read(gpointer user_data, void *buffer, gsize size, GError **error)
{
	Feed *feed = user_data;
	gsize n = MIN(size, feed->size - feed->position);

	if (n > 0)
		memcpy(buffer, feed->data + feed->position, n);
	feed->position += n;
	return (gssize) n;
}

static gboolean
feed_raw(gpointer user_data, gconstpointer data, gsize size, GError **error)
{
	((Feed *) user_data)->raw += size;
	return TRUE;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const CamTarSource source = { .read = feed_read, .raw = feed_raw };
	g_autoptr(GError) error = NULL;
	Feed feed = { .data = data, .size = size };
	g_autoptr(CamTarReader) reader = cam_tar_reader_new(&source, &feed);
	const CamTarEntry *entry;
	guint64 content = 0;

	while ((entry = cam_tar_reader_next(reader, &error)) != NULL) {
		guint8 buffer[1000];
		gssize n;

		g_assert_cmpuint(strlen(entry->path), <=, CAM_TAR_MAX_PATH);
		g_assert_null(g_strrstr(entry->path, "//"));
		while ((n = cam_tar_reader_read(reader, buffer, sizeof buffer, &error)) > 0)
			content += (guint64) n;
		if (n < 0)
			break;
	}
	if (error == NULL)
		g_assert_cmpuint(feed.raw + content, ==, size);
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
	GByteArray *sparse = g_byte_array_new();
	char map[517] = "2\n1000\n3\n9000\n2\n";

	g_ptr_array_add(seeds, tar_with_everything());
	tar_pax(sparse, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name",
		"s10", "GNU.sparse.realsize", "10000", NULL);
	tar_add(sparse,
		&(TarSample){
			.name = "s", .type = '0', .content = map, .content_size = sizeof map });
	tar_pax(sparse, 'x', "GNU.sparse.size", "10000", "GNU.sparse.name", "s01",
		"GNU.sparse.numblocks", "2", "GNU.sparse.map", "1000,3,9000,2", NULL);
	tar_file(sparse, "s01", "abcde");
	g_ptr_array_add(seeds, tar_end(sparse));
	return seeds;
}
