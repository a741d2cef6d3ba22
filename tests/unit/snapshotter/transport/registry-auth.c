/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Challenges and credentials: what registries ask for, and where logins are found. */
#include <glib/gstdio.h>
#include <string.h>

#include "snapshotter/transport/registry-challenge.h"
#include "snapshotter/transport/registry-credentials.h"

static void
test_challenges(void)
{
	g_autoptr(GPtrArray) challenges = cam_challenges_parse(
		"Bearer realm=\"https://a.example/token?x=\\\"1\\\"\" , service = \"a, b\",scope=x "
		",Basic realm=\"y\", Negotiate");
	const CamChallenge *bearer = cam_challenges_find(challenges, "bearer");

	g_assert_cmpuint(challenges->len, ==, 3);
	g_assert_cmpstr(cam_challenge_get_param(bearer, "realm"), ==,
			"https://a.example/token?x=\"1\"");
	g_assert_cmpstr(cam_challenge_get_param(bearer, "service"), ==, "a, b");
	g_assert_cmpstr(cam_challenge_get_param(bearer, "scope"), ==, "x");
	g_assert_null(cam_challenge_get_param(bearer, "absent"));
	g_assert_nonnull(cam_challenges_find(challenges, "basic"));
	g_assert_null(cam_challenges_find(challenges, "digest"));
}

static void
test_bad_challenges(void)
{
	static const char *const texts[] = {
		"",
		",,,",
		"=",
		"Bearer realm=\"open",
		"Bearer =x",
		"Bearer a=",
		"Bearer a==",
		"\x01\x02",
		"Bearer realm=\"a\\",
		"Bearer a=\"b\"c=\"d\"",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GPtrArray) challenges = cam_challenges_parse(texts[i]);

		g_assert_cmpuint(challenges->len, <=, 3);
	}
}

typedef struct {
	char *directory, *file;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	f->directory = g_dir_make_tmp("cam-auth-XXXXXX", NULL);
	f->file = g_build_filename(f->directory, "auth.json", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_unlink(f->file);
	g_rmdir(f->directory);
	g_free(f->directory);
	g_free(f->file);
}

/* "user:password", "token:…", "none" or "error" */
static char *
find(Fixture *f, const char *content, const char *host, const char *repository)
{
	const char *files[] = { "/nonexistent/auth.json", f->file, NULL };
	g_autoptr(CamCredentials) credentials = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(f->file, content, -1, NULL));
	if (!cam_credentials_find(files, host, repository, &credentials, NULL, &error)) {
		g_assert_true(error->domain == CAM_ERROR);
		g_assert_null(strstr(error->message, "c2VjcmV0"));
		return g_strdup("error");
	}
	if (credentials == NULL)
		return g_strdup("none");
	if (credentials->identity_token != NULL)
		return g_strconcat("token:", credentials->identity_token, NULL);
	return g_strconcat(credentials->username, ":", credentials->password, NULL);
}

#define ENTRY(user) "{\"auth\":\"" user "\"}"
#define U1	    "dTE6cDE="		       /* u1:p1 */
#define U2	    "dTI6cDp3aXRoOmNvbG9ucw==" /* u2:p:with:colons */

static void
test_files(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *content, *host, *repository, *found;
	} cases[] = {
		{ "{}", "h.example", "a", "none" },
		{ "", "h.example", "a", "none" },
		{ "{\"auths\":{\"h.example\":" ENTRY(U1) "}}", "h.example", "a/b", "u1:p1" },
		{ "{\"auths\":{\"h.example\":" ENTRY(U1) "}}", "h.example:5000", "a", "none" },
		{ "{\"auths\":{\"https://h.example/v1/\":" ENTRY(U1) "}}", "h.example", "a",
		  "u1:p1" },
		{ "{\"auths\":{\"h.example\":" ENTRY(U1) ",\"h.example/a\":" ENTRY(U2) "}}",
		  "h.example", "a/b", "u2:p:with:colons" },
		{ "{\"auths\":{\"h.example\":" ENTRY(U1) ",\"h.example/a\":" ENTRY(U2) "}}",
		  "h.example", "ab", "u1:p1" },
		{ "{\"auths\":{\"https://index.docker.io/v1/\":" ENTRY(U1) "}}", "docker.io",
		  "library/a", "u1:p1" },
		{ "{\"auths\":{\"h.example\":{\"identitytoken\":\"t\",\"auth\":\"" U1 "\"}}}",
		  "h.example", "a", "token:t" },
		{ "{\"auths\":{\"h.example\":{}}}", "h.example", "a", "none" },
		{ "{\"auths\":{\"h.example\":{\"auth\":7}}}", "h.example", "a", "none" },
		{ "{\"auths\":{\"h.example\":{\"auth\":\"!!!\"}}}", "h.example", "a", "none" },
		{ "{\"auths\":[]}", "h.example", "a", "none" },
		{ "{\"auths\":{\"h.example\":{\"auth\":\"c2VjcmV0\"", "h.example", "a", "error" },
		{ "{\"credHelpers\":{\"h.example\":\"../../bin/sh\"}}", "h.example", "a", "error" },
		{ "{\"credHelpers\":{\"h.example\":\"no-such-helper-here\"}}", "h.example", "a",
		  "error" },
		{ "{\"credHelpers\":{\"h.example\":7}}", "h.example", "a", "none" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *found =
			find(f, cases[i].content, cases[i].host, cases[i].repository);

		g_test_message("%s", cases[i].content);
		g_assert_cmpstr(found, ==, cases[i].found);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transport/registry-challenge/parse", test_challenges);
	g_test_add_func("/transport/registry-challenge/bad", test_bad_challenges);
	g_test_add("/transport/registry-credentials/files", Fixture, NULL, set_up, test_files,
		   tear_down);
	return g_test_run();
}
