/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was not judged, as a value, and by its causes. Which packages that are is found out by the
 * matcher.
 */
#include "scanners/engine/unjudged.h"

#include <string.h>

CamUnjudged *
cam_unjudged_new(const char *source_package, const char *source_version, const char *reason)
{
	CamUnjudged *self = g_new0(CamUnjudged, 1);

	self->source_package = g_strdup(source_package);
	self->source_version = g_strdup(source_version);
	self->reason = g_strdup(reason);
	self->packages = g_ptr_array_new_with_free_func(g_free);
	return self;
}

void
cam_unjudged_free(CamUnjudged *self)
{
	if (self == NULL)
		return;
	g_free(self->source_package);
	g_free(self->source_version);
	g_ptr_array_unref(self->packages);
	g_free(self->origin);
	g_free(self->reason);
	g_free(self->accepted_by);
	g_free(self->accepted_because);
	g_free(self->accepted_until);
	g_free(self);
}

void
cam_unjudged_add_package(CamUnjudged *self, const char *package, const char *origin)
{
	if (self->packages->len == 0)
		self->origin = g_strdup(origin);
	else if (g_strcmp0(self->origin, origin) != 0)
		g_clear_pointer(&self->origin, g_free);
	g_ptr_array_add(self->packages, g_strdup(package));
}

static void
group_free(gpointer data)
{
	CamUnjudgedGroup *group = data;

	g_ptr_array_unref(group->packages);
	g_free(group);
}

static int
compare_groups(gconstpointer a, gconstpointer b)
{
	const CamUnjudgedGroup *left = *(CamUnjudgedGroup *const *) a;
	const CamUnjudgedGroup *right = *(CamUnjudgedGroup *const *) b;

	if (left->packages->len != right->packages->len)
		return left->packages->len > right->packages->len ? -1 : 1;
	return strcmp(left->reason, right->reason);
}

GPtrArray *
cam_unjudged_group(const GPtrArray *unjudged)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(group_free);
	g_autoptr(GHashTable) by_reason = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < unjudged->len; i++) {
		const CamUnjudged *one = unjudged->pdata[i];
		CamUnjudgedGroup *group;

		if (one->accepted_by != NULL)
			continue;
		group = g_hash_table_lookup(by_reason, one->reason);
		if (group == NULL) {
			group = g_new0(CamUnjudgedGroup, 1);
			group->reason = one->reason;
			group->packages = g_ptr_array_new();
			g_hash_table_insert(by_reason, one->reason, group);
			g_ptr_array_add(groups, group);
		}
		for (guint p = 0; p < one->packages->len; p++)
			g_ptr_array_add(group->packages, one->packages->pdata[p]);
	}
	g_ptr_array_sort(groups, compare_groups);
	return groups;
}
