/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scanners/scanners.h"

#include <string.h>

/* os-release(5), its fallback, and what the table of releases adds. */

static CamOsRelease *
parse(const char *text)
{
	return cam_os_release_parse(text, strlen(text));
}

static void
test_debian(void)
{
	g_autoptr(CamOsRelease) os = parse("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
					   "NAME=\"Debian GNU/Linux\"\n"
					   "VERSION_ID=\"12\"\n"
					   "VERSION_CODENAME=bookworm\n"
					   "ID=debian\n");

	g_assert_cmpstr(os->id, ==, "debian");
	g_assert_cmpstr(os->version_id, ==, "12");
	g_assert_cmpstr(os->codename, ==, "bookworm");
	g_assert_cmpstr(os->pretty_name, ==, "Debian GNU/Linux 12 (bookworm)");
	g_assert_cmpstr(os->ecosystem, ==, "Debian:12");
	g_assert_null(os->based_on);
}

static void
test_quoting(void)
{
	g_autoptr(CamOsRelease) os = parse("# ID=comment\r\n"
					   "  ID='de'bian\r\n"
					   "PRETTY_NAME=\"a \\\"quoted\\\" \\$name \\\\\"\n"
					   "VERSION_CODENAME=\"unclosed\n"
					   "VERSION_ID=9\n"
					   "VERSION_ID=10\n"
					   "no assignment\n"
					   "=nothing\n");

	g_assert_cmpstr(os->id, ==, "debian");
	g_assert_cmpstr(os->pretty_name, ==, "a \"quoted\" $name \\");
	g_assert_cmpstr(os->version_id, ==, "10");
	g_assert_cmpstr(os->codename, ==, "\"unclosed");
	g_assert_cmpstr(os->ecosystem, ==, "Debian:10");
}

static void
test_hostile(void)
{
	static const char nul[] = "ID=debian\0VERSION_ID=12\n";
	g_autoptr(CamOsRelease) os = parse("ID=\"\xff\xfe\"\nPRETTY_NAME=\n");
	g_autoptr(CamOsRelease) empty = parse("");
	g_autoptr(CamOsRelease) with_nul = cam_os_release_parse(nul, sizeof(nul) - 1);

	g_assert_true(g_utf8_validate(os->id, -1, NULL));
	g_assert_null(os->pretty_name);
	g_assert_null(os->ecosystem);
	g_assert_cmpstr(empty->id, ==, "linux");
	g_assert_null(empty->ecosystem);
	g_assert_cmpstr(with_nul->id, ==, "debian");
	g_assert_null(with_nul->version_id);
}

static void
test_derivative(void)
{
	g_autoptr(CamOsRelease) mint = parse("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"
					     "VERSION_ID=21.3\nVERSION_CODENAME=virginia\n"
					     "UBUNTU_CODENAME=jammy\n");
	g_autoptr(CamOsRelease) raspbian =
		parse("ID=raspbian\nID_LIKE=debian\nVERSION_ID=11\nVERSION_CODENAME=bullseye\n");
	g_autoptr(CamOsRelease) rolling =
		parse("ID=kali\nID_LIKE=debian\nVERSION_CODENAME=rolling");
	g_autoptr(CamOsRelease) mint_archive = cam_os_release_dup_archive(mint);
	g_autoptr(CamOsRelease) rolling_archive = cam_os_release_dup_archive(rolling);

	g_assert_cmpstr(mint->ecosystem, ==, "Ubuntu:22.04:LTS");
	g_assert_cmpstr(mint->based_on, ==, "Ubuntu 22.04");
	g_assert_cmpstr(mint->version_id, ==, "21.3");
	g_assert_cmpstr(raspbian->ecosystem, ==, "Debian:11");
	g_assert_null(rolling->ecosystem);

	/* what their packages are looked up as */
	g_assert_cmpstr(mint_archive->id, ==, "ubuntu");
	g_assert_cmpstr(mint_archive->codename, ==, "jammy");
	g_assert_cmpstr(mint_archive->ecosystem, ==, "Ubuntu:22.04:LTS");
	g_assert_cmpstr(rolling_archive->id, ==, "kali");
	g_assert_cmpstr(rolling_archive->codename, ==, "rolling");
}

static void
assert_debian_version(const char *os_release, const char *text, const char *version_id,
		      const char *ecosystem)
{
	g_autoptr(CamOsRelease) os = parse(os_release);

	cam_os_release_add_debian_version(os, text, strlen(text));
	g_assert_cmpstr(os->version_id, ==, version_id);
	g_assert_cmpstr(os->ecosystem, ==, ecosystem);
}

static void
test_debian_version(void)
{
	assert_debian_version("", "12.5\n", "12", "Debian:12");
	assert_debian_version("ID=debian", "trixie/sid\n", "13", "Debian:13");
	assert_debian_version("ID=debian\nVERSION_ID=11", "12.5\n", "11", "Debian:11");
	assert_debian_version("ID=ubuntu\nVERSION_ID=22.04", "bookworm/sid\n", "22.04",
			      "Ubuntu:22.04:LTS");
	assert_debian_version("ID=debian", "12.5\n", "12", "Debian:12");
	/* of a testing Debian, and of every Ubuntu */
	assert_debian_version("", "trixie/sid\n", NULL, NULL);
	assert_debian_version("ID=ubuntu", "bookworm/sid\n", NULL, NULL);
	assert_debian_version("", "\n", NULL, NULL);
	assert_debian_version("", "/sid\n", NULL, NULL);
}

static void
test_point_releases(void)
{
	static const struct {
		const char *text, *ecosystem;
	} cases[] = {
		{ "ID=debian\nVERSION_ID=\"12.5\"", "Debian:12" },
		{ "ID=debian\nVERSION_ID=11.11\r\n", "Debian:11" },
		{ "\xef\xbb\xbfID=Debian\r\nVERSION_ID=\"12\"\r\n", "Debian:12" },
		{ "ID=ubuntu\nVERSION_ID='22.04.4'", "Ubuntu:22.04:LTS" },
		{ "ID=ubuntu\nVERSION_ID=22", NULL },
		{ "ID=debian\nVERSION_ID=1.2", NULL },
		{ "ID=debian\nVERSION_ID=.12", NULL },
		{ "ID=debian\nVERSION_ID=...", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CamOsRelease) os = parse(cases[i].text);

		g_assert_cmpstr(os->ecosystem, ==, cases[i].ecosystem);
	}
}

/* Which files tell what: each (nullable). */
static void
test_fallbacks(void)
{
	static const char jammy[] = "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\n"
				    "DISTRIB_CODENAME=jammy\n"
				    "DISTRIB_DESCRIPTION=\"Ubuntu 22.04.4 LTS\"\n";
	static const struct {
		const char *os_release, *lsb_release, *vendor, *debian_version;
		const char *id, *ecosystem, *based_on;
	} cases[] = {
		{ NULL, jammy, NULL, "bookworm/sid", "ubuntu", "Ubuntu:22.04:LTS", NULL },
		{ NULL, NULL, "Vendor: Ubuntu\n", "bookworm/sid", "ubuntu", NULL, NULL },
		{ NULL, NULL, "Vendor: Debian\n", "bookworm/sid", "debian", "Debian:12", NULL },
		{ NULL, NULL, "Vendor: Debian\n", "12.5", "debian", "Debian:12", NULL },
		{ NULL, NULL, NULL, "bookworm/sid", "linux", NULL, NULL },
		{ NULL, "rubbish", "rubbish", "bookworm/sid", "linux", NULL, NULL },
		{ NULL, "DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=21.3", NULL, "bookworm/sid",
		  "linuxmint", NULL, NULL },
		{ "ID=ubuntu", jammy, "Vendor: Ubuntu", "bookworm/sid", "ubuntu",
		  "Ubuntu:22.04:LTS", NULL },
		{ "ID=debian\nVERSION_ID=12", jammy, "Vendor: Ubuntu", "trixie/sid", "debian",
		  "Debian:12", NULL },
		{ "NAME=x", jammy, NULL, NULL, "ubuntu", "Ubuntu:22.04:LTS", NULL },
		/* derivatives */
		{ "ID=corp\nID_LIKE=debian", NULL, NULL, "12.5", "corp", "Debian:12", "Debian 12" },
		{ "ID=corp\nID_LIKE=\"ubuntu debian\"", NULL, NULL, "12.5", "corp", NULL, NULL },
		{ "ID=corp\nID_LIKE=debian", NULL, NULL, "bookworm/sid", "corp", NULL, NULL },
		{ "ID=kali\nID_LIKE=debian", NULL, NULL, "kali-rolling", "kali", NULL, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *lsb = cases[i].lsb_release, *vendor = cases[i].vendor;
		const char *version = cases[i].debian_version;
		g_autoptr(CamOsRelease) os =
			parse(cases[i].os_release != NULL ? cases[i].os_release : "");

		if (lsb != NULL)
			cam_os_release_add_lsb_release(os, lsb, strlen(lsb));
		if (vendor != NULL)
			cam_os_release_add_vendor(os, vendor, strlen(vendor));
		if (version != NULL)
			cam_os_release_add_debian_version(os, version, strlen(version));
		g_assert_cmpstr(os->id, ==, cases[i].id);
		g_assert_cmpstr(os->ecosystem, ==, cases[i].ecosystem);
		g_assert_cmpstr(os->based_on, ==, cases[i].based_on);
	}
}

static void
test_support(void)
{
	g_autoptr(CamOsRelease) debian = parse("ID=debian\nVERSION_ID=11");
	g_autoptr(CamOsRelease) ubuntu = parse("ID=ubuntu\nVERSION_ID=\"20.04\"");
	g_autoptr(CamOsRelease) unknown = parse("ID=plan9\nVERSION_ID=4");

	g_assert_cmpint(cam_os_release_get_support(debian, "2024-08-14"), ==, CAM_SUPPORT_FULL);
	g_assert_cmpint(cam_os_release_get_support(debian, "2024-08-15"), ==, CAM_SUPPORT_LTS);
	g_assert_cmpint(cam_os_release_get_support(debian, "2026-09-01"), ==,
			CAM_SUPPORT_END_OF_LIFE);
	g_assert_cmpint(cam_os_release_get_support(ubuntu, "2025-05-29"), ==, CAM_SUPPORT_FULL);
	g_assert_cmpint(cam_os_release_get_support(ubuntu, "2025-05-30"), ==,
			CAM_SUPPORT_END_OF_LIFE);
	g_assert_cmpint(cam_os_release_get_support(unknown, "2025-05-30"), ==, CAM_SUPPORT_UNKNOWN);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/os-release/debian", test_debian);
	g_test_add_func("/os-release/quoting", test_quoting);
	g_test_add_func("/os-release/hostile", test_hostile);
	g_test_add_func("/os-release/derivative", test_derivative);
	g_test_add_func("/os-release/debian-version", test_debian_version);
	g_test_add_func("/os-release/point-releases", test_point_releases);
	g_test_add_func("/os-release/fallbacks", test_fallbacks);
	g_test_add_func("/os-release/support", test_support);
	return g_test_run();
}
