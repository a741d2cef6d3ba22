/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Against a local repository that tells the truth, and one that lies in every way. */
#include "scanners/apt/apt-repository.h"

#include <unistd.h>

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
		{ LOCAL_FUTURE, CAM_ERROR_FAILED_PRECONDITION, "clock looks wrong" },
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

/* A mirror that leaves out an index could else keep all news from whoever asks it. */
static void
test_left_out(void)
{
	static const LocalLies ways[] = { LOCAL_HONEST, LOCAL_BY_HASH_ONLY, LOCAL_PLAIN_ONLY };

	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(LocalRepository) local = local_repository_new();
		g_autoptr(CamAptRepository) repository = NULL;
		g_autoptr(CamAptSource) source = NULL;
		g_autoptr(CamAptRelease) release = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree char *dir = NULL;

		if (local == NULL)
			return;
		repository = local_repository_open_cache(local);
		source = local_repository_source(local, "stable");
		g_free(local_repository_add(local, "hello", "1.0", NULL, NULL));
		local_repository_publish(local, "stable", ways[i]);
		release = update(local, repository, source, &error);
		g_assert_no_error(error);
		dir = g_build_filename(local->dir, "dists/stable/main", NULL);
		g_assert_true(cam_remove_tree_at(AT_FDCWD, dir, NULL));
		g_assert_null(cam_apt_repository_get_packages(repository, release, "main", "amd64",
							      NULL, NULL, &error));
		g_assert_error(error, CAM_ERROR, CAM_ERROR_UNAVAILABLE);
	}
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

/* The first "Size:" of an index. */
static gint64
size_in(const char *packages)
{
	return g_ascii_strtoll(strstr(packages, "\nSize: ") + strlen("\nSize: "), NULL, 10);
}

static void
test_deb(void)
{
	gint64 size;
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
	size = size_in(local->packages->str);
	path = cam_apt_repository_get_deb(repository, source, "pool/hello_1:1.0+x~y_all.deb",
					  sha256, size, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));

	g_assert_null(cam_apt_repository_get_deb(repository, source, "../../etc/passwd", sha256, 4,
						 NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_null(cam_apt_repository_get_deb(repository, source, "pool/hello_1:1.0+x~y_all.deb",
						 "0123", 4, NULL, NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);

	/* Sizes that no package has. */
	g_assert_null(cam_apt_repository_get_deb(repository, source, "pool/x.deb", sha256, -1, NULL,
						 NULL, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_clear_error(&error);
	g_assert_null(cam_apt_repository_get_deb(repository, source, "pool/x.deb", sha256,
						 G_GINT64_CONSTANT(1000000000000000000), NULL, NULL,
						 &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_RESOURCE_EXHAUSTED);
	g_clear_error(&error);

	/* Another content under the digest that the index names. */
	g_assert_cmpint(g_unlink(path), ==, 0);
	local_write(local, "pool/hello_1:1.0+x~y_all.deb", "evil", 4);
	again = cam_apt_repository_get_deb(repository, source, "pool/hello_1:1.0+x~y_all.deb",
					   sha256, 4, NULL, NULL, &error);
	g_assert_null(again);
	g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

#define NOW 1700000000

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
							       "k", NOW, NULL, &error);

		if (good != cases[i].good)
			g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpint(good, ==, cases[i].good);
		if (!good)
			g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	}
}

/* A key or a signature that is younger than "now" is the clock's fault, not the archive's. */
static void
test_clock(void)
{
	static const struct {
		const char *status;
		CamError code;
	} cases[] = {
		{ "[GNUPG:] NEWSIG x\n[GNUPG:] KEY_CONSIDERED A 0\n"
		  "[GNUPG:] ERRSIG A 22 8 01 1800000000 6 AAAA\n",
		  CAM_ERROR_FAILED_PRECONDITION },
		/* made before: the key is broken */
		{ "[GNUPG:] ERRSIG A 22 8 01 1600000000 6 AAAA\n", CAM_ERROR_PERMISSION_DENIED },
		/* of an unknown key anything may be claimed */
		{ "[GNUPG:] ERRSIG A 22 8 01 1800000000 9 -\n[GNUPG:] NO_PUBKEY A\n",
		  CAM_ERROR_PERMISSION_DENIED },
		{ "[GNUPG:] ERRSIG A 22 8 01 1800000000 6 AAAA\n[GNUPG:] BADSIG B y\n",
		  CAM_ERROR_PERMISSION_DENIED },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(cam_apt_signature_check_status(cases[i].status, NULL, "k", NOW, NULL,
							      &error));
		g_assert_error(error, CAM_ERROR, (int) cases[i].code);
		g_assert_cmpint(cases[i].code == CAM_ERROR_FAILED_PRECONDITION, ==,
				strstr(error->message, "clock") != NULL);
	}
}

static CamAptSource *
propose(LocalRepository *local, const char *suite, const char *keyring)
{
	CamAptSource *source = local_repository_source(local, suite);
	const char *const keyrings[] = { keyring, NULL };

	g_clear_pointer(&source->key, g_bytes_unref);
	source->provenance = CAM_APT_PROPOSED;
	source->archive = g_strdup("Debian");
	source->keyrings = g_strdupv((char **) keyrings);
	return source;
}

/* What a mirror says that has @packages and is an hour old; its index is then in the cache. What
 * @local serves otherwise stays. */
static CamAptRelease *
fetch_honest(LocalRepository *local, CamAptRepository *repository, CamAptSource *source,
	     const char *packages)
{
	GString *others = local->packages;
	int age = local->age;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	CamAptRelease *release;

	local->packages = g_string_new(packages);
	local->age = 3600;
	local_repository_publish(local, "stable", LOCAL_HONEST);
	release = update(local, repository, source, &error);
	g_assert_no_error(error);
	path = cam_apt_repository_get_packages(repository, release, "main", "amd64", NULL, NULL,
					       &error);
	g_assert_no_error(error);
	g_string_free(local->packages, TRUE);
	local->packages = others;
	local->age = age;
	return release;
}

/* Of two Releases that are signed alike the newer one counts, whichever is served. */
static void
test_rollback(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autoptr(CamAptSource) source = NULL;
	g_autoptr(CamAptRelease) fresh = NULL, old = NULL, pinned = NULL;
	g_autofree char *path = NULL, *content = NULL, *index = NULL;
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	repository = local_repository_open_cache(local);
	source = local_repository_source(local, "stable");
	g_free(local_repository_add(local, "hello", "2.0", NULL, NULL));
	index = g_strdup(local->packages->str);
	local_repository_publish(local, "stable", LOCAL_HONEST);
	fresh = update(local, repository, source, &error);
	g_assert_no_error(error);
	g_assert_null(fresh->behind);
	g_assert_nonnull(fresh->signers);
	path = cam_apt_repository_get_packages(repository, fresh, "main", "amd64", NULL, NULL,
					       &error);
	g_assert_no_error(error);
	g_clear_pointer(&path, g_free);

	/* As it was 300 days ago, by a mirror or by whoever stands between; also after a restart.
	 */
	g_string_truncate(local->packages, 0);
	g_free(local_repository_add(local, "hello", "1.0", NULL, NULL));
	local->age = 300 * 86400;
	for (gsize i = 0; i < 2; i++) {
		local_repository_publish(local, "stable", i == 0 ? LOCAL_HONEST : LOCAL_DETACHED);
		g_clear_object(&repository);
		repository = local_repository_open_cache(local);
		g_clear_pointer(&old, cam_apt_release_free);
		old = update(local, repository, source, &error);
		g_assert_no_error(error);
		g_assert_cmpint(old->date, ==, fresh->date);
		g_assert_nonnull(old->behind);
		path = cam_apt_repository_get_packages(repository, old, "main", "amd64", NULL, NULL,
						       &error);
		g_assert_no_error(error);
		g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
		g_assert_cmpstr(content, ==, index);
		g_clear_pointer(&content, g_free);
		g_unlink(path);
		g_clear_pointer(&path, g_free);
		/* What that mirror lacks is an error that names the reason. */
		g_assert_null(cam_apt_repository_get_packages(repository, old, "main", "amd64",
							      NULL, NULL, &error));
		g_assert_nonnull(strstr(error->message, "behind"));
		g_clear_error(&error);
		path = NULL;
		/* For the second round, from the honest mirror again. */
		if (i == 0) {
			g_clear_pointer(&fresh, cam_apt_release_free);
			fresh = fetch_honest(local, repository, source, index);
		}
	}

	/* A snapshot that the configuration pins is what was asked for. */
	source->pinned = TRUE;
	pinned = update(local, repository, source, &error);
	g_assert_no_error(error);
	g_assert_cmpint(pinned->date, <, fresh->date);
	g_assert_null(pinned->behind);
}

/* An image may name another mirror each time: for what images propose an archive is one, wherever
 * it lies. A mirror of the machine is its own. */
static void
test_rollback_elsewhere(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(CamAptRepository) repository = NULL;
	g_autofree char *keyring = NULL, *mirror = NULL;
	g_autoptr(CamAptSource) first = NULL, second = NULL, own = NULL;
	g_autoptr(CamAptRelease) fresh = NULL, old = NULL, other = NULL;
	g_autoptr(GError) error = NULL;

	if (local == NULL)
		return;
	local_write(local, "keyring.gpg", g_bytes_get_data(local->key, NULL),
		    g_bytes_get_size(local->key));
	keyring = g_build_filename(local->dir, "keyring.gpg", NULL);
	mirror = g_build_filename(local->dir, "mirror", NULL);
	g_assert_cmpint(symlink(local->dir, mirror), ==, 0);
	local->origin = "Debian";
	repository = local_repository_open_cache(local);
	first = propose(local, "stable", keyring);
	second = propose(local, "stable", keyring);
	g_free(second->uri);
	second->uri = g_strconcat("file:", mirror, NULL);
	own = cam_apt_source_copy(second);
	own->provenance = CAM_APT_HOST;

	local_repository_publish(local, "stable", LOCAL_HONEST);
	fresh = update(local, repository, first, &error);
	g_assert_no_error(error);
	local->age = 300 * 86400;
	local_repository_publish(local, "stable", LOCAL_HONEST);
	old = update(local, repository, second, &error);
	g_assert_no_error(error);
	g_assert_cmpint(old->date, ==, fresh->date);
	other = update(local, repository, own, &error);
	g_assert_no_error(error);
	g_assert_cmpint(other->date, <, fresh->date);
}

/* What an image proposes must be the archive, and be signed by keys that are the machine's. */
static void
test_proposed(void)
{
	g_autoptr(LocalRepository) local = local_repository_new();
	g_autoptr(LocalRepository) stranger = local != NULL ? local_repository_new() : NULL;
	g_autoptr(CamAptRepository) repository = NULL;
	g_autofree char *keyring = NULL;
	g_autoptr(CamAptSource) source = NULL, evil = NULL;
	g_autoptr(CamAptRelease) release = NULL;
	g_autoptr(GError) error = NULL;

	if (stranger == NULL)
		return;
	local_write(local, "keyring.gpg", g_bytes_get_data(local->key, NULL),
		    g_bytes_get_size(local->key));
	keyring = g_build_filename(local->dir, "keyring.gpg", NULL);
	repository = local_repository_open_cache(local);
	source = propose(local, "stable", keyring);
	local_repository_publish(local, "stable", LOCAL_HONEST);
	g_assert_null(update(local, repository, source, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_assert_nonnull(strstr(error->message, "archive of \"Test\" and not of Debian"));
	g_clear_error(&error);
	local->origin = "Debian";
	local_repository_publish(local, "stable", LOCAL_HONEST);
	release = update(local, repository, source, &error);
	g_assert_no_error(error);

	stranger->origin = "Debian";
	local_repository_publish(stranger, "stable", LOCAL_HONEST);
	evil = propose(stranger, "stable", keyring);
	/* Neither what it brings nor what it names counts. */
	evil->key = g_bytes_ref(stranger->key);
	evil->signed_by = g_strdup("/nonexistent/own.gpg");
	g_assert_null(update(stranger, repository, evil, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
	g_clear_error(&error);
	/* Not without keys, either. */
	g_strfreev(evil->keyrings);
	evil->keyrings = g_new0(char *, 1);
	g_assert_null(update(stranger, repository, evil, &error));
	g_assert_error(error, CAM_ERROR, CAM_ERROR_PERMISSION_DENIED);
}

/* A pocket of the same release, well signed, is not the one that was asked for. */
static void
test_identity(void)
{
	static const struct {
		const char *wanted, *suite, *codename, *label;
		gboolean good;
	} cases[] = {
		{ "bookworm", "oldstable", "bookworm", "Debian", TRUE },
		{ "stable", "stable", "trixie", "Debian", TRUE },
		{ "bookworm-security", "oldstable-security", "bookworm-security", "Debian-Security",
		  TRUE },
		{ "bookworm-security", "oldstable", "bookworm", "Debian", FALSE },
		{ "bookworm", "oldstable-security", "bookworm-security", "Debian-Security", FALSE },
		{ "buster/updates", "oldoldstable", "buster", "Debian-Security", TRUE },
		{ "buster/updates", "oldoldstable", "buster", "Debian", FALSE },
		{ "buster/updates", "oldoldstable", "stretch", "Debian-Security", FALSE },
		{ "jammy", "jammy", "jammy", "Ubuntu", TRUE },
		{ "jammy-security", "jammy-security", "jammy", "Ubuntu", TRUE },
		{ "jammy", "jammy-updates", "jammy", "Ubuntu", FALSE },
		{ "jammy-security", "jammy", "jammy", "Ubuntu", FALSE },
	};
	static const char *const components[] = { "main", NULL };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			g_strdup_printf("Suite: %s\nCodename: %s\nLabel: %s\n"
					"SHA256:\n",
					cases[i].suite, cases[i].codename, cases[i].label);
		g_autoptr(CamAptSource) source = cam_apt_source_new(
			"http://mirror.example.org/debian", cases[i].wanted, components);
		g_autoptr(GError) error = NULL;
		g_autoptr(CamAptRelease) release =
			cam_apt_release_parse(source, text, strlen(text), &error);

		g_assert_no_error(error);
		g_test_message("%s, %s", cases[i].wanted, cases[i].suite);
		g_assert_cmpint(cam_apt_release_check_identity(release, &error), ==, cases[i].good);
		if (!cases[i].good)
			g_assert_error(error, CAM_ERROR, CAM_ERROR_DATA_LOSS);
	}
}

/* How much is written is bounded by what the Release says, and that by the configuration. */
static void
test_sizes(void)
{
	static const struct {
		gint64 claimed, limit;
		CamError code;
	} cases[] = {
		{ G_GINT64_CONSTANT(1000000000000000), 0, CAM_ERROR_RESOURCE_EXHAUSTED },
		{ 1024 * 1024, 1024 * 1024 - 1, CAM_ERROR_RESOURCE_EXHAUSTED },
		{ 1024 * 1024, 0, CAM_ERROR_DATA_LOSS }, /* 8 MiB under the name of one */
	};
	g_autoptr(LocalRepository) local = local_repository_new();

	if (local == NULL)
		return;
	g_string_set_size(local->packages, 8 * 1024 * 1024);
	memset(local->packages->str, '\n', local->packages->len);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamAptRepository) repository = local_repository_open_cache(local);
		g_autoptr(CamAptSource) source = local_repository_source(local, "stable");
		g_autoptr(CamAptRelease) release = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree char *indexes = g_build_filename(local->dir, "cache/indexes", NULL);
		g_autoptr(GDir) dir = NULL;
		const char *name;

		local->claimed_size = cases[i].claimed;
		local_repository_publish(local, "stable", LOCAL_HONEST);
		cam_apt_repository_set_limits(repository, cases[i].limit, 0);
		release = update(local, repository, source, &error);
		g_assert_no_error(error);
		g_assert_null(cam_apt_repository_get_packages(repository, release, "main", "amd64",
							      NULL, NULL, &error));
		g_test_message("%s", error->message);
		g_assert_error(error, CAM_ERROR, (int) cases[i].code);
		dir = g_dir_open(indexes, 0, NULL);
		while ((name = g_dir_read_name(dir)) != NULL)
			g_assert_true(g_str_has_suffix(name, ".gz"));
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
	g_test_add_func("/apt-repository/left-out", test_left_out);
	g_test_add_func("/apt-repository/missing", test_missing);
	g_test_add_func("/apt-repository/deb", test_deb);
	g_test_add_func("/apt-repository/status", test_status);
	g_test_add_func("/apt-repository/clock", test_clock);
	g_test_add_func("/apt-repository/rollback", test_rollback);
	g_test_add_func("/apt-repository/rollback-elsewhere", test_rollback_elsewhere);
	g_test_add_func("/apt-repository/proposed", test_proposed);
	g_test_add_func("/apt-repository/identity", test_identity);
	g_test_add_func("/apt-repository/sizes", test_sizes);
	g_test_add_func("/apt-repository/dates", test_dates);
	g_test_add_func("/apt-repository/bad-releases", test_bad_releases);
	return g_test_run();
}
