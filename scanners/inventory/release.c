/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of releases: names, OSV ecosystems and the dates on which support ends. Data only.
 *
 * The dates are those of the Debian package distro-info-data 0.58+deb12u7 (debian.csv: eol,
 * eol-lts; ubuntu.csv: eol), which Debian's and Ubuntu's release teams keep. Support that is paid
 * for (ELTS, Ubuntu Pro) is not counted: its updates are not in the public repositories. To add a
 * release, add a line.
 */
#include "scanners/inventory/release.h"

#include <string.h>

static const CamRelease releases[] = {
	{ "debian", "7", "wheezy", "Debian:7", "2016-04-25", "2018-05-31" },
	{ "debian", "8", "jessie", "Debian:8", "2018-06-17", "2020-06-30" },
	{ "debian", "9", "stretch", "Debian:9", "2020-07-18", "2022-06-30" },
	{ "debian", "10", "buster", "Debian:10", "2022-09-10", "2024-06-30" },
	{ "debian", "11", "bullseye", "Debian:11", "2024-08-14", "2026-08-31" },
	{ "debian", "12", "bookworm", "Debian:12", "2026-07-11", "2028-06-30" },
	{ "debian", "13", "trixie", "Debian:13", "2028-08-09", "2030-06-30" },
	{ "debian", "14", "forky", "Debian:14", NULL, NULL },
	{ "ubuntu", "12.04", "precise", "Ubuntu:12.04:LTS", "2017-04-28", NULL },
	{ "ubuntu", "14.04", "trusty", "Ubuntu:14.04:LTS", "2019-04-25", NULL },
	{ "ubuntu", "16.04", "xenial", "Ubuntu:16.04:LTS", "2021-04-30", NULL },
	{ "ubuntu", "18.04", "bionic", "Ubuntu:18.04:LTS", "2023-05-31", NULL },
	{ "ubuntu", "20.04", "focal", "Ubuntu:20.04:LTS", "2025-05-29", NULL },
	{ "ubuntu", "22.04", "jammy", "Ubuntu:22.04:LTS", "2027-06-01", NULL },
	{ "ubuntu", "22.10", "kinetic", "Ubuntu:22.10", "2023-07-20", NULL },
	{ "ubuntu", "23.04", "lunar", "Ubuntu:23.04", "2024-01-25", NULL },
	{ "ubuntu", "23.10", "mantic", "Ubuntu:23.10", "2024-07-11", NULL },
	{ "ubuntu", "24.04", "noble", "Ubuntu:24.04:LTS", "2029-05-31", NULL },
	{ "ubuntu", "24.10", "oracular", "Ubuntu:24.10", "2025-07-10", NULL },
	{ "ubuntu", "25.04", "plucky", "Ubuntu:25.04", "2026-01-15", NULL },
	{ "ubuntu", "25.10", "questing", "Ubuntu:25.10", "2026-07-09", NULL },
	{ "ubuntu", "26.04", "resolute", "Ubuntu:26.04:LTS", "2031-05-29", NULL },
};

static const CamRelease *
find_exact(const char *id, const char *version, const char *codename)
{
	for (gsize i = 0; i < G_N_ELEMENTS(releases); i++) {
		const CamRelease *release = &releases[i];

		if (g_strcmp0(release->id, id) == 0 &&
		    (version != NULL ? g_strcmp0(release->version, version) == 0
				     : g_strcmp0(release->codename, codename) == 0))
			return release;
	}
	return NULL;
}

const CamRelease *
cam_release_find(const char *id, const char *version, const char *codename)
{
	g_autofree char *part = g_strdup(version);
	const CamRelease *release = find_exact(id, version, codename);

	/* "12.5" and "22.04.4" are point releases. */
	while (release == NULL && part != NULL && strrchr(part, '.') != NULL) {
		*strrchr(part, '.') = '\0';
		release = find_exact(id, part, NULL);
	}
	return release;
}

const CamRelease *
cam_release_find_ecosystem(const char *ecosystem)
{
	for (gsize i = 0; i < G_N_ELEMENTS(releases); i++)
		if (g_strcmp0(releases[i].ecosystem, ecosystem) == 0)
			return &releases[i];
	return NULL;
}
