/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as paragraphs, as apt sources and as a Release file. */
#include "scanners/apt/deb822.h"

#include <string.h>

#include "fuzz.h"
#include "scanners/apt/apt-release.h"
#include "scanners/apt/apt-source.h"

static void
read_paragraphs(const char *data, gsize size)
{
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_apt_source_free);
	g_auto(CamDeb822) reader = { 0 };

	cam_deb822_init(&reader, data, size);
	while (cam_deb822_next(&reader)) {
		g_autofree char *value = cam_deb822_dup(&reader, "Signed-By");
		gsize raw_size;
		const char *raw = cam_deb822_raw(&reader, &raw_size);

		g_assert_true(raw >= data && raw + raw_size <= data + size);
		cam_apt_source_add_paragraph(&reader, sources, NULL);
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const char *const components[] = { "main", NULL };
	g_autoptr(CamAptSource) source =
		cam_apt_source_new("http://mirror.example.org/debian", "stable", components);
	g_autofree char *line = g_strndup((const char *) data, size);
	g_autoptr(CamAptSource) parsed = cam_apt_source_parse(line, NULL);
	g_autoptr(CamAptRelease) release =
		cam_apt_release_parse(source, (const char *) data, size, NULL);

	read_paragraphs((const char *) data, size);
	if (release != NULL)
		cam_apt_release_check(release, 1700000000, NULL);
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char *const texts[] = {
		"# comment\nTypes: deb\nURIs: http://mirror.example.org/debian\nSuites: a b\n"
		"Components: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AQID\n"
		" =abcd\n -----END PGP PUBLIC KEY BLOCK-----\n\nTypes: deb\r\nURIs: file:/x\r\n"
		"Suites: ./\r\n",
		"Suite: stable\nCodename: x\nDate: Sat, 09 Aug 2025 08:37:01 UTC\n"
		"Valid-Until: Sat, 16 Aug 2025 08:37:01 UTC\nAcquire-By-Hash: yes\nSHA256:\n "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 "
		"main/binary-amd64/Packages\n",
		"deb [ signed-by=/k trusted=yes ] http://mirror.example.org/debian stable main",
	};
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_ptr_array_add(seeds, g_bytes_new_static(texts[i], strlen(texts[i])));
	return seeds;
}
