/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/oci/reference.h"

#include <string.h>

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct {
	const char *text, *host, *repository, *tag, *digest;
} Case;

static void
test_accepts(void)
{
	static const Case cases[] = {
		{ "debian", NULL, "debian", "latest", NULL },
		{ "debian:12", NULL, "debian", "12", NULL },
		{ "library/debian", NULL, "library/debian", "latest", NULL },
		{ "localhost/a", "localhost", "a", "latest", NULL },
		{ "localhost:5000/a/b:t", "localhost:5000", "a/b", "t", NULL },
		{ "example.org/a@" DIGEST, "example.org", "a", NULL, DIGEST },
		{ "example.org/a:t@" DIGEST, "example.org", "a", "t", DIGEST },
		{ "127.0.0.1:443/a", "127.0.0.1:443", "a", "latest", NULL },
		{ "[::1]:5000/a__b--c.d:T_1.-", "[::1]:5000", "a__b--c.d", "T_1.-", NULL },
		{ "[fe80::1]/a", "[fe80::1]", "a", "latest", NULL },
		{ "Example.ORG/a", "Example.ORG", "a", "latest", NULL },
		{ "shop:1.0_fix", NULL, "shop", "1.0_fix", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(CamReference) reference = cam_reference_parse(cases[i].text, &error);
		g_autoptr(CamReference) again = NULL;
		g_autofree char *text = NULL;

		g_assert_no_error(error);
		g_assert_cmpstr(reference->host, ==, cases[i].host);
		g_assert_cmpstr(reference->repository, ==, cases[i].repository);
		g_assert_cmpstr(reference->tag, ==, cases[i].tag);
		g_assert_cmpstr(reference->digest, ==, cases[i].digest);
		text = cam_reference_to_string(reference);
		again = cam_reference_parse(text, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(again->repository, ==, reference->repository);
	}
}

static void
test_refuses(void)
{
	static const char *const bad[] = {
		"",
		":tag",
		"@" DIGEST,
		"a:",
		"a@",
		"a@sha256:00",
		"A",
		"a/B",
		"a//b",
		"/a",
		"a/",
		"a..b",
		"a___b",
		"a_.b",
		"-a",
		"a-",
		".a",
		"a/../b",
		"example.org/",
		"example.org:port/a",
		"example.org:/a",
		"example.org:123456/a",
		"-bad.org/a",
		"a..org/a",
		"[::1/a",
		"[]/a",
		"[::1]x/a",
		"a:.t",
		"a:-t",
		"a:t t",
		"a b",
		"a\nb",
		"a:\xc3\xa9",
		"\xff",
		"a:t:u",
		"a@" DIGEST "@" DIGEST,
		"a@" DIGEST ":t",
		"user@example.org/a",
		"docker://a",
	};
	g_autofree char *long_tag = g_strnfill(131, 'x');
	g_autofree char *long_name = g_strnfill(256, 'x');

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(cam_reference_parse(bad[i], &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
		g_assert_true(g_utf8_validate(error->message, -1, NULL));
	}
	memcpy(long_tag, "a:", 2);
	g_assert_null(cam_reference_parse(long_tag, NULL));
	g_assert_null(cam_reference_parse(long_name, NULL));
}

static void
test_suffix(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamReference) tagged = cam_reference_parse("h.example/a:1.0@" DIGEST, NULL);
	g_autoptr(CamReference) bare = cam_reference_parse("h.example/a@" DIGEST, NULL);
	g_autoptr(CamReference) fixed = cam_reference_with_tag_suffix(tagged, "_fix", &error);
	g_autoptr(CamReference) latest = cam_reference_with_tag_suffix(bare, "_fix", &error);
	g_autofree char *text = cam_reference_to_string(fixed);
	g_autofree char *suffix = g_strnfill(128, 'x');

	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, "h.example/a:1.0_fix");
	g_assert_cmpstr(latest->tag, ==, "latest_fix");
	g_assert_null(cam_reference_with_tag_suffix(tagged, suffix, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/reference/accepts", test_accepts);
	g_test_add_func("/oci/reference/refuses", test_refuses);
	g_test_add_func("/oci/reference/suffix", test_suffix);
	return g_test_run();
}
