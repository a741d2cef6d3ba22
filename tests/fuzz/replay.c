/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a fuzz target as an ordinary test: on its seeds, on every beginning of them, on pieces put
 * together wrongly and on damaged bytes, always the same ones. Files that are named on the command
 * line (what libFuzzer found) are run instead.
 */
#include "fuzz.h"

#include <string.h>

#define BLOCK	 512
#define DAMAGES	 300
#define PREFIXES 256
#define SEED	 20260101

typedef struct {
	GBytes *seed;
	void (*run)(GBytes *seed);
} Case;

static void
run_bytes(const guint8 *data, gsize size)
{
	/* A copy of the exact size: a read beyond it is seen by the address sanitizer. */
	g_autofree guint8 *copy = g_memdup2(data, size);

	LLVMFuzzerTestOneInput(copy ? copy : (const guint8 *) "", size);
}

static void
run_whole(GBytes *seed)
{
	run_bytes(g_bytes_get_data(seed, NULL), g_bytes_get_size(seed));
}

/* Cut at and around every block, and at many other places. */
static void
run_truncated(GBytes *seed)
{
	gsize size = g_bytes_get_size(seed), step = MAX(size / PREFIXES, 1);
	const guint8 *data = g_bytes_get_data(seed, NULL);

	for (gsize at = 0; at < size; at += step)
		run_bytes(data, at);
	for (gsize at = BLOCK; at < size; at += BLOCK) {
		run_bytes(data, at - 1);
		run_bytes(data, at);
		run_bytes(data, at + 1);
	}
}

static void
run_damaged(GBytes *seed)
{
	gsize size = g_bytes_get_size(seed);
	g_autoptr(GRand) random = g_rand_new_with_seed(SEED);

	for (guint i = 0; i < DAMAGES; i++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(seed, NULL), size);
		guint times = g_rand_int_range(random, 1, 8);

		for (guint j = 0; j < times; j++)
			copy[g_rand_int_range(random, 0, (gint32) size)] =
				(guint8) g_rand_int(random);
		run_bytes(copy, size);
	}
}

/* One block written over another. */
static void
run_shuffled(GBytes *seed)
{
	gsize size = g_bytes_get_size(seed);
	gint32 blocks = (gint32) (size / BLOCK);
	g_autoptr(GRand) random = g_rand_new_with_seed(SEED);

	for (guint i = 0; blocks > 1 && i < DAMAGES; i++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(seed, NULL), size);
		gint32 from = g_rand_int_range(random, 0, blocks);
		gint32 to = g_rand_int_range(random, 0, blocks);

		memmove(copy + (gsize) to * BLOCK, copy + (gsize) from * BLOCK, BLOCK);
		run_bytes(copy, size);
	}
}

static void
run_case(gconstpointer data)
{
	const Case *one = data;

	one->run(one->seed);
}

static int
run_files(char **paths)
{
	for (; *paths; paths++) {
		g_autofree char *data = NULL;
		gsize size;

		g_assert_true(g_file_get_contents(*paths, &data, &size, NULL));
		run_bytes((const guint8 *) data, size);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(GBytes *seed);
	} ways[] = {
		{ "whole", run_whole },
		{ "truncated", run_truncated },
		{ "damaged", run_damaged },
		{ "shuffled", run_shuffled },
	};

	g_test_init(&argc, &argv, NULL);
	if (argc > 1)
		return run_files(argv + 1);
	g_autoptr(GPtrArray) seeds = cam_fuzz_seeds();
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < seeds->len * G_N_ELEMENTS(ways); i++) {
		guint number = i / G_N_ELEMENTS(ways), way = i % G_N_ELEMENTS(ways);
		Case *one = g_new(Case, 1);
		g_autofree char *path = g_strdup_printf("/seed-%u/%s", number, ways[way].name);

		*one = (Case){ g_ptr_array_index(seeds, number), ways[way].run };
		g_ptr_array_add(cases, one);
		g_test_add_data_func(path, one, run_case);
	}
	return g_test_run();
}
