/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Brings rows, directories, leases and mounts together again after a crash or a reboot, and says
 * what it had to do. The rows are what counts: containerd was told of them.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "snapshotter/base/mount-table.h"
#include "snapshotter/snapshots/snapshotter-private.h"

/* ---- sweeping ---- */

/* Under the mutex: which directories are somebody's. */
static GHashTable *
find_needed_directories(CamSnapshotter *self, const GPtrArray *rows, GError **error)
{
	g_autoptr(GHashTable) needed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < rows->len; i++) {
		const CamSnapshotRow *row = g_ptr_array_index(rows, i);
		gboolean used = FALSE;

		if (!row->has_upper && !cam_snapshot_db_is_used(self->db, row->id, &used, error))
			return NULL;
		if (row->has_upper || used)
			g_hash_table_add(needed, cam_snapshotter_below(row->id, NULL));
	}
	return g_steal_pointer(&needed);
}

/* Under the mutex: which chains something may stand on. */
static GHashTable *
find_needed_chains(CamSnapshotter *self, const GPtrArray *rows, GError **error)
{
	g_autoptr(GHashTable) needed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < rows->len; i++) {
		const CamSnapshotRow *row = g_ptr_array_index(rows, i);
		g_auto(CamSnapshotBase) base = { 0 };

		if (row->chain)
			g_hash_table_add(needed, g_strdup(row->chain));
		if (row->kind == CAM_SNAPSHOT_COMMITTED)
			continue;
		if (!cam_snapshot_base_load(self->db, row, &base, error))
			return NULL;
		if (base.chain)
			g_hash_table_add(needed, g_steal_pointer(&base.chain));
	}
	return g_steal_pointer(&needed);
}

/* (element-type filename): what is in the folder and needed by none; under the mutex, or a new
 * directory would look like one. */
static GPtrArray *
find_strangers(CamSnapshotter *self, GHashTable *needed)
{
	GPtrArray *strangers = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(self->folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (!g_hash_table_contains(needed, name))
			g_ptr_array_add(strangers, g_strdup(name));
	return strangers;
}

gboolean
cam_snapshotter_sweep(CamSnapshotter *self, GCancellable *cancellable, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->mutex);
	g_autoptr(GPtrArray) rows = cam_snapshot_db_rows(self->db, error);
	g_autoptr(GHashTable) directories =
		rows ? find_needed_directories(self, rows, error) : NULL;
	g_autoptr(GHashTable) chains = directories ? find_needed_chains(self, rows, error) : NULL;
	g_autoptr(GPtrArray) strangers = NULL;

	if (!chains)
		return FALSE;
	strangers = find_strangers(self, directories);
	cam_lower_mounts_sweep(self->lowers, chains);
	g_clear_pointer(&locker, g_mutex_locker_free);
	cam_store_sweep_aside(self->store);
	for (guint i = 0; i < strangers->len; i++) {
		const char *name = g_ptr_array_index(strangers, i);

		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return cam_error_translate(error, NULL);
		g_autofree char *path = g_build_filename(self->folder, name, "fs", NULL);
		if (cam_mount_table_mentions(path))
			continue;
		g_autoptr(GError) problem = NULL;
		if (cam_store_discard(self->store, self->folder_fd, name, &problem))
			g_message("removed %s/%s, which belongs to no snapshot", self->folder,
				  name);
		else
			g_warning("cannot remove %s/%s, which belongs to no snapshot: %s",
				  self->folder, name, problem->message);
	}
	return TRUE;
}

/* ---- repair ---- */

static void
check_directory(CamSnapshotter *self, const CamSnapshotRow *row)
{
	static const char *const names[] = { NULL, "fs", "work" };
	g_autofree char *fs = cam_snapshotter_path(self, row->id, "fs");

	if (!row->has_upper || g_file_test(fs, G_FILE_TEST_IS_DIR))
		return;
	if (row->kind == CAM_SNAPSHOT_COMMITTED) {
		g_warning("the content of snapshot %s is lost: %s is missing; remove the image "
			  "and pull it again",
			  row->name, fs);
		return;
	}
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *below = cam_snapshotter_below(row->id, names[i]);

		mkdirat(self->folder_fd, below, i == 0 ? 0700 : 0755);
	}
	g_warning("what was written to snapshot %s is lost: %s was missing and is empty now",
		  row->name, fs);
}

static void
check_layers(CamSnapshotter *self, const CamSnapshotRow *row)
{
	for (char **layer = row->layers; *layer; layer++)
		if (!cam_store_has_layer(self->store, *layer))
			g_warning("the store has lost layer %s of snapshot %s; remove the image "
				  "and pull it again",
				  *layer, row->name);
}

/* What was shown to containerd is shown again: it may have been told of it and not mounted it. */
static void
show_again(CamSnapshotter *self, const CamSnapshotRow *row, GCancellable *cancellable)
{
	g_auto(CamSnapshotBase) base = { 0 };
	g_autoptr(GError) error = NULL;

	if (row->kind == CAM_SNAPSHOT_COMMITTED)
		return;
	if (!cam_snapshot_base_load(self->db, row, &base, &error) ||
	    (base.chain && !base.blocker &&
	     !cam_lower_mounts_show(self->lowers, (const char *const *) base.layers->pdata,
				    base.chain, cancellable, &error)))
		g_warning("snapshot %s cannot be mounted now: %s", row->name, error->message);
}

/* Leases are in another database: written before the rows that they are for, removed after. */
static gboolean
repair_leases(CamSnapshotter *self, const GPtrArray *rows, GError **error)
{
	g_autoptr(GPtrArray) leases =
		cam_store_list_leases(self->store, CAM_SNAPSHOT_LEASES, error);
	g_autoptr(GHashTable) left = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer lease;

	for (guint i = 0; leases && i < leases->len; i++)
		g_hash_table_add(left, g_ptr_array_index(leases, i));
	for (guint i = 0; leases && i < rows->len; i++) {
		const CamSnapshotRow *row = g_ptr_array_index(rows, i);
		g_autofree char *id = cam_snapshotter_lease_id(row->id);

		if (g_hash_table_remove(left, id) || !row->layers[0])
			continue;
		if (!cam_snapshotter_lease(self, row, error))
			return FALSE;
		g_message("leased the layers of snapshot %s again", row->name);
	}
	g_hash_table_iter_init(&iter, left);
	while (g_hash_table_iter_next(&iter, &lease, NULL)) {
		if (!cam_store_remove_lease(self->store, lease, error))
			return FALSE;
		g_message("ended lease %s, whose snapshot is gone", (char *) lease);
	}
	return leases != NULL;
}

gboolean
cam_snapshotter_repair(CamSnapshotter *self, GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) rows = cam_snapshot_db_rows(self->db, error);

	if (!rows || !cam_snapshotter_sweep(self, cancellable, error) ||
	    !repair_leases(self, rows, error))
		return FALSE;
	for (guint i = 0; i < rows->len; i++) {
		check_directory(self, g_ptr_array_index(rows, i));
		check_layers(self, g_ptr_array_index(rows, i));
		show_again(self, g_ptr_array_index(rows, i), cancellable);
	}
	return TRUE;
}
