/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings by source package: many binary packages share the vulnerabilities of one source, and a
 * table that repeated them would hide what has to be done. How groups are shown is the business of
 * the table.
 */
#include "scanners/report/finding-group.h"

#include "scanners/advisory/version.h"

static void
finding_group_free(gpointer data)
{
	CamFindingGroup *group = data;

	g_ptr_array_unref(group->packages);
	g_ptr_array_unref(group->findings);
	g_free(group);
}

static CamFindingGroup *
finding_group_new(const CamFinding *worst)
{
	CamFindingGroup *group = g_new0(CamFindingGroup, 1);

	group->worst = worst;
	group->packages = g_ptr_array_new();
	group->findings = g_ptr_array_new();
	group->all_fixed = TRUE;
	return group;
}

static gboolean
same_id(gconstpointer a, gconstpointer b)
{
	return g_str_equal(((const CamFinding *) a)->id, ((const CamFinding *) b)->id);
}

static void
add_finding(CamFindingGroup *group, const CamFinding *finding, CamVersionCompare compare)
{
	if (!g_ptr_array_find_with_equal_func(group->packages, finding->package, g_str_equal, NULL))
		g_ptr_array_add(group->packages, finding->package);
	if (g_ptr_array_find_with_equal_func(group->findings, finding, same_id, NULL))
		return;
	g_ptr_array_add(group->findings, (gpointer) finding);
	if (finding->fixed_version == NULL || finding->state == CAM_STATE_FIXED_IN_PRO)
		group->all_fixed = FALSE;
	else if (group->fixed_version == NULL ||
		 (compare != NULL && compare(finding->fixed_version, group->fixed_version) > 0))
		group->fixed_version = finding->fixed_version;
}

GPtrArray *
cam_finding_group_all(const GPtrArray *findings, const char *ecosystem)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(finding_group_free);
	g_autoptr(GHashTable) by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	CamVersionCompare compare =
		ecosystem != NULL ? cam_version_compare_for_ecosystem(ecosystem) : NULL;

	for (guint i = 0; i < findings->len; i++) {
		const CamFinding *finding = findings->pdata[i];
		g_autofree char *key = g_strdup_printf("%s\n%s\n%d", finding->source_package,
						       finding->installed_version, finding->layer);
		CamFindingGroup *group = g_hash_table_lookup(by_key, key);

		if (group == NULL) {
			group = finding_group_new(finding);
			g_ptr_array_add(groups, group);
			g_hash_table_insert(by_key, g_steal_pointer(&key), group);
		}
		add_finding(group, finding, compare);
	}
	return groups;
}
