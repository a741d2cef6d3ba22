/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between two inventories, package by package.
 */
#include "rebuild/diff/package-diff.h"

void
cam_package_change_free(CamPackageChange *self)
{
	g_free(self->name);
	g_free(self->architecture);
	g_free(self->source_name);
	g_free(self->before);
	g_free(self->after);
	g_free(self->before_path);
	g_free(self->after_path);
	g_free(self);
}

char *
cam_package_change_to_string(const CamPackageChange *self)
{
	g_autofree char *name = self->architecture != NULL
					? g_strconcat(self->name, ":", self->architecture, NULL)
					: g_strdup(self->name);

	if (self->before == NULL)
		return g_strdup_printf("new %s %s", name, self->after);
	if (self->after == NULL)
		return g_strdup_printf("removed %s %s", name, self->before);
	return g_strdup_printf("%s %s → %s", name, self->before, self->after);
}

static void
add_change(GPtrArray *changes, const CamPackage *before, const CamPackage *after)
{
	const CamPackage *shown = after != NULL ? after : before;
	CamPackageChange *change = g_new0(CamPackageChange, 1);

	change->name = g_strdup(shown->name);
	change->architecture = g_strdup(shown->architecture);
	change->source_name = g_strdup(shown->source_name);
	if (before != NULL) {
		change->before = g_strdup(before->version);
		change->before_path = g_strdup(before->path);
	}
	if (after != NULL) {
		change->after = g_strdup(after->version);
		change->after_path = g_strdup(after->path);
	}
	g_ptr_array_add(changes, change);
}

/* The packages of one name: several only where architectures are installed side by side. */
static guint
run_length(const GPtrArray *packages, guint start)
{
	guint end = start;

	while (end < packages->len &&
	       g_str_equal(((const CamPackage *) packages->pdata[end])->name,
			   ((const CamPackage *) packages->pdata[start])->name))
		end++;
	return end - start;
}

/*
 * A package that is alone on both sides is the same one even if its architecture changed (to or
 * from "all"); otherwise the architecture tells which is which.
 */
static void
diff_name(GPtrArray *changes, CamPackage **before, guint n_before, CamPackage **after,
	  guint n_after)
{
	guint i = 0, j = 0;

	while (i < n_before || j < n_after) {
		const CamPackage *a = i < n_before ? before[i] : NULL;
		const CamPackage *b = j < n_after ? after[j] : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : 0;

		if (order == 0 && (n_before > 1 || n_after > 1))
			order = g_strcmp0(a->architecture, b->architecture);
		if (order < 0)
			add_change(changes, a, NULL);
		else if (order > 0)
			add_change(changes, NULL, b);
		else if (!g_str_equal(a->version, b->version))
			add_change(changes, a, b);
		i += order <= 0;
		j += order >= 0;
	}
}

GPtrArray *
cam_diff_packages(const GPtrArray *before, const GPtrArray *after)
{
	GPtrArray *changes =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_package_change_free);
	guint i = 0, j = 0;

	while (i < before->len || j < after->len) {
		const CamPackage *a = i < before->len ? before->pdata[i] : NULL;
		const CamPackage *b = j < after->len ? after->pdata[j] : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : g_strcmp0(a->name, b->name);
		guint n_before = order <= 0 ? run_length(before, i) : 0;
		guint n_after = order >= 0 ? run_length(after, j) : 0;

		diff_name(changes, (CamPackage **) before->pdata + i, n_before,
			  (CamPackage **) after->pdata + j, n_after);
		i += n_before;
		j += n_after;
	}
	return changes;
}
