/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Against a local repository that tells the truth, and one that lies in every way. */
#include "scanners/apt/apt-repository.h"

#include "scanners/apt/apt-release.h"
#include "scanners/apt/signature.h"
#include "tests/unit/scanners/apt/local-repository.h"

static CamAptRelease *
update(LocalRepository *local, CamAptRepository *repository, CamAptSource *source, GError **error)
{
	return cam_apt_repository_update(repository, source, NULL, NULL, error);
}

static void
assert_packages(LocalRepository *local, LocalLies lies)
{
	g_autoptr(CamAptRepository) repository = local_repository_open_cache(local);
	g_autoptr(CamAptSource) source = local_repository_source(local, "stable");
	g_autoptr(CamAptRelease) release = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL, *again = NULL, *content = NULL;

	local_repository_publish(local, "stable", lies);
	release = update(local, repository, source, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(release->origin, ==, "Test");
	g_assert_cmpstr(release->codename, ==, "stable");
	g_assert_cmpint(release->date, <, release->valid_until);
	path = cam_apt_repository_get_packages(repository, release, "main", "amd64", NULL, NULL,
					       &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, local->packages->str);
	/* From the cache, without the repository. */
	if (lies == LOCAL_HONEST) {
		local_remove(local, "dists/stable/main/binary-amd64/Packages.gz");
		again = cam_apt_repository_get_packages(repository, release, "main", "amd64", NULL,
							NULL, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(again, ==, path);
	}
}

static void
test_honest(void)
{
	static const LocalLies ways[] = { LOCAL_HONEST, LOCAL_DETACHED, LOCAL_BY_HASH_ONLY,
					  LOCAL_PLAIN_ONLY };

	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(LocalRepository) local = local_repository_new();

		if (local == NULL)
			return;
		g_free(local_repository_add(local, "hello", "1.0", NULL, NULL));
		assert_packages(local, ways[i]);
	}
}

static void
test_lies(void)
{
	static const struct {
		LocalLies lies;
		CamError code;
		const char *says;
	} cases[] = {
		{ LOCAL_UNSIGNED, CAM_ERROR_PERMISSION_DENIED, "no valid signature" },
		{ LOCAL_TAMPERED, CAM_ERROR_PERMISSION_DENIED, "did not sign this" },
		{ LOCAL_EXPIRED, CAM_ERROR_FAILED_PRECONDITION, "expired" },
		{ LOCAL_EXPIRED | LOCAL_DETACHED, CAM_ERROR_FAILED_PRECONDITION, "expired" },
		{ LOCAL_OTHER_SUITE, CAM_ERROR_DATA_LOSS, "Release of other" },
		{ LOCAL_FUTURE, CAM_ERROR_FAILED_PRECONDITION, "future" },
	};
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;

	if (local == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "stable");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		local_repository_publish(local, "stable", cases[i].lies);
		g_assert_null(update(local, repository, source, &error));
		g_assert_error(error, CAM_ERROR, (int) cases[i].code);
		g_assert_nonnull(strstr(error->message, cases[i].says));
	}
}

static void
test_wrong_key(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(LocalRepository) stranger = local != NULL ? local_repository_new() : NULL;
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;
	g_autoptr(CamAptRelease) release = NULL;
	g_autoptr(GError) error = NULL;

	if (stranger == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "stable");
	g_bytes_unref(source->key);
	source->key = g_bytes_ref(stranger->key);
	local_repository_publish(local, "stable", LOCAL_HONEST);
	g_assert_null(update(local, repository, source, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_assert_nonnull(strstr(error->message, "is unknown"));
	g_assert_nonnull(strstr(error->message, "test"));
	g_clear_error(&error);

	/* A keyring that is not there. */
	g_clear_pointer(&source->key, g_bytes_unref);
	source->signed_by = g_strdup("/nonexistent/keyring.gpg");
	g_assert_null(update(local, repository, source, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);

	/* Who trusts everything gets everything. */
	source->trusted = TRUE;
	local_repository_publish(local, "stable", LOCAL_UNSIGNED);
	release = update(local, repository, source, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(release->origin, ==, "Test");
}

static void
test_options(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;
	g_autoptr(CamAptRelease) release = NULL;
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "stable");
	source->ignore_valid_until = TRUE;
	local_repository_publish(local, "stable", LOCAL_EXPIRED);
	release = update(local, repository, source, &error);
	g_assert_no_error(error);
	/* The key is right but not the one that was asked for. */
	source->signed_by = g_strdup("0123456789ABCDEF0123456789ABCDEF01234567");
	g_assert_null(update(local, repository, source, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_assert_nonnull(strstr(error->message, "Signed-By"));
}

static void
test_wrong_index(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;
	g_autoptr(CamAptRelease) release = NULL;
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "stable");
	g_free(local_repository_add(local, "hello", "1.0", NULL, NULL));
	local_repository_publish(local, "stable", LOCAL_WRONG_INDEX);
	release = update(local, repository, source, &error);
	g_assert_no_error(error);
	g_assert_null(cam_apt_repository_get_packages(repository, release, "main", "amd64", NULL,
						      NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_assert_null(cam_apt_repository_get_packages(repository, release, "contrib", "amd64", NULL,
						      NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
}

static void
test_missing(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;
	g_autoptr(CamAptSource) odd = NULL;
	g_autoptr(GError) error = NULL;
	static const char *const components[] = { "main", NULL };

	if (local == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "absent");
	g_assert_null(update(local, repository, source, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "absent"));
	g_clear_error(&error);
	odd = cam_apt_source_new("cdrom:[disc]", "stable", components);
	g_assert_null(update(local, repository, odd, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
}

static void
test_deb(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;
	g_autofree char *sha256 = NULL, *path = NULL, *again = NULL;
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "stable");
	sha256 = local_repository_add(local, "hello", "1:1.0+x~y", NULL, NULL);
	path = cam_apt_repository_get_deb(repository, source, "pool/hello_1:1.0+x~y_all.deb",
					  sha256, -1, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));

	g_assert_null(cam_apt_repository_get_deb(repository, source, "../../etc/passwd", sha256, -1,
						 NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_apt_repository_get_deb(repository, source, "pool/hello_1:1.0+x~y_all.deb",
						 "0123", -1, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);

	/* Another content under the digest that the index names. */
	g_assert_cmpint(g_unlink(path), ==, 0);
	local_write(local, "pool/hello_1:1.0+x~y_all.deb", "evil", 4);
	again = cam_apt_repository_get_deb(repository, source, "pool/hello_1:1.0+x~y_all.deb",
					   sha256, -1, NULL, NULL, &error);
	g_assert_null(again);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

#define VALID(hash, fingerprint)                                                 \
	"[GNUPG:] VALIDSIG " fingerprint " 2024-01-01 1700000000 0 4 0 22 " hash \
	" 01 " fingerprint "\n"

static void
test_status(void)
{
	static const struct {
		const char *status, *signed_by;
		gboolean good;
	} cases[] = {
		{ "", NULL, FALSE },
		{ "[GNUPG:] GOODSIG A x\n" VALID("8", "AAAA"), NULL, TRUE },
		{ "[GNUPG:] ERRSIG B 1 8 01 0 9 -\n[GNUPG:] NO_PUBKEY B\n[GNUPG:] NEWSIG\n"
		  "[GNUPG:] GOODSIG A x\n" VALID("8", "AAAA"),
		  NULL, TRUE },
		/* a good line that nothing vouches for */
		{ "[GNUPG:] GOODSIG A x\n", NULL, FALSE },
		{ VALID("8", "AAAA"), NULL, FALSE },
		{ "[GNUPG:] EXPKEYSIG A x\n" VALID("8", "AAAA"), NULL, FALSE },
		{ "[GNUPG:] REVKEYSIG A x\n" VALID("8", "AAAA"), NULL, FALSE },
		{ "[GNUPG:] GOODSIG A x\n" VALID("2", "AAAA"), NULL, FALSE },
		{ "[GNUPG:] GOODSIG A x\n" VALID("8", "AAAA") "[GNUPG:] BADSIG B y\n", NULL,
		  FALSE },
		{ "[GNUPG:] GOODSIG A x\n" VALID("8", "AAAA"), "aaaa", TRUE },
		{ "[GNUPG:] GOODSIG A x\n" VALID("8", "AAAA"), "bbbb, AAAA!", TRUE },
		{ "[GNUPG:] GOODSIG A x\n" VALID("8", "AAAA"), "BBBB", FALSE },
		{ "[GNUPG:] GOODSIG A x\n[GNUPG:] VALIDSIG AAAA 2024-01-01\n", NULL, FALSE },
		{ "GOODSIG A x\nVALIDSIG AAAA\n", NULL, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gboolean good = cam_apt_signature_check_status(cases[i].status, cases[i].signed_by,
							       "k", &error);

		if (good != cases[i].good)
			g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpint(good, ==, cases[i].good);
		if (!good)
			g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	}
}

static void
test_dates(void)
{
	g_assert_cmpint(cam_apt_date_parse("Sat, 09 Aug 2025 08:37:01 UTC"), ==, 1754728621);
	g_assert_cmpint(cam_apt_date_parse("Thu,  1 Jan 1970 00:00:01 +0000"), ==, 1);
	g_assert_cmpint(cam_apt_date_parse("Sat, 09 Aug 2025 08:37:01 CET"), ==, 0);
	g_assert_cmpint(cam_apt_date_parse("Sat, 99 Aug 2025 08:37:01 UTC"), ==, 0);
	g_assert_cmpint(cam_apt_date_parse("Sat, 09 anF 2025 08:37:01 UTC"), ==, 0);
	g_assert_cmpint(cam_apt_date_parse("yesterday"), ==, 0);
	g_assert_cmpint(cam_apt_date_parse(""), ==, 0);
}

static void
test_bad_releases(void)
{
	static const char *const texts[] = {
		"",
		"Suite: x\n",
		"Suite: x\nValid-Until: never\nSHA256:\n",
		"Suite: x\nSHA256:\n nothex 1 path\n",
		"Suite: x\nSHA256:\n "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 -1 path\n",
		"Suite: x\nSHA256:\n "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 1\n",
	};
	static const char *const components[] = { "main", NULL };
	g_autoptr(CamAptSource) source =
		cam_apt_source_new("http://mirror.example.org/debian", "x", components);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_apt_release_parse(source, texts[i], strlen(texts[i]), &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apt-repository/honest", test_honest);
	g_test_add_func("/apt-repository/lies", test_lies);
	g_test_add_func("/apt-repository/wrong-key", test_wrong_key);
	g_test_add_func("/apt-repository/options", test_options);
	g_test_add_func("/apt-repository/wrong-index", test_wrong_index);
	g_test_add_func("/apt-repository/missing", test_missing);
	g_test_add_func("/apt-repository/deb", test_deb);
	g_test_add_func("/apt-repository/status", test_status);
	g_test_add_func("/apt-repository/dates", test_dates);
	g_test_add_func("/apt-repository/bad-releases", test_bad_releases);
	return g_test_run();
}
