/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the tar reader against Go's archive/tar, by which containerd unpacks: generated archives,
 * where both must see the same members or both must refuse. What is refused by name although Go
 * reads it must be read alike once that is allowed. CAM_TAR_ROUNDS=N generates N archives. */
#include "../go/go-reader.h"
#include "tar-generate.h"
#include "tar-listing.h"

#define ROUNDS	12000
#define PER_RUN 4000

static void
fail(GBytes *bytes, const char *ours, const char *problem, const char *go)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "cambium-tar-go.tar", NULL);

	g_file_set_contents(path, g_bytes_get_data(bytes, NULL), (gssize) g_bytes_get_size(bytes),
			    NULL);
	g_error("Go and Cambium read %s differently\nCambium: %s%s\nGo: %s", path,
		ours != NULL ? ours : "", problem != NULL ? problem : "", go);
}

/* A cap of ours, or of a file system's: Go knows none. */
static gboolean
is_cap(const GError *error)
{
	return g_error_matches(error, CAM_ERROR, (int) CAM_ERROR_RESOURCE_EXHAUSTED);
}

static void
compare(GBytes *bytes, const char *go, guint *n_read, guint *n_ambiguous)
{
	g_autoptr(GError) error = NULL, strict_error = NULL;
	g_autofree char *ours = tar_listing(bytes, TRUE, &error);
	g_autofree char *strict = tar_listing(bytes, FALSE, &strict_error);
	gboolean go_reads = g_str_has_suffix(go, "end\n");

	if (ours != NULL ? !g_str_equal(ours, go) : go_reads && !is_cap(error))
		fail(bytes, ours, error != NULL ? error->message : NULL, go);
	if (ours != NULL && strict == NULL && strstr(strict_error->message, "ambiguous (") == NULL)
		fail(bytes, ours, strict_error->message, go);
	if (strict != NULL)
		g_assert_cmpstr(strict, ==, ours);
	*n_read += strict != NULL;
	*n_ambiguous += ours != NULL && strict == NULL;
}

static void
test_generated(void)
{
	const char *rounds = g_getenv("CAM_TAR_ROUNDS");
	guint left = rounds != NULL ? (guint) g_ascii_strtoull(rounds, NULL, 10) : ROUNDS;
	guint total = left, n_read = 0, n_ambiguous = 0;
	g_autoptr(GRand) random = g_rand_new_with_seed(rounds != NULL ? g_random_int() : 7);
	g_autoptr(GoReader) reader = go_reader_new();

	while (reader != NULL && left > 0) {
		guint n = MIN(left, PER_RUN);
		g_autoptr(GPtrArray) records =
			g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
		g_autoptr(GPtrArray) results = NULL;

		for (guint i = 0; i < n; i++)
			g_ptr_array_add(records, generate_tar(random));
		results = go_reader_run(reader, "tar", records);
		for (guint i = 0; i < n; i++)
			compare(records->pdata[i], results->pdata[i], &n_read, &n_ambiguous);
		left -= n;
	}
	if (reader == NULL)
		return;
	g_test_message("%u archives: %u read, %u ambiguous, the others malformed to both", total,
		       n_read, n_ambiguous);
	/* The generator must not drift to where nothing is compared. */
	g_assert_cmpuint(n_read, >, total / 10);
	g_assert_cmpuint(n_ambiguous, >, total / 100);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/tar-go/generated", test_generated);
	return g_test_run();
}
