/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/apt/apt-files.h"

#include "tests/unit/scanners/apt/local-repository.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Which file of a source package has its debian directory. */
static const struct {
	const char *files; /* sizes are 1, 2, … */
	const char *wanted;
	gint64 size;
} cases[] = {
	{ "a_1.dsc a_1.orig.tar.xz a_1.orig.tar.xz.asc a_1-1.debian.tar.xz",
	  "pool/a/a_1-1.debian.tar.xz", 4 },
	{ "a_1-1.debian.tar.gz a_1.orig-more.tar.gz a_1.orig.tar.gz", "pool/a/a_1-1.debian.tar.gz",
	  1 },
	{ "a_1.dsc a_1.orig.tar.gz a_1-1.diff.gz", "pool/a/a_1-1.diff.gz", 3 },
	{ "a_1.dsc a_1.tar.xz", "pool/a/a_1.tar.xz", 2 },
	{ "a_1.dsc a_1.orig.tar.gz", NULL, 0 },
	{ "a_1.dsc", NULL, 0 },
};

static void
test_from_sources(void)
{
	static const char *const none[] = { NULL };
	g_autoptr(CamAptSource) source =
		cam_apt_source_new("http://mirror.example.org/d", "x", none);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) text =
			g_string_new("Package: a\nDirectory: pool/a\nChecksums-Sha256:\n");
		g_auto(GStrv) names = g_strsplit(cases[i].files, " ", -1);
		g_auto(CamDeb822) paragraph = { 0 };
		g_autoptr(CamAptFile) file = NULL;

		for (guint n = 0; names[n] != NULL; n++)
			g_string_append_printf(text, " %s %u %s\n", DIGEST, n + 1, names[n]);
		cam_deb822_init(&paragraph, text->str, text->len);
		g_assert_true(cam_deb822_next(&paragraph));
		file = cam_apt_file_from_sources(&paragraph, source);
		g_assert_cmpstr(file != NULL ? file->filename : NULL, ==, cases[i].wanted);
		if (file != NULL) {
			g_assert_cmpint(file->size, ==, cases[i].size);
			g_assert_cmpstr(file->sha256, ==, DIGEST);
		}
	}
}

/* Without a digest, or with one of another kind, nothing can be verified. */
static void
test_malformed(void)
{
	static const char *const texts[] = {
		"Package: a\nDirectory: pool\n",
		"Package: a\nChecksums-Sha256:\n " DIGEST " 1 a_1.tar.xz\n",
		"Package: a\nDirectory: pool\nChecksums-Sha256:\n abc 1 a_1.tar.xz\n",
		"Package: a\nDirectory: pool\nChecksums-Sha256:\n " DIGEST " 0 a_1.tar.xz\n",
		"Package: a\nDirectory: pool\nChecksums-Sha256:\n " DIGEST " a_1.tar.xz\n",
		"Package: a\nDirectory: pool\nChecksums-Sha256: " DIGEST " x a_1.tar.xz\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_auto(CamDeb822) paragraph = { 0 };

		cam_deb822_init(&paragraph, texts[i], strlen(texts[i]));
		g_assert_true(cam_deb822_next(&paragraph));
		g_assert_null(cam_apt_file_from_sources(&paragraph, NULL));
	}
}

/* Each file says itself how it went. */
static void
test_fetch(void)
{
	static const char *const none[] = { NULL };
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_file_free);
	g_autofree char *dir = g_dir_make_tmp("cam-files-XXXXXX", NULL);
	g_autofree char *cache = g_build_filename(dir, "cache", NULL);
	g_autofree char *uri = g_strconcat("file:", dir, NULL);
	g_autoptr(CamAptSource) source = cam_apt_source_new(uri, "x/", none);
	g_autoptr(CamAptRepository) repository = cam_apt_repository_new(cache, NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 20; i++) {
		g_autofree char *name = g_strdup_printf("f%u.tar.xz", i);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		g_autofree char *digest = cam_digest_for_data(name, strlen(name));

		if (i != 7)
			g_assert_true(g_file_set_contents(path, i == 9 ? "other" : name, -1, NULL));
		g_ptr_array_add(files, cam_apt_file_new(source, i == 11 ? "../etc/passwd" : name,
							cam_digest_hex(digest), strlen(name)));
	}
	g_assert_true(
		cam_apt_files_fetch(files, cam_apt_repository_get_cache(repository), NULL, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < 20; i++) {
		const CamAptFile *file = g_ptr_array_index(files, i);
		gboolean good = i != 7 && i != 9 && i != 11;

		g_assert_cmpint(file->path != NULL, ==, good);
		g_assert_cmpint(file->error == NULL, ==, good);
		g_assert_true(!good || g_file_test(file->path, G_FILE_TEST_IS_REGULAR));
	}
	g_assert_error(((CamAptFile *) files->pdata[7])->error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_error(((CamAptFile *) files->pdata[9])->error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_assert_error(((CamAptFile *) files->pdata[11])->error, CAM_ERROR,
		       CAM_ERROR_INVALID_ARGUMENT);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, NULL));
}

static void
test_cancelled(void)
{
	static const char *const none[] = { NULL };
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_file_free);
	g_autofree char *dir = g_dir_make_tmp("cam-files-XXXXXX", NULL);
	g_autoptr(CamAptSource) source = cam_apt_source_new("file:/nonexistent", "x/", none);
	g_autoptr(CamAptRepository) repository = cam_apt_repository_new(dir, NULL);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(files, cam_apt_file_new(source, "f", DIGEST, 1));
	g_cancellable_cancel(cancellable);
	g_assert_false(cam_apt_files_fetch(files, dir, cancellable, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_CANCELLED);
	g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apt-files/from-sources", test_from_sources);
	g_test_add_func("/apt-files/malformed", test_malformed);
	g_test_add_func("/apt-files/fetch", test_fetch);
	g_test_add_func("/apt-files/cancelled", test_cancelled);
	return g_test_run();
}
