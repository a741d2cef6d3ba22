/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between two file trees, path by path. Why it differs is the business of attribution.
 */
#include "rebuild/diff/tree-diff.h"

#include <string.h>

/* A deeper directory could not be named by a path that the kernel takes (PATH_MAX). */
#define MAX_DEPTH 2048

typedef struct {
	CamRootfs *before, *after;
	GPtrArray *changes;
	CamTreeDiffCounts counts;
	GCancellable *cancellable;
} TreeDiff;

void
cam_path_change_free(CamPathChange *self)
{
	cam_stat_clear(&self->before);
	cam_stat_clear(&self->after);
	g_free(self->path);
	g_free(self->package);
	g_free(self->reason);
	g_free(self->note);
	g_free(self);
}

static char *
join(const char *parent, const char *name)
{
	return parent[0] != '\0' ? g_strconcat(parent, "/", name, NULL) : g_strdup(name);
}

static CamPathChange *
add_change(TreeDiff *self, CamChangeKind kind, const char *path, gboolean is_directory)
{
	CamPathChange *change = g_new0(CamPathChange, 1);

	change->kind = kind;
	change->path = g_strdup(path);
	change->is_directory = is_directory;
	g_ptr_array_add(self->changes, change);
	return change;
}

static gboolean
check(TreeDiff *self, guint depth, GError **error)
{
	if (depth > MAX_DEPTH)
		return cam_set_error(error, CAM_ERROR_RESOURCE_EXHAUSTED,
				     "directories are nested deeper than %d", MAX_DEPTH);
	if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
		return cam_error_translate(error, NULL);
	return TRUE;
}

/* ---- what is there on one side only ---- */

static gboolean
one_sided(TreeDiff *self, CamChangeKind kind, const CamEntry *entry, const char *path, guint depth,
	  gboolean children_only, GError **error)
{
	CamRootfs *rootfs = kind == CAM_CHANGE_ADDED ? self->after : self->before;
	g_autoptr(CamTree) tree = NULL;

	if (!children_only) {
		CamPathChange *change = add_change(self, kind, path, entry->is_directory);
		CamStat *st = kind == CAM_CHANGE_ADDED ? &change->after : &change->before;

		if (!cam_rootfs_stat(rootfs, entry, st, error))
			return FALSE;
	}
	if (!entry->is_directory)
		return TRUE;
	if (!check(self, depth, error))
		return FALSE;
	tree = cam_rootfs_open_tree(rootfs, entry, error);
	if (tree == NULL)
		return FALSE;
	for (guint i = 0; i < cam_tree_size(tree); i++) {
		const CamEntry *child = cam_tree_get(tree, i);
		g_autofree char *child_path = join(path, child->name);

		if (!one_sided(self, kind, child, child_path, depth + 1, FALSE, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- what is there on both ---- */

static gboolean
same_content(TreeDiff *self, const CamEntry *before, const CamEntry *after,
	     const CamPathChange *change, gboolean *same, GError **error)
{
	CamSha256 a, b;

	*same = g_strcmp0(change->before.link_target, change->after.link_target) == 0 &&
		change->before.rdev_major == change->after.rdev_major &&
		change->before.rdev_minor == change->after.rdev_minor &&
		change->before.size == change->after.size;
	if (!*same || change->before.type != CAM_NODE_REGULAR)
		return TRUE;
	if (!cam_rootfs_content_sha256(self->before, before, &a, error) ||
	    !cam_rootfs_content_sha256(self->after, after, &b, error))
		return FALSE;
	*same = cam_sha256_equal(&a, &b);
	return TRUE;
}

static gboolean
same_xattrs(const CamStat *a, const CamStat *b)
{
	if (a->xattrs == NULL || b->xattrs == NULL)
		return a->xattrs == b->xattrs;
	return g_variant_equal(a->xattrs, b->xattrs);
}

static gboolean
modified(TreeDiff *self, const CamEntry *before, const CamEntry *after, const char *path,
	 GError **error)
{
	CamPathChange *change = add_change(self, CAM_CHANGE_MODIFIED, path, after->is_directory);
	gboolean same = TRUE;

	if (!cam_rootfs_stat(self->before, before, &change->before, error) ||
	    !cam_rootfs_stat(self->after, after, &change->after, error))
		return FALSE;
	if (change->before.type != change->after.type)
		change->aspects |= CAM_ASPECT_TYPE;
	else if (!after->is_directory && !same_content(self, before, after, change, &same, error))
		return FALSE;
	if (!same)
		change->aspects |= CAM_ASPECT_CONTENT;
	/* A link's mode says nothing, nor does that of another kind of file. */
	if (change->before.mode != change->after.mode && (change->aspects & CAM_ASPECT_TYPE) == 0)
		change->aspects |= CAM_ASPECT_MODE;
	if (change->before.uid != change->after.uid || change->before.gid != change->after.gid)
		change->aspects |= CAM_ASPECT_OWNER;
	if (!same_xattrs(&change->before, &change->after))
		change->aspects |= CAM_ASPECT_XATTRS;
	return TRUE;
}

static gboolean compare_trees(TreeDiff *self, const CamEntry *before, const CamEntry *after,
			      const char *path, guint depth, GError **error);

static gboolean
compare_entries(TreeDiff *self, const CamEntry *before, const CamEntry *after, const char *path,
		guint depth, GError **error)
{
	gboolean both = before->is_directory && after->is_directory;
	gboolean same_id = cam_sha256_equal(&before->id, &after->id);

	if (before->is_directory != after->is_directory)
		return modified(self, before, after, path, error) &&
		       one_sided(self, CAM_CHANGE_REMOVED, before, path, depth, TRUE, error) &&
		       one_sided(self, CAM_CHANGE_ADDED, after, path, depth, TRUE, error);
	if (both ? !cam_sha256_equal(&before->meta, &after->meta) : !same_id)
		if (!modified(self, before, after, path, error))
			return FALSE;
	if (!both)
		return TRUE;
	if (same_id) {
		self->counts.skipped++;
		return TRUE;
	}
	return compare_trees(self, before, after, path, depth, error);
}

/* Both trees are sorted: one pass over the two finds what is common and what is not. */
static gboolean
compare_trees(TreeDiff *self, const CamEntry *before, const CamEntry *after, const char *path,
	      guint depth, GError **error)
{
	g_autoptr(CamTree) old = NULL, new = NULL;
	guint i = 0, j = 0;

	if (!check(self, depth, error))
		return FALSE;
	old = cam_rootfs_open_tree(self->before, before, error);
	if (old == NULL)
		return FALSE;
	new = cam_rootfs_open_tree(self->after, after, error);
	if (new == NULL)
		return FALSE;
	self->counts.compared++;
	while (i < cam_tree_size(old) || j < cam_tree_size(new)) {
		const CamEntry *a = i < cam_tree_size(old) ? cam_tree_get(old, i) : NULL;
		const CamEntry *b = j < cam_tree_size(new) ? cam_tree_get(new, j) : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->name, b->name);
		g_autofree char *child = join(path, order <= 0 ? a->name : b->name);
		gboolean done;

		if (order == 0)
			done = compare_entries(self, a, b, child, depth + 1, error);
		else if (order < 0)
			done = one_sided(self, CAM_CHANGE_REMOVED, a, child, depth + 1, FALSE,
					 error);
		else
			done = one_sided(self, CAM_CHANGE_ADDED, b, child, depth + 1, FALSE, error);
		if (!done)
			return FALSE;
		i += order <= 0;
		j += order >= 0;
	}
	return TRUE;
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const CamPathChange *const *) a)->path,
		      (*(const CamPathChange *const *) b)->path);
}

GPtrArray *
cam_diff_trees(CamRootfs *before, CamRootfs *after, CamTreeDiffCounts *counts,
	       GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) changes =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_path_change_free);
	TreeDiff self = {
		.before = before, .after = after, .changes = changes, .cancellable = cancellable
	};
	CamEntry old, new;

	cam_rootfs_get_root(before, &old);
	cam_rootfs_get_root(after, &new);
	if (!compare_entries(&self, &old, &new, "", 0, error))
		return NULL;
	if (counts != NULL)
		*counts = self.counts;
	g_ptr_array_sort(changes, compare_paths);
	return g_steal_pointer(&changes);
}
