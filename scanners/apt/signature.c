/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures of Release files, checked by gpgv in a process of its own. Owns which keyrings are
 * asked and how gpgv's answer is judged: at least one good signature by a trusted key with a digest
 * that is not broken, and no bad one. (Debian signs with several keys; not all are known
 * everywhere.)
 */
#include "scanners/apt/signature.h"

#include <fcntl.h>
#include <string.h>

#include "scanners/apt/apt-release.h"
#include "scanners/apt/keyring.h"

#define MAX_KEYRING_SIZE (16 * 1024 * 1024)
#define MAX_TEXT_SIZE	 (64 * 1024 * 1024)

/* RFC 9580, section 9.5 */
#define HASH_MD5       1
#define HASH_SHA1      2
#define HASH_RIPEMD160 3

/* Where apt looks if a source names no key, and where Debian and Ubuntu put theirs. */
static const char *const trusted_files[] = {
	"/etc/apt/trusted.gpg",
	"/usr/share/keyrings/debian-archive-keyring.gpg",
	"/usr/share/keyrings/ubuntu-archive-keyring.gpg",
	NULL,
};
#define TRUSTED_DIRECTORY "/etc/apt/trusted.gpg.d"

/* One run of gpgv. */
typedef struct {
	char *directory; /* temporary, removed with this */
	GPtrArray *arguments;
	GString *keyrings; /* for messages */
	guint n_keyrings;
} Check;

static void
check_free(Check *self)
{
	if (self->directory != NULL)
		cam_remove_tree_at(AT_FDCWD, self->directory, NULL);
	g_free(self->directory);
	g_ptr_array_unref(self->arguments);
	g_string_free(self->keyrings, TRUE);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Check, check_free)

static void
add_argument(Check *self, const char *argument)
{
	g_ptr_array_add(self->arguments, g_strdup(argument));
}

/* Path of a new file in the temporary directory. */
static char *
write_temporary(Check *self, const char *name, GBytes *bytes, GError **error)
{
	g_autofree char *path = g_build_filename(self->directory, name, NULL);

	if (!cam_write_file_at(AT_FDCWD, path, bytes, 0600, error))
		return NULL;
	return g_steal_pointer(&path);
}

static gboolean
add_keyring(Check *self, GBytes *keyring, const char *shown, GError **error)
{
	g_autofree char *name = g_strdup_printf("keyring-%u.gpg", self->n_keyrings++);
	g_autoptr(GBytes) binary = cam_keyring_dearmor(keyring, error);
	g_autofree char *path = NULL;

	if (binary == NULL)
		return cam_error_translate(error, "%s", shown);
	path = write_temporary(self, name, binary, error);
	if (path == NULL)
		return FALSE;
	add_argument(self, "--keyring");
	add_argument(self, path);
	g_string_append_printf(self->keyrings, "%s%s", self->keyrings->len > 0 ? ", " : "", shown);
	return TRUE;
}

/* @required: an absent file is an error. */
static gboolean
add_keyring_file(Check *self, const char *path, gboolean required, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes = cam_read_file_at(AT_FDCWD, path, MAX_KEYRING_SIZE, &local_error);

	if (bytes != NULL)
		return add_keyring(self, bytes, path, error);
	if (!required && g_error_matches(local_error, CAM_ERROR, CAM_ERROR_NOT_FOUND))
		return TRUE;
	return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
			     "no valid signature: the keyring %s cannot be read: %s", path,
			     local_error->message);
}

static gboolean
add_trusted_keyrings(Check *self, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(TRUSTED_DIRECTORY, 0, NULL);
	const char *name;

	for (gsize i = 0; trusted_files[i] != NULL; i++)
		if (!add_keyring_file(self, trusted_files[i], FALSE, error))
			return FALSE;
	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(TRUSTED_DIRECTORY, name, NULL);

		if (!g_str_has_suffix(name, ".gpg") && !g_str_has_suffix(name, ".asc"))
			continue;
		if (!add_keyring_file(self, path, FALSE, error))
			return FALSE;
	}
	return TRUE;
}

/* What an image proposes is verified with the machine's keyrings of its distribution alone. */
static gboolean
add_source_keyrings(Check *self, const CamAptSource *source, GError **error)
{
	g_auto(GStrv) words = NULL;
	gboolean named = FALSE;

	for (gsize i = 0; source->keyrings != NULL && source->keyrings[i] != NULL; i++)
		if (!add_keyring_file(self, source->keyrings[i], FALSE, error))
			return FALSE;
	if (source->provenance == CAM_APT_PROPOSED)
		return TRUE;
	if (source->provenance == CAM_APT_IMAGE && source->key == NULL)
		return TRUE;
	if (source->key != NULL)
		return add_keyring(self, source->key,
				   source->origin != NULL ? source->origin : "the source's key",
				   error);
	words = g_strsplit_set(source->signed_by != NULL ? source->signed_by : "", ", \t\n", -1);
	for (gsize i = 0; words[i] != NULL; i++) {
		if (words[i][0] != '/')
			continue;
		named = TRUE;
		if (!add_keyring_file(self, words[i], TRUE, error))
			return FALSE;
	}
	return named || add_trusted_keyrings(self, error);
}

static Check *
check_new(const CamAptSource *source, const char *directory, GError **error)
{
	g_autoptr(Check) self = g_new0(Check, 1);
	g_autofree char *template = g_build_filename(directory, "verify-XXXXXX", NULL);

	self->arguments = g_ptr_array_new_with_free_func(g_free);
	self->keyrings = g_string_new(NULL);
	if (g_mkdtemp_full(template, 0700) == NULL) {
		cam_set_error_errno(error, errno, "cannot make a directory in %s", directory);
		return NULL;
	}
	self->directory = g_steal_pointer(&template);
	add_argument(self, "gpgv");
	add_argument(self, "--homedir"); /* nobody's own configuration */
	add_argument(self, self->directory);
	add_argument(self, "--status-fd");
	add_argument(self, "1");
	return add_source_keyrings(self, source, error) ? g_steal_pointer(&self) : NULL;
}

/* Runs gpgv and judges its answer. Its exit code says nothing: an unknown key beside a good one
 * fails it, too. */
static gboolean
check_run(Check *self, const CamAptSource *source, char **signers, GCancellable *cancellable,
	  GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
	g_autoptr(GSubprocess) process = NULL;
	g_autoptr(GError) local_error = NULL;
	g_autofree char *status = NULL;

	g_ptr_array_add(self->arguments, NULL);
	g_subprocess_launcher_setenv(launcher, "LC_ALL", "C", TRUE);
	process = g_subprocess_launcher_spawnv(
		launcher, (const char *const *) self->arguments->pdata, &local_error);
	if (process == NULL)
		return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
				     "cannot run gpgv, which checks signatures (install gpgv): %s",
				     local_error->message);
	if (!g_subprocess_communicate_utf8(process, NULL, cancellable, &status, NULL, error)) {
		g_subprocess_force_exit(process);
		return cam_error_translate(error, "gpgv");
	}
	return cam_apt_signature_check_status(status, source->signed_by, self->keyrings->str,
					      g_get_real_time() / G_USEC_PER_SEC, signers, error);
}

/* Whether @signed_by restricts to fingerprints, and not to this one. */
static gboolean
is_excluded(const char *signed_by, const char *fingerprint, const char *primary)
{
	g_auto(GStrv) words = g_strsplit_set(signed_by != NULL ? signed_by : "", ", \t\n", -1);
	gboolean restricted = FALSE;

	for (gsize i = 0; words[i] != NULL; i++) {
		gsize size = strlen(words[i]);

		if (size == 0 || words[i][0] == '/')
			continue;
		restricted = TRUE;
		if (words[i][size - 1] == '!') /* this very key, no subkey */
			words[i][size - 1] = '\0', primary = fingerprint;
		if (g_ascii_strcasecmp(words[i], fingerprint) == 0 ||
		    g_ascii_strcasecmp(words[i], primary) == 0)
			return FALSE;
	}
	return restricted;
}

/* VALIDSIG fingerprint date timestamp expiry version reserved key-algorithm hash-algorithm class
 * primary-fingerprint (GnuPG, doc/DETAILS). NULL if it counts, else why it does not. */
static const char *
judge_valid_signature(char **words, const char *signed_by)
{
	gint64 hash;

	if (g_strv_length(words) < 12)
		return "is not described";
	hash = g_ascii_strtoll(words[9], NULL, 10);
	if (hash == HASH_MD5 || hash == HASH_SHA1 || hash == HASH_RIPEMD160)
		return "uses a broken digest";
	if (is_excluded(signed_by, words[2], words[11]))
		return "is not one that Signed-By allows";
	return NULL;
}

/* ERRSIG key-id key-algorithm hash-algorithm class timestamp rc fingerprint: a signature that gpgv
 * could not check although it has the key, which is the case where key or signature are younger
 * than the clock says that it is. */
#define ERRSIG_NO_KEY "9"

static gint64
date_of_unchecked(char **words)
{
	if (g_strv_length(words) < 8 || g_str_equal(words[7], ERRSIG_NO_KEY))
		return 0;
	return g_ascii_strtoll(words[6], NULL, 10);
}

static gboolean
clock_error(gint64 signed_at, gint64 now, GError **error)
{
	g_autofree char *then_shown = cam_apt_date_format(signed_at);
	g_autofree char *now_shown = cam_apt_date_format(now);

	return cam_set_error(error, CAM_ERROR_FAILED_PRECONDITION,
			     "its signature is of %s, but this machine's clock says %s: the clock "
			     "looks wrong, so no signature can be checked; set it",
			     then_shown, now_shown);
}

gboolean
cam_apt_signature_check_status(const char *status, const char *signed_by, const char *keyrings,
			       gint64 now, char **signers, GError **error)
{
	static const struct {
		const char *keyword, *problem;
	} problems[] = {
		{ "NO_PUBKEY", "is unknown" },	   { "EXPKEYSIG", "has expired" },
		{ "REVKEYSIG", "is revoked" },	   { "EXPSIG", "made a signature that expired" },
		{ "BADSIG", "did not sign this" },
	};
	g_auto(GStrv) lines = g_strsplit(status, "\n", -1);
	g_autoptr(GString) reasons = g_string_new(NULL);
	g_autoptr(GString) good_keys = g_string_new(NULL);
	gboolean good = FALSE, bad = FALSE, last_is_good = FALSE;
	gint64 unchecked = 0;

	for (gsize i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
		const char *reason = NULL;

		if (g_strv_length(words) < 3 || !g_str_equal(words[0], "[GNUPG:]"))
			continue;
		for (gsize p = 0; p < G_N_ELEMENTS(problems); p++)
			if (g_str_equal(words[1], problems[p].keyword))
				reason = problems[p].problem;
		if (g_str_equal(words[1], "VALIDSIG") && last_is_good) {
			reason = judge_valid_signature(words, signed_by);
			good = good || reason == NULL;
			if (reason == NULL)
				g_string_append_printf(good_keys, "%s%s",
						       good_keys->len > 0 ? " " : "", words[11]);
		}
		if (g_str_equal(words[1], "ERRSIG"))
			unchecked = MAX(unchecked, date_of_unchecked(words));
		last_is_good = g_str_equal(words[1], "GOODSIG") ||
			       (last_is_good && !g_str_equal(words[1], "NEWSIG") &&
				!g_str_equal(words[1], "VALIDSIG") && reason == NULL);
		bad = bad || g_str_equal(words[1], "BADSIG");
		if (reason != NULL)
			g_string_append_printf(reasons, "%skey %s %s", reasons->len > 0 ? "; " : "",
					       words[2], reason);
	}
	if (good && !bad) {
		if (signers != NULL)
			*signers = g_string_free(g_steal_pointer(&good_keys), FALSE);
		return TRUE;
	}
	if (!bad && unchecked > now)
		return clock_error(unchecked, now, error);
	return cam_set_error(error, CAM_ERROR_PERMISSION_DENIED,
			     "no valid signature: %s (keyrings asked: %s)",
			     reasons->len > 0 ? reasons->str : "it is not signed",
			     keyrings[0] != '\0' ? keyrings : "none");
}

GBytes *
cam_apt_signature_verify_inline(const CamAptSource *source, GBytes *signed_text,
				const char *directory, char **signers, GCancellable *cancellable,
				GError **error)
{
	g_autoptr(Check) check = check_new(source, directory, error);
	g_autofree char *in = NULL, *out = NULL;

	if (check == NULL)
		return NULL;
	in = write_temporary(check, "InRelease", signed_text, error);
	if (in == NULL)
		return NULL;
	out = g_build_filename(check->directory, "Release", NULL);
	add_argument(check, "--output");
	add_argument(check, out);
	add_argument(check, in);
	if (!check_run(check, source, signers, cancellable, error))
		return NULL;
	return cam_read_file_at(AT_FDCWD, out, MAX_TEXT_SIZE, error);
}

gboolean
cam_apt_signature_verify_detached(const CamAptSource *source, GBytes *text, GBytes *signature,
				  const char *directory, char **signers, GCancellable *cancellable,
				  GError **error)
{
	g_autoptr(Check) check = check_new(source, directory, error);
	g_autofree char *text_path = NULL, *signature_path = NULL;

	if (check == NULL)
		return FALSE;
	text_path = write_temporary(check, "Release", text, error);
	signature_path =
		text_path != NULL ? write_temporary(check, "Release.gpg", signature, error) : NULL;
	if (signature_path == NULL)
		return FALSE;
	add_argument(check, signature_path);
	add_argument(check, text_path);
	return check_run(check, source, signers, cancellable, error);
}
