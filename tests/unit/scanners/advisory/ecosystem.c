/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/advisory/ecosystem.h"

/* Names of ecosystems, which of them speak of a release, and builds of Ubuntu. */

static void
test_normalise(void)
{
	static const char *const cases[][2] = {
		{ "Debian:12", "Debian:12" },
		{ "Debian", "Debian" },
		{ "Ubuntu:22.04:LTS", "Ubuntu:22.04" },
		{ "Ubuntu:23.10", "Ubuntu:23.10" },
		{ "Ubuntu:Pro:22.04:LTS", "Ubuntu:Pro:22.04" },
		{ "Ubuntu:Pro:FIPS:22.04:LTS", "Ubuntu:Pro:FIPS:22.04" },
		{ "Ubuntu:Pro:FIPS-updates:22.04:LTS", "Ubuntu:Pro:FIPS-updates:22.04" },
		{ "Ubuntu:Pro:22.04:LTS:Realtime:Kernel", "Ubuntu:Pro:22.04" },
		{ "Ubuntu:Pro:Realtime:22.04:LTS", "Ubuntu:Pro:22.04" },
		{ "Ubuntu:Pro:22.04:LTS:FIPS-preview", "Ubuntu:Pro:FIPS-preview:22.04" },
		{ "Ubuntu:Pro", "Ubuntu:Pro" },
		{ "Ubuntu:Pro:", "Ubuntu:Pro:" },
		{ "PyPI", "PyPI" },
		{ "", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *once = cam_ecosystem_normalise(cases[i][0]);
		g_autofree char *twice = cam_ecosystem_normalise(once);

		g_assert_cmpstr(once, ==, cases[i][1]);
		g_assert_cmpstr(twice, ==, once);
	}
}

static void
test_scopes(void)
{
	static const struct {
		const char *ecosystem, *scopes;
	} cases[] = {
		{ "Debian:12", "0 Debian:12, 1 Debian, " },
		{ "PyPI", "0 PyPI, " },
		{ "Ubuntu:22.04:LTS",
		  "0 Ubuntu:22.04, 1 Ubuntu, 2 Ubuntu:Pro:22.04, 3 Ubuntu:Pro:FIPS:22.04, "
		  "3 Ubuntu:Pro:FIPS-updates:22.04, 3 Ubuntu:Pro:FIPS-preview:22.04, " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) scopes = cam_ecosystem_list_scopes(cases[i].ecosystem);
		g_autoptr(GString) text = g_string_new(NULL);

		for (guint s = 0; s < scopes->len; s++) {
			const CamScopedEcosystem *scoped = scopes->pdata[s];

			g_string_append_printf(text, "%d %s, ", (int) scoped->scope,
					       scoped->ecosystem);
		}
		g_assert_cmpstr(text->str, ==, cases[i].scopes);
	}
}

static void
test_builds(void)
{
	static const struct {
		const char *package, *version;
		CamBuild build;
	} cases[] = {
		{ "redis", "5:6.0.16-1ubuntu1", CAM_BUILD_PLAIN },
		{ "redis", "5:6.0.16-1ubuntu1+esm2", CAM_BUILD_ESM },
		{ "openssl", "1.0.2g-1ubuntu4.20+esm9", CAM_BUILD_ESM },
		{ "x", "1.0-1ubuntu1~esm1.1", CAM_BUILD_ESM },
		{ "x", "1.0+esm3ubuntu0.1", CAM_BUILD_ESM },
		{ "openssl", "3.0.2-0ubuntu1.10+Fips1", CAM_BUILD_FIPS },
		{ "openssl", "1.1.1-1ubuntu2.fips.2.1~18.04.23.3", CAM_BUILD_FIPS },
		{ "openssl", "3.0.2-0ubuntu1.10+Fips1.1+esm1", CAM_BUILD_FIPS },
		{ "linux-fips", "5.4.0-1020.23", CAM_BUILD_FIPS },
		{ "x", "1.0-mesm1", CAM_BUILD_PLAIN },
		{ "esm1", "1.0-esmeralda", CAM_BUILD_PLAIN },
		{ "x", "esm1", CAM_BUILD_PLAIN },
		{ "x", "", CAM_BUILD_PLAIN },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(cam_build_of(cases[i].package, cases[i].version), ==,
				cases[i].build);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ecosystem/normalise", test_normalise);
	g_test_add_func("/ecosystem/scopes", test_scopes);
	g_test_add_func("/ecosystem/builds", test_builds);
	return g_test_run();
}
