/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a snapshot is mounted: the options for overlayfs, or a bind mount where there is but one
 * directory. Everything that another process needs must be said in these strings.
 */
#include "snapshotter/snapshots/snapshotter-private.h"

static GPtrArray *
one_mount(const char *type, const char *source, const char *const *options)
{
	GPtrArray *mounts =
		g_ptr_array_new_with_free_func((GDestroyNotify) cam_snapshot_mount_free);

	g_ptr_array_add(mounts, cam_snapshot_mount_new(type, source, options));
	return mounts;
}

static GPtrArray *
bind_mount(const char *source, gboolean writable)
{
	const char *const options[] = { writable ? "rw" : "ro", "rbind", NULL };

	return one_mount("bind", source, options);
}

/* "U1:U2:…" and the merged layers at the end. */
static char *
lowerdir(CamSnapshotter *self, const CamSnapshotBase *base)
{
	g_autoptr(GString) text = g_string_new("lowerdir=");

	for (guint i = 0; i < base->uses->len; i++) {
		g_autofree char *path = cam_snapshotter_path(
			self, g_array_index(base->uses, CamSnapshotUse, i).upper, "fs");

		g_string_append_printf(text, "%s%s", i > 0 ? ":" : "", path);
	}
	if (base->chain) {
		g_autofree char *tree = cam_lower_mounts_lowerdir(self->lowers, base->chain);

		g_string_append_printf(text, "%s%s", base->uses->len > 0 ? ":" : "", tree);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/*
 * An upper directory becomes a layer, so that it has whole files (metacopy) and is not tied to
 * these very lower directories (index). Directories of lower layers can be renamed all the same
 * (redirect_dir): applications expect it, unpacking never does it, and the rare upper directory
 * that says of a directory where it lay before stays one.
 */
static GPtrArray *
overlay_mount(CamSnapshotter *self, const CamSnapshotRow *row, const CamSnapshotBase *base)
{
	g_autofree char *lower = lowerdir(self, base);
	g_autofree char *fs = cam_snapshotter_path(self, row->id, "fs");
	g_autofree char *work_path = cam_snapshotter_path(self, row->id, "work");
	g_autofree char *upper = g_strconcat("upperdir=", fs, NULL);
	g_autofree char *work = g_strconcat("workdir=", work_path, NULL);
	const char *const writable[] = { "index=off", "metacopy=off", "redirect_dir=on",
					 work,	      upper,	      lower,
					 NULL };
	const char *const readable[] = { "index=off", "metacopy=off", "redirect_dir=follow", lower,
					 NULL };

	return one_mount("overlay", "overlay",
			 row->kind == CAM_SNAPSHOT_ACTIVE ? writable : readable);
}

/* (nullable): the one directory that is all that a view shows. */
static char *
single_directory(CamSnapshotter *self, const CamSnapshotBase *base)
{
	if (base->chain && base->uses->len == 0)
		return cam_lower_mounts_directory(self->lowers, base->chain);
	if (!base->chain && base->uses->len == 1)
		return cam_snapshotter_path(
			self, g_array_index(base->uses, CamSnapshotUse, 0).upper, "fs");
	return NULL;
}

GPtrArray *
cam_snapshotter_build_mounts(CamSnapshotter *self, const CamSnapshotRow *row,
			     const CamSnapshotBase *base, gboolean show, GCancellable *cancellable,
			     GError **error)
{
	g_autofree char *single = single_directory(self, base);

	if (!base->chain && base->uses->len == 0) {
		g_autofree char *own = cam_snapshotter_path(self, row->id, "fs");

		return bind_mount(own, row->kind == CAM_SNAPSHOT_ACTIVE);
	}
	if (base->chain && show &&
	    !cam_lower_mounts_show(self->lowers, (const char *const *) base->layers->pdata,
				   base->chain, cancellable, error))
		return NULL;
	if (row->kind == CAM_SNAPSHOT_VIEW && single)
		return bind_mount(single, FALSE);
	return overlay_mount(self, row, base);
}
