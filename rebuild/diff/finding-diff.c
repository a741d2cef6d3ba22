/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What became of the findings of one image in another.
 */
#include "rebuild/diff/finding-diff.h"

static char *
finding_key(const CamFinding *finding)
{
	return g_strjoin("\n", finding->id, finding->package,
			 finding->architecture != NULL ? finding->architecture : "", NULL);
}

static GHashTable *
finding_keys(const GPtrArray *findings)
{
	GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < findings->len; i++)
		g_hash_table_add(keys, finding_key(findings->pdata[i]));
	return keys;
}

static void
sort_out(const GPtrArray *findings, GHashTable *others, GPtrArray *in_others, GPtrArray *alone)
{
	for (guint i = 0; i < findings->len; i++) {
		g_autofree char *key = finding_key(findings->pdata[i]);
		GPtrArray *list = g_hash_table_contains(others, key) ? in_others : alone;

		if (list != NULL)
			g_ptr_array_add(list, cam_finding_copy(findings->pdata[i]));
	}
}

void
cam_diff_findings(const GPtrArray *before, const GPtrArray *after, GPtrArray *closed,
		  GPtrArray *remaining, GPtrArray *introduced)
{
	g_autoptr(GHashTable) old = finding_keys(before), new = finding_keys(after);

	sort_out(before, new, NULL, closed);
	sort_out(after, old, remaining, introduced);
}
