/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leases: names that keep layers, rootfs trees and blobs from gc although no image names them.
 */
#include "snapshotter/store/store-private.h"

static gboolean
insert_digests(CamDatabase *state, const char *id, const char *const *digests, GError **error)
{
	g_autoptr(CamStatement) insert = cam_database_prepare(
		state, "INSERT OR IGNORE INTO lease_digests (lease, digest) VALUES (?, ?)", error);

	for (; insert != NULL && *digests != NULL; digests++) {
		cam_statement_bind_text(insert, 1, id);
		cam_statement_bind_text(insert, 2, *digests);
		if (!cam_statement_run(insert, error))
			return FALSE;
	}
	return insert != NULL;
}

static gboolean
write_lease(CamDatabase *state, const char *id, const char *const *digests, gint64 expires,
	    GError **error)
{
	g_autoptr(CamStatement) upsert =
		cam_database_prepare(state,
				     "INSERT INTO leases (id, expires) VALUES (?, ?)"
				     " ON CONFLICT (id) DO UPDATE SET expires = excluded.expires",
				     error);

	if (upsert == NULL)
		return FALSE;
	cam_statement_bind_text(upsert, 1, id);
	cam_statement_bind_int(upsert, 2, expires);
	return cam_statement_run(upsert, error) && insert_digests(state, id, digests, error);
}

static gboolean
begin_and_write(CamDatabase *state, const char *id, const char *const *digests, gint64 expires,
		GError **error)
{
	if (!cam_database_begin(state, error))
		return FALSE;
	if (write_lease(state, id, digests, expires, error) && cam_database_commit(state, error))
		return TRUE;
	cam_database_rollback(state);
	return FALSE;
}

gboolean
cam_store_add_lease(CamStore *self, const char *id, const char *const *digests, gint64 expires,
		    GError **error)
{
	CamDatabase *state;
	g_autoptr(CamStoreHold) hold = NULL;
	g_autoptr(GMutexLocker) locker = NULL;
	gboolean good;

	for (gsize i = 0; digests[i] != NULL; i++)
		if (!cam_digest_check(digests[i], error))
			return FALSE;
	/* A sweep that runs has decided already what goes. */
	hold = cam_store_hold(self, NULL, error);
	if (hold == NULL)
		return FALSE;
	locker = cam_store_lock_state(self, &state);
	/* Whoever leases believes from then on that the layers are there: this also writes out the
	 * rows that say so. */
	if (!cam_database_exec(state, "PRAGMA synchronous = FULL", error))
		return FALSE;
	good = begin_and_write(state, id, digests, expires, error);
	return cam_database_exec(state, "PRAGMA synchronous = NORMAL", good ? error : NULL) && good;
}

typedef struct {
	CamStore *store;
	const char *id;
} Removal;

static gboolean
remove_row(gpointer data, GError **error)
{
	const Removal *self = data;
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self->store, &state);
	g_autoptr(CamStatement) statement =
		cam_database_prepare(state, "DELETE FROM leases WHERE id = ?", error);

	if (statement == NULL)
		return FALSE;
	cam_statement_bind_text(statement, 1, self->id);
	if (!cam_statement_run(statement, error))
		return FALSE;
	if (cam_database_changes(state) == 0)
		return cam_set_error(error, CAM_ERROR_NOT_FOUND, "there is no lease %s", self->id);
	return TRUE;
}

gboolean
cam_store_remove_lease(CamStore *self, const char *id, GError **error)
{
	Removal removal = { self, id };

	return cam_store_remove_with_reserve(self, remove_row, &removal, error);
}

GPtrArray *
cam_store_list_leases(CamStore *self, const char *prefix, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(CamStatement) row =
		cam_database_prepare(state,
				     "SELECT id FROM leases WHERE substr(id, 1, length(?1)) = ?1"
				     " AND (expires = 0 OR expires > ?2) ORDER BY id",
				     error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	cam_statement_bind_text(row, 1, prefix);
	cam_statement_bind_int(row, 2, g_get_real_time());
	while (cam_statement_step_checked(row, &more, error) && more)
		g_ptr_array_add(ids, g_strdup(cam_statement_text(row, 0)));
	return more ? NULL : g_steal_pointer(&ids);
}

GPtrArray *
cam_leases_of(CamStore *self, const char *digest, GError **error)
{
	CamDatabase *state;
	g_autoptr(GMutexLocker) locker = cam_store_lock_state(self, &state);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(CamStatement) row = cam_database_prepare(
		state, "SELECT lease FROM lease_digests WHERE digest = ? ORDER BY lease", error);
	gboolean more = TRUE;

	if (row == NULL)
		return NULL;
	cam_statement_bind_text(row, 1, digest);
	while (cam_statement_step_checked(row, &more, error) && more)
		g_ptr_array_add(ids, g_strdup(cam_statement_text(row, 0)));
	return more ? NULL : g_steal_pointer(&ids);
}
