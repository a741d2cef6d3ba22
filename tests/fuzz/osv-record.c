/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as an OSV record; what is understood is asked about a version. */
#include "scanners/advisory/osv-record.h"

#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(CamOsvRecord) record = cam_osv_record_parse((const char *) data, size, &error);

	g_assert_true((record == NULL) == (error != NULL));
	for (guint i = 0; record != NULL && i < record->affected->len; i++) {
		const CamOsvAffected *affected = g_ptr_array_index(record->affected, i);
		g_autofree char *fixed = NULL;

		cam_version_ranges_match(affected->ranges,
					 cam_version_compare_for_ecosystem(affected->ecosystem),
					 "1.0-1", &fixed);
	}
	return 0;
}

GPtrArray *
cam_fuzz_seeds(void)
{
	static const char record[] =
		"{\"id\":\"DSA-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"upstream\":[\"CVE-2024-"
		"1111\"],\"summary\":\"s\",\"withdrawn\":\"2024-02-01T00:00:00Z\",\"severity\":[{"
		"\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}],"
		"\"references\":[{\"type\":\"WEB\",\"url\":\"https://"
		"example.org\"}],\"affected\":[{"
		"\"package\":{\"ecosystem\":\"Debian:12\",\"name\":\"curl\"},\"ranges\":[{\"type\":"
		"\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1\"},{"
		"\"introduced\":"
		"\"2\"},{\"last_affected\":\"3\"},{\"limit\":\"*\"}]}],\"versions\":[\"1\",\"2\"],"
		"\"ecosystem_specific\":{\"urgency\":\"low\"}}]}";
	GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

	g_ptr_array_add(seeds, g_bytes_new_static(record, strlen(record)));
	return seeds;
}
