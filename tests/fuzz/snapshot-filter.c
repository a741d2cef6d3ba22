/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever a client sends as filters, one a line: they are read or refused, and what was read gives
 * the same answer twice.
 */
#include "fuzz.h"

#include "snapshotter/snapshots/snapshot-filter.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = g_strndup((const char *) data, size);
	g_auto(GStrv) filters = g_strsplit(text, "\n", 8);
	g_autoptr(GError) error = NULL;
	g_autoptr(CamSnapshotFilter) filter =
		cam_snapshot_filter_parse((const char *const *) filters, &error);
	g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
	CamSnapshotInfo info = { .name = (char *) "base",
				 .parent = (char *) "",
				 .kind = CAM_SNAPSHOT_ACTIVE,
				 .labels = labels };

	g_assert_true((filter == NULL) == (error != NULL));
	if (filter == NULL)
		return 0;
	g_hash_table_insert(labels, (gpointer) "x.y", (gpointer) "\xc3\xa4");
	g_assert_cmpint(cam_snapshot_filter_matches(filter, &info), ==,
			cam_snapshot_filter_matches(filter, &info));
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char filters[] =
		"name==\"b\\x61se\\u00e4\\101\",labels.\"x.y\"!=\xc3\xa4, kind\n"
		"parent~=/^a\\/b{1,3}$/\nname~=|[a-z]+(x)?|,labels.a.b.c==d";
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, g_bytes_new_static(filters, sizeof(filters) - 1));
	return seeds;
}
