/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a CVSS vector and as versions. */
#include <string.h>

#include "fuzz.h"
#include "scanners/advisory/advisory-db.h"
#include "scanners/advisory/version.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = g_strndup((const char *) data, size);
	const char *half = text + strlen(text) / 2;
	double score = cam_cvss_score(text);
	int there = cam_version_compare_deb(text, half), back = cam_version_compare_deb(half, text);

	g_assert_true(score == -1 || (score >= 0 && score <= 10));
	g_assert_true((there > 0) == (back < 0) && (there == 0) == (back == 0));
	g_assert_cmpint(cam_version_compare_deb(text, text), ==, 0);
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char *const texts[] = {
		"CVSS:4.0/AV:L/AC:L/AT:P/PR:N/UI:N/VC:L/VI:H/VA:N/SC:N/SI:N/SA:L/CR:H/MAV:N/U:Red",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N/E:P",
		"(AV:N/AC:L/Au:N/C:N/I:N/A:C)",
		"1:2.7.4+reloaded2-13ubuntu1~rc1",
	};
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_ptr_array_add(seeds, g_bytes_new_static(texts[i], strlen(texts[i])));
	return seeds;
}
